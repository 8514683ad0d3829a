#include "label_rows.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <tuple>

#include "xlrm/comm/run_job.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/json_line.hpp"
#include "xlrm/core/language.hpp"
#include "xlrm/core/output_lock.hpp"
#include "xlrm/core/sha256.hpp"
#include "xlrm/core/utf8.hpp"
#include "xlrm/data/preference_row.hpp"
#include "xlrm/eval/evaluator.hpp"
#include "xlrm/store/occurrences.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

std::string base_name(const std::string& path) {
    const std::string name = fs::path(path).lexically_normal().filename().string();
    return name.empty() ? fs::path(path).lexically_normal().parent_path().filename().string() : name;
}

std::string score_name(const EvaluateJob& job) { return job.score_name.empty() ? base_name(job.model) : job.score_name; }

fs::path output_of(const EvaluateJob& job) {
    if (!job.output.empty()) return job.output;
    const std::string name = base_name(job.data.front());
    return fs::path("xlrm-out") / (name.substr(0, name.find(".jsonl")) + ".scored.jsonl");
}

void check(const EvaluateJob& job) {
    const auto usage = [](bool ok, const std::string& message) { require(ok, message, ExitCode::usage); };
    usage(job.data.size() == 1 && !job.data.front().ends_with(".parquet"),
          "--data: rows of single answers get their score in a file of the same lines, so one .jsonl (.jsonl.gz) is taken at a "
          "time");
    usage(job.langs.empty() && job.evaluate.part.empty(),
          "--langs and --part: every sample of the file gets a score; leave them out");
    usage(job.export_as == "none" && job.benchmark == "auto" && job.ties == "auto",
          "--benchmark, --ties and --export are for rows with right and wrong answers; leave them out for samples");
    usage(!output_of(job).string().ends_with(".h5"),
          "--output: samples get their scores as JSON lines, and no cell; name a .jsonl file");
}

// What the model gives, by item.
class Scores {
public:
    explicit Scores(const Evaluator::ScoredRows& rows) : names_(rows.names) {
        for (std::size_t i = 0; i < rows.items.size(); ++i)
            by_item_[{rows.items[i].lang, rows.items[i].id, rows.items[i].occurrence}] = rows.scores[i];
    }
    //! Of the next row of the file with this language (as the row names it) and id; nothing where it was left out.
    std::optional<float> next(const std::string& lang_name, const std::string& id) {
        const std::string lang = names_.of(lang_name);
        const auto found = by_item_.find({lang, id, counted_.next(lang, id)});
        if (found == by_item_.end()) return std::nullopt;
        ++used_;
        return found->second;
    }
    bool all_used() const { return used_ == by_item_.size(); }

private:
    const LanguageNames& names_;
    std::map<std::tuple<std::string, std::string, std::int32_t>, float> by_item_;
    Occurrences counted_;
    std::size_t used_ = 0;
};

struct Labelled {
    std::int64_t rows = 0, too_long = 0;
    double sum = 0.0;
};

// The file again, with the scores, at `output`.
Labelled write_labelled(const EvaluateJob& job, const fs::path& output, Scores& scores) {
    const fs::path input = job.data.front();
    const std::string name = score_name(job);
    Labelled counts;
    write_file_atomic(output, [&](const fs::path& path) {
        std::ofstream file(path, std::ios::binary);
        for_each_line(input, [&](std::int64_t number, std::string_view text) {
            if (strip(text).empty()) return;
            const std::string where = input.string() + ":" + std::to_string(number);
            Json line = parse_json(text, where);
            const PreferenceRow row =
                rows_of_json(line, RowKind::response, where, input.filename().string() + ":" + std::to_string(number), "en",
                             job.evaluate.forms)
                    .front();
            Json& all = line["scores"];
            if (all.is_null()) all = Json::object();
            if (!all.is_object()) fail(where + ": field 'scores' must be an object {name: number}");
            if (all.contains(name)) fail(where + ": it has a score '" + name + "' already; give --score-name another name");
            const std::optional<float> score = scores.next(row.lang_name, row.id);
            all[name] = score ? Json(*score) : Json();
            ++counts.rows;
            counts.too_long += score ? 0 : 1;
            counts.sum += score ? static_cast<double>(*score) : 0.0;
            file << dump_line(line) << '\n';
        });
        file.close();
        if (!file) fail(output.string() + ": it could not be written whole (is the disk full?)", ExitCode::io);
    });
    require(scores.all_used(), input.string() + ": it changed while it was scored; label it again");
    return counts;
}

EvaluateOptions options_of(const EvaluateJob& job) {
    EvaluateOptions options = job.evaluate;
    options.implicit.on = job.reward == "implicit";
    options.layers = "none";
    return options;
}

std::unique_ptr<Evaluator> open_model(const Communicator& world, const EvaluateJob& job) {
    std::unique_ptr<Evaluator> evaluator;
    together(world, [&] {
        check(job);
        evaluator = std::make_unique<Evaluator>(job.model, options_of(job));
    });
    return evaluator;
}

}  // namespace

bool labels_rows(const EvaluateJob& job) {
    const fs::path first = job.data.front();
    return !job.data.front().ends_with(".h5") && detect_row_kind(first, job.evaluate.forms) == RowKind::response;
}

ExitCode label_rows(const Communicator& world, const EvaluateJob& job) {
    const auto start = std::chrono::steady_clock::now();
    const std::unique_ptr<Evaluator> evaluator = open_model(world, job);
    const fs::path output = output_of(job);
    std::optional<OutputLock> lock;  // on the root
    on_root(world, [&] { lock.emplace(output, OutputKind::replaced, stop_requested); });
    const Evaluator::ScoredRows rows = evaluator->score_rows(world, {job.data.front()}, {});
    on_root(world, [&] {
        Scores scores(rows);
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        Json record = {{"scores", score_name(job)},
                       {"model_sha256", evaluator->model_sha256()},
                       {"template", evaluator->chat_template().name},
                       {"template_sha256", evaluator->chat_template().sha256},
                       {"input_sha256", sha256_file(job.data.front())},
                       {"options", content_of(options_of(job))}};
        record.update(evaluator->exactness());
        record.update(run_facts(world, seconds, job.evaluate.device));
        lock->require_held();
        const Labelled counts = write_labelled(job, output, scores);
        write_file_atomic(output.string() + ".run.json", record.dump(1) + "\n");
        std::printf("%s%ld rows with the score '%s', mean %.4f\n", evaluator->notes().c_str(), static_cast<long>(counts.rows),
                    score_name(job).c_str(),
                    counts.sum / static_cast<double>(std::max<std::int64_t>(1, counts.rows - counts.too_long)));
        if (counts.too_long > 0)
            std::printf("%ld rows of more than %ld tokens have null in its place (--max-length)\n",
                        static_cast<long>(counts.too_long), static_cast<long>(job.evaluate.max_length));
        std::printf("scored: %s\n", output.c_str());
    });
    return ExitCode::done;
}

std::string labelling_report(const Communicator& world, const EvaluateJob& job) {
    const std::unique_ptr<Evaluator> evaluator = open_model(world, job);
    return "rows of single answers: each gets the score '" + score_name(job) + "'\noutput: " + output_of(job).string() + "\n" +
           evaluator->chat_template().describe();
}

}  // namespace xlrm
