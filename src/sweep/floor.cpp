#include "xlrm/sweep/floor.hpp"

#include <algorithm>

#include "xlrm/core/error.hpp"
#include "xlrm/stats/ngram_floor.hpp"
#include "xlrm/text/preference_row.hpp"

namespace xlrm {

namespace {

struct FloorRow {
    std::string id, subset;
    TextPair pair;
};

std::string joined(const std::vector<ChatMessage>& messages) {
    std::string text;
    for (const ChatMessage& message : messages) text += (text.empty() ? "" : "\n") + message.content;
    return text;
}

//! Rows of `langs` in part `part` ("" = all) of the files. Items with more than two answers give the first right against the first wrong.
std::vector<FloorRow> read_rows(const SweepConfig& config, const std::vector<std::string>& files, const std::vector<std::string>& langs,
                                const std::string& part) {
    const Split split(config.split);
    std::vector<FloorRow> rows;
    for (const std::filesystem::path& path : config.data_paths(files)) {
        for_each_row(path, RowKind::preference, "en", [&](std::int64_t, PreferenceRow&& row) {
            if (std::find(langs.begin(), langs.end(), row.lang) == langs.end()) return;
            if (!config.split.empty() && split.part(row.id) != part) return;
            rows.push_back({row.id, row.subset, {joined(row.prompt), row.answers.at(0), row.answers.at(static_cast<std::size_t>(row.num_correct))}});
        });
    }
    return rows;
}

}  // namespace

Json surface_floor(const SweepConfig& config, const Source& source, const std::string& benchmark) {
    std::vector<TextPair> training;
    for (FloorRow& row : read_rows(config, config.train_files, source.langs, "train")) training.push_back(std::move(row.pair));
    if (training.empty()) fail("source " + source.name + ": no training row has its language; see the languages of [data] train");
    const NgramFloor floor(training);
    Json result = {{"source", source.name}, {"benchmark", benchmark}, {"training_pairs", training.size()}};
    for (const std::string& target : config.target_list()) {
        Json entry = {{"id", Json::array()}, {"right", Json::array()}, {"subset", Json::array()}};
        for (const FloorRow& row : read_rows(config, config.benchmarks.at(benchmark), {target}, "test")) {
            const double margin = floor.margin(row.pair);
            entry["id"].push_back(row.id);
            entry["subset"].push_back(row.subset);
            entry["right"].push_back(margin > 0 ? 1.0 : margin == 0 ? 0.5 : 0.0);
        }
        result["targets"][target] = std::move(entry);
    }
    return result;
}

}  // namespace xlrm
