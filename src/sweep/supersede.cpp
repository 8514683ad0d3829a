#include "xlrm/sweep/supersede.hpp"

#include <ctime>
#include <set>
#include <system_error>

#include "xlrm/core/error.hpp"
#include "xlrm/store/ledger.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

// What lies beside an output and belongs to it, by what its name has in place of the output's ending.
std::vector<std::string> endings_beside(const std::string& output) {
    if (output.ends_with(".h5")) return {".sha256", ".run.json"};
    return output.starts_with("models/") ? std::vector<std::string>{".checkpoint"} : std::vector<std::string>{};
}

std::string without_ending(const std::string& output) {
    return output.ends_with(".h5") ? output.substr(0, output.size() - 3) : output;
}

std::string free_place(const SweepFolder& folder, const std::set<std::string>& taken, const std::string& identity,
                       const std::string& output) {
    for (int number = 1;; ++number) {
        std::string place = "superseded/" + identity + (number > 1 ? "-" + std::to_string(number) : "") + "/" + output;
        if (!fs::exists(folder.root() / place) && !taken.contains(place)) return place;
    }
}

void move(const fs::path& root, const std::string& from, const std::string& to) {
    if (!fs::exists(root / from)) return;
    std::error_code problem;
    fs::create_directories((root / to).parent_path(), problem);
    if (!problem) fs::rename(root / from, root / to, problem);
    if (problem) {
        fail((root / from).string() + ": cannot be moved to " + (root / to).string() + ": " + problem.message() +
                 " (it comes from other content than the sweep); move it away by hand",
             ExitCode::io);
    }
}

}  // namespace

std::vector<Superseded> superseded_by(const SweepFolder& folder, const Comparison& comparison) {
    std::vector<Superseded> moves;
    std::set<std::string> taken;
    for (const Difference& difference : comparison.differences) {
        for (const Difference::Output& output : difference.outputs) {
            moves.push_back({output.name, free_place(folder, taken, output.identity, output.name)});
            taken.insert(moves.back().place);
        }
    }
    return moves;
}

void supersede(const SweepFolder& folder, const std::vector<Superseded>& moves) {
    const Ledger ledger(folder.ledger());
    for (const auto& [output, place] : moves) {
        // The output last: while it is there, an interrupted move is seen and done again.
        for (const std::string& ending : endings_beside(output))
            move(folder.root(), without_ending(output) + ending, without_ending(place) + ending);
        move(folder.root(), output, place);
        ledger.append({{"event", "superseded"},
                       {"output", output},
                       {"place", place},
                       {"time", static_cast<std::int64_t>(std::time(nullptr))}});
    }
}

std::string format_superseded(const Comparison& comparison, std::size_t most) {
    std::string text;
    for (std::size_t i = 0; i < std::min(most, comparison.differences.size()); ++i) {
        const Difference& difference = comparison.differences[i];
        text += difference.output + " " + difference.what;
        const std::size_t others = difference.outputs.size() - 1;
        if (others > 0)
            text += ", and " + std::to_string(others) + (others == 1 ? " result comes from it" : " results come from it");
        text += "\n";
    }
    if (comparison.differences.size() > most) text += "and " + std::to_string(comparison.differences.size() - most) + " more\n";
    return text;
}

}  // namespace xlrm
