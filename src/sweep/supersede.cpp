#include "xlrm/sweep/supersede.hpp"

#include <ctime>
#include <set>
#include <system_error>

#include "xlrm/core/error.hpp"
#include "xlrm/store/ledger.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

std::string free_place(const SweepFolder& folder, const std::set<std::string>& taken, const std::string& identity,
                       const std::string& output) {
    for (int number = 1;; ++number) {
        std::string place = "superseded/" + identity + (number > 1 ? "-" + std::to_string(number) : "") + "/" + output;
        if (!fs::exists(folder.root() / place) && !taken.contains(place)) return place;
    }
}

void transfer(const fs::path& root, const std::string& from, const std::string& to, bool keep) {
    if (!fs::exists(root / from)) return;
    std::error_code problem;
    fs::create_directories((root / to).parent_path(), problem);
    if (!problem && keep) fs::copy_file(root / from, root / to, fs::copy_options::overwrite_existing, problem);
    if (!problem && !keep) fs::rename(root / from, root / to, problem);
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
            const std::string place = free_place(folder, taken, output.identity, output.name);
            moves.push_back({output.name, place, output.beside});
            taken.insert(place);
        }
    }
    return moves;
}

void supersede(const SweepFolder& folder, const std::vector<Superseded>& moves) {
    const Ledger ledger(folder.ledger());
    for (const auto& [output, place, files] : moves) {
        // A cell without its .sha256 counts as damaged and would be written over, so files beside an output are copied before it
        // moves: whenever this is interrupted, the output is whole in one place or the other.
        const auto beside = [&](bool keep) {
            for (const std::string& file : files) {
                if (file == output) continue;
                const fs::path to = fs::path(place).parent_path() / fs::path(file).filename();
                if (!keep || fs::is_regular_file(folder.root() / file)) transfer(folder.root(), file, to.string(), keep);
            }
        };
        beside(true);
        transfer(folder.root(), output, place, false);
        beside(false);
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
