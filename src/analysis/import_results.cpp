#include "xlrm/analysis/import_results.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <map>
#include <memory>
#include <span>

#include "foreign_results.hpp"
#include "model_names.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file_hashes.hpp"
#include "xlrm/core/json.hpp"
#include "xlrm/eval/benchmark.hpp"
#include "xlrm/store/cell_file.hpp"
#include "xlrm/store/occurrences.hpp"

namespace xlrm {

namespace {

namespace fs = std::filesystem;

//! The best right and the best wrong score of an item, of which float32 must not change the order.
std::pair<float, float> best_of(const fs::path& file, const ForeignScores& scores, std::size_t i) {
    const auto& all = scores.scores[i];
    const auto middle = all.begin() + scores.num_correct[i];
    const double right = *std::max_element(all.begin(), middle), wrong = *std::max_element(middle, all.end());
    const auto chosen = static_cast<float>(right), rejected = static_cast<float>(wrong);
    if ((right > wrong) != (chosen > rejected) || (right < wrong) != (chosen < rejected))
        fail(file.string() + ": the scores of item '" + scores.id[i] +
             "' are so near that float32, in which cells keep them, cannot tell them apart; subtract a common number from all "
             "scores");
    return {chosen, rejected};
}

void add_items(const ForeignPart& part, const std::string& lang, Cell* cell) {
    const ForeignScores& scores = *part.scores;
    Occurrences counted;
    for (std::size_t i = 0; i < scores.id.size(); ++i) {
        const auto [chosen, rejected] = best_of(part.files.front(), scores, i);
        cell->id.push_back(scores.id[i]);
        cell->subset.push_back(scores.subset[i]);
        cell->chosen.push_back(chosen);
        cell->rejected.push_back(rejected);
        cell->occurrence.push_back(counted.next(lang, scores.id[i]));
        cell->max_answers = std::max<std::int64_t>(cell->max_answers, std::ssize(scores.scores[i]));
    }
    if (cell->max_answers == 2) return;
    for (std::size_t i = 0; i < scores.id.size(); ++i) {
        for (std::int64_t k = 0; k < cell->max_answers; ++k)
            cell->response.push_back(k < std::ssize(scores.scores[i])
                                         ? static_cast<float>(scores.scores[i][static_cast<std::size_t>(k)])
                                         : std::numeric_limits<float>::quiet_NaN());
        cell->num_correct.push_back(scores.num_correct[i]);
    }
}

//! For each item of the cell its row in the states.
std::vector<std::size_t> rows_of(const Cell& cell, const ForeignStates& states, const fs::path& file) {
    std::map<std::string, std::size_t> place;
    for (std::size_t i = 0; i < states.id.size(); ++i) place[states.id[i]] = i;
    std::vector<std::size_t> rows;
    for (std::size_t i = 0; i < cell.id.size(); ++i) {
        const auto found = place.find(cell.id[i]);
        if (found == place.end() || cell.occurrence[i] > 0)
            fail(file.string() + ": has no states of the item '" + cell.id[i] + "'" +
                 (cell.occurrence[i] > 0 ? " that comes again" : "") +
                 ", which has scores; give states of every item, or scores of those alone that have states");
        rows.push_back(found->second);
    }
    return rows;
}

RowSource side_of(std::shared_ptr<const ForeignStates> states, std::vector<std::size_t> rows, int layer, std::string side) {
    const auto items = static_cast<std::int64_t>(rows.size());
    const auto width = static_cast<std::size_t>(states->features);
    auto values = std::make_shared<std::vector<float>>();
    return {items, [=, states = std::move(states), rows = std::move(rows), side = std::move(side)](std::int64_t first,
                                                                                                   std::span<std::byte> out) {
                if (values->empty()) *values = states->read(layer, side);
                const std::size_t count = out.size() / (width * sizeof(float));
                for (std::size_t i = 0; i < count; ++i)
                    std::memcpy(out.data() + i * width * sizeof(float),
                                values->data() + rows[static_cast<std::size_t>(first) + i] * width, width * sizeof(float));
                if (first + static_cast<std::int64_t>(count) == items) *values = {};
            }};
}

void add_layers(const ForeignPart& part, Cell* cell) {
    const std::vector<std::size_t> rows = rows_of(*cell, *part.states, part.files.back());
    const auto states = std::make_shared<const ForeignStates>(*part.states);
    for (const int layer : states->layers)
        cell->activations["last"].push_back({layer, DType::f32, states->features, side_of(states, rows, layer, "chosen"),
                                             side_of(states, rows, layer, "rejected")});
}

Cell cell_of_part(const std::string& model, const std::string& lang, const ForeignPart& part) {
    Cell cell;
    cell.model = model;
    if (const auto name = trained_model(model)) {
        cell.source_lang = name->source;
        cell.seed = name->seed;
    }
    cell.target_lang = lang;
    cell.pooling = "imported";
    cell.has_scores = part.scores.has_value();
    cell.head = cell.has_scores ? "imported" : "none";
    cell.chat_template = cell.has_scores ? part.scores->chat_template : "";
    cell.dtype = "unknown";
    if (cell.has_scores) {
        add_items(part, lang, &cell);
    } else {
        cell.id = part.states->id;
        cell.subset = part.states->subset;
        cell.subset.resize(cell.id.size());
        cell.occurrence.assign(cell.id.size(), 0);
    }
    cell.lang.assign(cell.id.size(), lang);
    cell.chosen_tokens.assign(cell.id.size(), 0);
    cell.rejected_tokens.assign(cell.id.size(), 0);
    if (part.states) add_layers(part, &cell);
    Json inputs = Json::object();
    FileHashes hashes;
    for (const fs::path& file : part.files) inputs[file.filename().string()] = hashes.sha256(file);
    cell.provenance = {{"imported", cell.has_scores ? part.scores->form : "hidden states"},
                       {"inputs", {{"input_sha256", inputs}}}};
    if (cell.has_scores && part.scores->verdicts) cell.provenance["verdicts"] = true;
    return cell;
}

std::string benchmark_of(const Cell& cell) {
    const std::string rule = recognised_benchmark(scored_items(cell));
    return rule == "plain" ? "imported" : rule == "m-rewardbench" ? "rewardbench" : rule;
}

std::string line_of(const Cell& cell, const ForeignPart& part, const std::string& place) {
    std::string line = place + ": " + std::to_string(cell.id.size()) + " items";
    if (cell.has_scores) line += ", " + part.scores->form;
    if (part.states) line += ", states of " + std::to_string(part.states->layers.size()) + " layers";
    return line;
}

}  // namespace

std::vector<std::string> import_results(const ImportOptions& options, const fs::path& folder, bool write) {
    const ForeignParts parts = read_foreign_results(options.files);
    std::vector<std::pair<std::string, Cell>> cells;
    std::vector<std::string> lines;
    std::string benchmark = options.benchmark;  // of states alone: that of the first scores
    for (const auto& [key, part] : parts)
        if (benchmark.empty() && part.scores) benchmark = benchmark_of(cell_of_part(key.first, key.second, part));
    for (const auto& [key, part] : parts) {
        Cell cell = cell_of_part(key.first, key.second, part);
        const bool known = options.benchmark.empty() && cell.has_scores;
        const std::string name = known ? benchmark_of(cell) : benchmark.empty() ? "imported" : benchmark;
        const std::string place = std::string(kImported) + "/" + key.first + "/" + name + "." + key.second + ".h5";
        lines.push_back(line_of(cell, part, place));
        cells.emplace_back(place, std::move(cell));
    }
    for (const auto& [place, cell] : cells)
        if (write) write_cell(folder / place, cell, {{"imported", true}});
    return lines;
}

}  // namespace xlrm
