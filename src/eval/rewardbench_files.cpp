#include "xlrm/eval/rewardbench_files.hpp"

#include <algorithm>
#include <cassert>

#include "benchmark_rules.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"

namespace xlrm {

namespace {

namespace fs = std::filesystem;
using SortedJson = nlohmann::json;  // RewardBench sorts the keys

constexpr const char* kModelType = "Seq. Classifier";

struct Row {
    const ScoredItem* item;
    const ItemText* text;
};
using Rows = std::vector<Row>;

bool pairs_only(const Rows& rows) {
    return std::all_of(rows.begin(), rows.end(), [](const Row& row) { return row.item->scores.size() == 2; });
}

//! The column `results` of run_v2.py: that of the first answer, 1/k where it shares the top with k - 1 others.
double first_answer_result(const ScoredItem& item) {
    const double best = *std::max_element(item.scores.begin(), item.scores.end());
    if (item.scores.front() != best) return 0.0;
    return 1.0 / static_cast<double>(std::count(item.scores.begin(), item.scores.end(), best));
}

int pair_result(const ScoredItem& item) { return item.scores[0] > item.scores[1] ? 1 : 0; }

void add_pair_columns(const Row& row, SortedJson* columns) {
    (*columns)["text_chosen"].push_back(row.text->texts[0]);
    (*columns)["text_rejected"].push_back(row.text->texts[1]);
    (*columns)["scores_chosen"].push_back(row.item->scores[0]);
    (*columns)["scores_rejected"].push_back(row.item->scores[1]);
    (*columns)["results"].push_back(pair_result(*row.item));
}

void add_list_columns(const Row& row, SortedJson* columns) {
    (*columns)["text"].push_back(row.text->texts);
    (*columns)["scores"].push_back(row.item->scores);
    (*columns)["results"].push_back(first_answer_result(*row.item));
    (*columns)["num_correct"].push_back(row.item->num_correct);
}

//! The id as the data have it: a number in RewardBench 1, text in RewardBench 2.
SortedJson id_of(const Row& row) {
    if (!row.text->columns.contains("id") || row.text->columns.at("id").is_null()) return row.item->id;
    return SortedJson::parse(row.text->columns.at("id").dump());
}

void write_sorted(const fs::path& path, const SortedJson& json) { write_file_atomic(path, json.dump(4, ' ', true)); }

SortedJson heading(const RewardBenchExport& target, const std::string& model) {
    return {{"model", model}, {"model_type", kModelType}, {"chat_template", target.chat_template}};
}

std::map<std::string, double> values_of(const std::string& benchmark, const Rows& rows) {
    std::vector<ScoredItem> items;
    for (const Row& row : rows) items.push_back(*row.item);
    std::map<std::string, double> values;
    for (const auto& [name, subset] : score_benchmark(benchmark, default_ties(benchmark), items).subsets) {
        if (!name.empty()) values[name] = subset.value;
    }
    return values;
}

void write_sets(const RewardBenchExport& target, const std::string& model, const std::string& sets, const std::string& benchmark,
                const Rows& rows) {
    SortedJson results = heading(target, model);
    for (const auto& [name, value] : values_of(benchmark, rows)) results[name] = value;
    write_sorted(target.folder / sets / (model + ".json"), results);
    SortedJson columns = heading(target, model);
    const bool pairs = pairs_only(rows);
    for (const Row& row : rows) {
        columns["id"].push_back(id_of(row));
        columns["subset"].push_back(row.item->subset);
        if (pairs)
            add_pair_columns(row, &columns);
        else
            add_list_columns(row, &columns);
    }
    write_sorted(target.folder / (sets + "-scores") / (model + ".json"), columns);
}

std::string output_lines(const Rows& rows) {
    std::string lines;
    for (const Row& row : rows) {
        Json line = {{"prompt", row.text->prompt},           {"results", pair_result(*row.item)},
                     {"scores_chosen", row.item->scores[0]}, {"scores_rejected", row.item->scores[1]},
                     {"text_chosen", row.text->texts[0]},    {"text_rejected", row.text->texts[1]}};
        for (const auto& [name, value] : row.text->columns.items()) {
            if (!line.contains(name)) line[name] = value;
        }
        lines += line.dump(-1, ' ', true) + "\n";
    }
    return lines;
}

void write_command_line_files(const RewardBenchExport& target, const std::string& model, const std::string& benchmark,
                              const Rows& rows) {
    const auto right = std::count_if(rows.begin(), rows.end(), [](const Row& row) { return pair_result(*row.item) == 1; });
    const std::map<std::string, double> subsets = values_of(benchmark, rows);
    const bool core_set = benchmark.starts_with("rewardbench");
    Json summary = {{"accuracy", static_cast<double>(right) / static_cast<double>(rows.size())},
                    {"num_prompts", rows.size()},
                    {"model", model},
                    {"ref_model", nullptr},
                    {"tokenizer", target.tokenizer},
                    {"chat_template", target.chat_template == "tokenizer" ? Json() : Json(target.chat_template)},
                    {"extra_results", core_set ? Json(subsets) : Json()}};
    write_file_atomic(target.folder / (model + "_outputs.jsonl"), output_lines(rows));
    if (benchmark == "m-rewardbench") {
        summary["subset_results"] = subsets;
        std::string all;
        for (const Row& row : rows)
            all += Json({{"chosen", row.item->scores[0]}, {"rejected", row.item->scores[1]}}).dump() + "\n";
        write_file_atomic(target.folder / (model + "-all.jsonl"), all);
    }
    write_file_atomic(target.folder / (model + ".json"), summary.dump(-1, ' ', true));
}

void write_language(const RewardBenchExport& target, const std::string& model, const std::string& benchmark, const Rows& rows) {
    Rows core;
    Rows prior;
    for (const Row& row : rows) (is_prior_set(row.item->subset) ? prior : core).push_back(row);
    if (!core.empty()) write_sets(target, model, "eval-set", benchmark, core);
    if (!prior.empty()) write_sets(target, model, "pref-sets", benchmark, prior);
    if (pairs_only(rows)) write_command_line_files(target, model, benchmark, rows);
}

}  // namespace

void write_rewardbench_files(const RewardBenchExport& target, const BenchmarkReport& report, std::span<const ScoredItem> items,
                             std::span<const ItemText> texts) {
    assert(items.size() == texts.size());
    std::map<std::string, Rows> languages;
    for (std::size_t i = 0; i < items.size(); ++i) languages[items[i].lang].push_back({&items[i], &texts[i]});
    const bool named = languages.size() > 1 || report.benchmark == "m-rewardbench";
    for (const auto& [lang, rows] : languages)
        write_language(target, named ? target.model + "-" + lang : target.model, report.benchmark, rows);
    write_file_atomic(target.folder / "scores.json", benchmark_json(report).dump(2) + "\n");
}

}  // namespace xlrm
