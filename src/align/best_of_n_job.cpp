#include <algorithm>
#include <cstdio>
#include <map>
#include <optional>

#include "xlrm/align/best_of_n.hpp"
#include "xlrm/comm/run_job.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/core/build_info.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/output_lock.hpp"
#include "xlrm/core/sha256.hpp"

namespace xlrm {
namespace {

void check(const BestOfNOptions& job) {
    const auto usage = [](bool ok, const std::string& message) { require(ok, message, ExitCode::usage); };
    usage(!job.samples.empty(), "--samples is not given; name the files of scored samples (.jsonl, .jsonl.gz)");
    usage(!job.proxies.empty(), "--proxy is not given; name the scores that choose among the samples");
    usage(!job.gold.empty(), "--gold is empty; name the score that judges what was chosen");
    for (const std::string& name : job.proxies) {
        usage(std::ranges::count(job.proxies, name) == 1, "--proxy names '" + name + "' twice; leave one out");
        usage(name != job.gold, "--proxy and --gold both name '" + name +
                                    "' (its own choice is the column `ceiling` in any case); name another score");
    }
    usage(job.least >= 1, "--least-samples must be 1 or more");
    usage(job.level > 0.0 && job.level < 1.0, "--level must be between 0 and 1 (0.95)");
}

std::filesystem::path folder_of(const BestOfNOptions& job) {
    if (!job.output.empty()) return job.output;
    const std::string name = std::filesystem::path(job.samples.front()).filename().string();
    return std::filesystem::path("xlrm-out") / (name.substr(0, name.find('.')) + ".best_of_n");
}

struct Read {
    BestOfNInput input;
    std::int64_t left_out = 0;         // prompts
    std::size_t fewest = 0, most = 0;  // samples of a prompt
};

Read read(const BestOfNOptions& job) {
    Read result{{{}, job.proxies, job.gold, job.level}};
    std::vector<std::string> names = job.proxies;
    names.push_back(job.gold);
    for (ScoredPrompt& prompt : read_scored_samples({job.samples.begin(), job.samples.end()}, names)) {
        if (std::ssize(prompt.samples) < job.least) {
            ++result.left_out;
            continue;
        }
        const std::size_t count = prompt.samples.size();
        result.fewest = result.input.prompts.empty() ? count : std::min(result.fewest, count);
        result.most = std::max(result.most, count);
        result.input.prompts.push_back(std::move(prompt));
    }
    if (result.input.prompts.empty())
        fail("no prompt has " + std::to_string(job.least) + " samples, so nothing is left; lower --least-samples");
    return result;
}

std::string notes_of(const BestOfNOptions& job, const Read& found) {
    std::map<std::string, std::pair<std::int64_t, std::int64_t>> languages;  // prompts, samples
    for (const ScoredPrompt& prompt : found.input.prompts) {
        auto& [prompts, samples] = languages[prompt.key.lang];
        ++prompts;
        samples += std::ssize(prompt.samples);
    }
    std::string text;
    for (const auto& [lang, counts] : languages)
        text += lang + ": " + std::to_string(counts.first) + " prompts, " + std::to_string(counts.second) + " samples\n";
    if (found.left_out > 0)
        text += "left out: " + std::to_string(found.left_out) + " prompts with fewer than " + std::to_string(job.least) +
                " samples\n";
    if (found.fewest < found.most)
        text += "prompts have " + std::to_string(found.fewest) + " to " + std::to_string(found.most) + " samples: n ends at " +
                std::to_string(found.fewest) +
                ", so that each n is over the same prompts (--least-samples leaves out those with few)\n";
    return text;
}

// The rows of n = 1, 2, 4, … and the last.
ResultTable shortened(const ResultTable& table, std::int64_t last) {
    const auto place = std::ranges::find(table.columns, "n", &Column::name) - table.columns.begin();
    ResultTable result = table;
    std::erase_if(result.rows, [&](const std::vector<TableValue>& row) {
        const auto n = std::get<std::int64_t>(row[static_cast<std::size_t>(place)]);
        return (n & (n - 1)) != 0 && n != last;
    });
    return result;
}

Json record_of(const BestOfNOptions& job, const Read& found) {
    Json inputs = Json::object();
    for (const std::string& path : job.samples) inputs[std::filesystem::path(path).filename().string()] = sha256_file(path);
    return {{"schema", "XLRM-best-of-n-1"},
            {"version", version()},
            {"inputs", inputs},
            {"proxies", job.proxies},
            {"gold", job.gold},
            {"least_samples", job.least},
            {"level", job.level},
            {"prompts", found.input.prompts.size()},
            {"left_out", found.left_out},
            {"fewest_samples", found.fewest},
            {"most_samples", found.most}};
}

}  // namespace

void describe(Options& options, BestOfNOptions& job) {
    options.section("best-of-n")
        .add("samples", &job.samples, "FILE,…",
             "scored samples: samples.jsonl with `scores`, several files of the same samples, or prompts with `completions`")
        .add("proxy", &job.proxies, "NAME,…", "scores that choose; also `characters`, `tokens`, or a number of the lines")
        .add("gold", &job.gold, "NAME", "the score that judges what was chosen")
        .add("output", &job.output, "DIR", "folder for tables and record [xlrm-out/<samples>.best_of_n]")
        .add("least-samples", &job.least, "N", "leaves out prompts with fewer; raise it where a few prompts end the curve early")
        .add("level", &job.level, "SHARE", "of the intervals");
}

void run_best_of_n(const Communicator& world, const BestOfNOptions& job) {
    on_root(world, [&] {
        check(job);
        const std::filesystem::path folder = folder_of(job);
        OutputLock lock(folder, OutputKind::filled, stop_requested);
        const Read found = read(job);
        const std::vector<ResultTable> tables = best_of_n_tables(found.input);
        const Json record = record_of(job, found);
        lock.require_held();
        std::fputs(notes_of(job, found).c_str(), stdout);
        for (const ResultTable& table : tables) {
            if (table.rows.empty()) continue;
            write_file_atomic(folder / (table.name + ".csv"), format_csv(table));
            write_file_atomic(folder / (table.name + ".md"), format_markdown(table));
            write_file_atomic(folder / (table.name + ".tex"), format_latex(table));
            std::printf("\n%s", format_markdown(shortened(table, static_cast<std::int64_t>(found.fewest))).c_str());
        }
        write_file_atomic(folder / "best_of_n.json", record.dump(1) + "\n");
        std::printf("\nall n: %s\n", (folder / "best_of_n.csv").c_str());
    });
}

std::string best_of_n_report(const Communicator& world, const BestOfNOptions& job) {
    std::string text;
    on_root(world, [&] {
        check(job);
        const Read found = read(job);
        text = notes_of(job, found) + "n: 1 to " + std::to_string(found.fewest) + "\noutput: " + folder_of(job).string() + "\n";
    });
    return text;
}

}  // namespace xlrm
