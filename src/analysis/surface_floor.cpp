#include "xlrm/analysis/surface_floor.hpp"

#include "xlrm/core/error.hpp"
#include "xlrm/data/prepare.hpp"
#include "xlrm/stats/ngram_floor.hpp"
#include "xlrm/store/occurrences.hpp"

namespace xlrm {

namespace {

struct FloorRow {
    std::string id, subset;
    std::int32_t occurrence = 0;
    TextPair pair;
};

std::string joined(const std::vector<ChatMessage>& messages) {
    std::string text;
    for (const ChatMessage& message : messages) {
        text += (text.empty() ? "" : "\n") + message.content;
        if (message.fields.contains("tool_calls")) text += message.fields.at("tool_calls").dump();
    }
    return text;
}

std::vector<FloorRow> read_pairs(const PrepareOptions& options) {
    std::vector<FloorRow> rows;
    Occurrences counted;
    read_rows(options, [&](std::int64_t, PreferenceRow&& row) {
        const RowAnswer& wrong = row.answers.at(static_cast<std::size_t>(row.num_correct));
        rows.push_back({row.id,
                        row.subset,
                        counted.next(row.lang, row.id),
                        {joined(row.prompt), joined(row.answers.at(0).turns), joined(wrong.turns)}});
    });
    return rows;
}

}  // namespace

Json surface_floor(const FloorRequest& request) {
    std::vector<TextPair> training;
    for (FloorRow& row : read_pairs(request.training)) training.push_back(std::move(row.pair));
    if (training.empty()) {
        fail("source " + request.source + ": no training row has its language; see the languages of [data] train");
    }
    const NgramFloor floor(training);
    Json result = {{"source", request.source}, {"benchmark", request.benchmark}, {"training_pairs", training.size()}};
    for (const FloorRequest::Target& target : request.targets) {
        Json entry = {{"id", Json::array()}, {"occurrence", Json::array()}, {"right", Json::array()}, {"subset", Json::array()}};
        for (const FloorRow& row : read_pairs(target.rows)) {
            const double margin = floor.margin(row.pair);
            entry["id"].push_back(row.id);
            entry["occurrence"].push_back(row.occurrence);
            entry["subset"].push_back(row.subset);
            entry["right"].push_back(margin > 0 ? 1.0 : margin == 0 ? 0.5 : 0.0);
        }
        result["targets"][target.name] = std::move(entry);
    }
    return result;
}

}  // namespace xlrm
