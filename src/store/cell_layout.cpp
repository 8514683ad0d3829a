#include "cell_layout.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <span>

#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

void check_size(const std::string& name, const std::string& array, std::size_t found, std::size_t expected) {
    if (found != expected)
        fail(name + ": " + array + " has " + std::to_string(found) + " values, expected " + std::to_string(expected));
}

void check_finite(const std::vector<std::string>& id, const std::string& name, const std::string& array,
                  const std::vector<float>& scores) {
    for (std::size_t i = 0; i < scores.size(); ++i)
        if (!std::isfinite(scores[i]))
            fail(name + ": the score '" + array + "' of item '" + id[i] + "' is " + std::to_string(scores[i]) +
                 " (the model diverged, or its activations overflow) check the model, or use --dtype fp32");
}

//! A row of /scores/response: finite scores, then NaN alone.
void check_responses(std::span<const float> scores, std::int32_t num_correct, const std::string& item) {
    const auto end = std::ranges::find_if(scores, [](float score) { return std::isnan(score); });
    const auto answers = end - scores.begin();
    const bool finite = std::all_of(scores.begin(), end, [](float score) { return std::isfinite(score); });
    if (!finite || !std::all_of(end, scores.end(), [](float score) { return std::isnan(score); }))
        fail(item +
             ": its scores in /scores/response are not finite, or not one after another (NaN stands after the last alone)");
    if (num_correct < 1 || num_correct >= answers)
        fail(item + ": " + std::to_string(num_correct) + " of its " + std::to_string(answers) +
             " scored answers are right (/scores/num_correct), so there is nothing to compare");
}

void check_activations(const Cell& cell, const std::string& name) {
    for (const auto& [capture, layers] : cell.activations) {
        if (capture == "tokens") fail(name + ": 'tokens' is no name of a pooled capture");
        for (const LayerRows& layer : layers) {
            const std::string place = "/activations/" + capture + "/" + layer_name(layer.layer);
            check_size(name, place + "/chosen (rows)", static_cast<std::size_t>(layer.chosen.rows), cell.id.size());
            check_size(name, place + "/rejected (rows)", static_cast<std::size_t>(layer.rejected.rows), cell.id.size());
        }
    }
    for (const auto& [side, layers] : cell.token_activations) {
        if (side != "chosen" && side != "rejected") fail(name + ": token capture of '" + side + "', which is no side of a pair");
        for (const TokenRows& rows : layers) {
            const std::string place = "/activations/tokens/" + layer_name(rows.layer) + "/" + side;
            check_size(name, place + "/row_size", rows.row_size.size(), rows.item.size());
            const std::int64_t tokens = std::accumulate(rows.row_size.begin(), rows.row_size.end(), std::int64_t{0});
            check_size(name, place + "/values (bytes)", rows.values.size(),
                       static_cast<std::size_t>(tokens * rows.features * dtype_bytes(rows.dtype)));
            for (const std::int64_t item : rows.item)
                if (item < 0 || item >= static_cast<std::int64_t>(cell.id.size()))
                    fail(name + ": " + place + "/item names row " + std::to_string(item) + ", which /scores does not have");
        }
    }
}

}  // namespace

template <class AnyCell>
void check_scores(const AnyCell& cell, const std::string& name) {
    const std::size_t items = cell.id.size();
    check_size(name, "subset", cell.subset.size(), items);
    check_size(name, "lang", cell.lang.size(), items);
    check_size(name, "occurrence", cell.occurrence.size(), items);
    check_size(name, "chosen_tokens", cell.chosen_tokens.size(), items);
    check_size(name, "rejected_tokens", cell.rejected_tokens.size(), items);
    const std::size_t scored = cell.has_scores ? items : 0;
    check_size(name, "chosen", cell.chosen.size(), scored);
    check_size(name, "rejected", cell.rejected.size(), scored);
    check_finite(cell.id, name, "chosen", cell.chosen);
    check_finite(cell.id, name, "rejected", cell.rejected);
    const bool many = cell.max_answers > 2;
    const auto width = static_cast<std::size_t>(cell.max_answers);
    check_size(name, "num_correct", cell.num_correct.size(), many ? scored : 0);
    check_size(name, "response", cell.response.size(), many ? scored * width : 0);
    for (std::size_t i = 0; many && i < scored; ++i)
        check_responses(std::span(cell.response).subspan(i * width, width), cell.num_correct[i],
                        name + ": item '" + cell.id[i] + "'");
}

template void check_scores(const Cell&, const std::string&);
template void check_scores(const CellScores&, const std::string&);

std::string layer_name(int layer) {
    char text[32];
    std::snprintf(text, sizeof text, "layer_%02d", layer);
    return text;
}

int layer_number(const std::string& name) {
    constexpr std::string_view kPrefix = "layer_";
    if (!name.starts_with(kPrefix)) return -1;
    int number = -1;
    const char* end = name.data() + name.size();
    const auto [stop, error] = std::from_chars(name.data() + kPrefix.size(), end, number);
    return error == std::errc() && stop == end ? number : -1;
}

std::filesystem::path beside_cell(const std::filesystem::path& cell, const std::string& extension) {
    std::filesystem::path result = cell;
    return result.replace_extension(extension);
}

void check_cell(const Cell& cell, const std::string& name) {
    check_scores(cell, name);
    check_activations(cell, name);
    if (!cell.final_norm.empty() && !cell.head_weight.empty())
        check_size(name, "/head/weight", cell.head_weight.size(), cell.final_norm.size());
}

}  // namespace xlrm
