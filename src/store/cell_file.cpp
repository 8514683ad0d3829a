#include "xlrm/store/cell_file.hpp"

#include <algorithm>
#include <numeric>

#include "cell_content.hpp"
#include "cell_layout.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/sha256.hpp"

namespace xlrm {
namespace {

template <class T>
void put(const h5::OutGroup& group, const std::string& name, const std::vector<std::string>& dimensions,
         const std::vector<T>& values) {
    group.dataset(name, dimensions, std::span<const T>(values));
}

std::vector<std::int64_t> numbers_from_zero(std::size_t count) {
    std::vector<std::int64_t> numbers(count);
    std::iota(numbers.begin(), numbers.end(), 0);
    return numbers;
}

void put_attributes(const h5::OutGroup& root, const Cell& cell) {
    root.attribute("Conventions", kCellConventions);
    root.attribute("schema_version", kCellVersion);
    root.attribute("state", "complete");
    root.attribute("model", cell.model);
    root.attribute("source_lang", cell.source_lang);
    root.attribute("target_lang", cell.target_lang);
    root.attribute("seed", cell.seed);
    root.attribute("pooling", cell.pooling);
    root.attribute("head", cell.head);
    root.attribute("template", cell.chat_template);
    root.attribute("template_sha256", cell.template_sha256);
    root.attribute("tokenizer_sha256", cell.tokenizer_sha256);
    root.attribute("model_sha256", cell.model_sha256);
    root.attribute("dtype", cell.dtype);
    root.attribute("xlrm_provenance", cell.provenance.dump());
}

void put_scores(h5::OutGroup scores, const Cell& cell) {
    scores.coordinate("item", std::span<const std::int64_t>(numbers_from_zero(cell.id.size())));
    scores.texts("id", "item", cell.id);
    scores.texts("subset", "item", cell.subset);
    scores.texts("lang", "item", cell.lang);
    put(scores, "chosen_tokens", {"item"}, cell.chosen_tokens);
    put(scores, "rejected_tokens", {"item"}, cell.rejected_tokens);
    put(scores, "occurrence", {"item"}, cell.occurrence);
    scores.describe("occurrence", "long_name", "which of the data's items of this language and id; 0 for the first");
    scores.describe("chosen_tokens", "long_name", "length of the preferred text, prompt included, in tokens");
    scores.describe("rejected_tokens", "long_name", "length of the other text, prompt included, in tokens");
    if (!cell.has_scores) return;
    std::vector<float> margin(cell.chosen.size());
    for (std::size_t i = 0; i < margin.size(); ++i) margin[i] = cell.chosen[i] - cell.rejected[i];
    put(scores, "chosen", {"item"}, cell.chosen);
    put(scores, "rejected", {"item"}, cell.rejected);
    put(scores, "margin", {"item"}, margin);
    scores.describe("chosen", "long_name", "reward of the preferred answer");
    scores.describe("rejected", "long_name", "reward of the other answer");
    scores.describe("margin", "long_name", "chosen - rejected; above zero where the model agrees with the label");
    for (const char* name : {"chosen", "rejected", "margin"}) scores.describe(name, "units", "1");
    if (cell.max_answers <= 2) return;
    scores.dimension("answer", cell.max_answers);
    put(scores, "response", {"item", "answer"}, cell.response);
    put(scores, "num_correct", {"item"}, cell.num_correct);
    scores.describe("response", "long_name", "reward of each answer, right ones first; NaN behind the last");
    scores.describe("num_correct", "long_name", "answers [0, num_correct) are right");
}

void put_head(h5::OutGroup head, const Cell& cell) {
    head.dimension("feature", static_cast<std::int64_t>(std::max(cell.final_norm.size(), cell.head_weight.size())));
    if (!cell.final_norm.empty()) {
        put(head, "final_norm", {"feature"}, cell.final_norm);
        head.attribute("norm_eps", cell.norm_eps);
    }
    if (!cell.head_weight.empty()) put(head, "weight", {"feature"}, cell.head_weight);
}

void put_layer(h5::OutGroup group, const LayerRows& layer, std::size_t items) {
    group.dimension("item", static_cast<std::int64_t>(items));
    group.dimension("feature", layer.features);
    const h5::Type type = h5::type_of(layer.dtype);
    group.dataset("chosen", {"item", "feature"}, type, layer.chosen.read);
    group.dataset("rejected", {"item", "feature"}, type, layer.rejected.read);
}

void put_tokens(h5::OutGroup group, const TokenRows& rows) {
    group.coordinate("item", std::span<const std::int64_t>(rows.item));
    put(group, "row_size", {"item"}, rows.row_size);
    group.describe("row_size", "sample_dimension", "token");
    const std::int64_t tokens = std::accumulate(rows.row_size.begin(), rows.row_size.end(), std::int64_t{0});
    group.dimension("token", tokens);
    group.dimension("feature", rows.features);
    group.dataset("values", {"token", "feature"}, h5::type_of(rows.dtype), rows.values);
}

void put_activations(const h5::OutGroup& activations, const Cell& cell) {
    for (const auto& [capture, layers] : cell.activations) {
        const h5::OutGroup group = activations.group(capture);
        for (const LayerRows& layer : layers) put_layer(group.group(layer_name(layer.layer)), layer, cell.id.size());
    }
    if (cell.token_activations.empty()) return;
    const h5::OutGroup tokens = activations.group("tokens");
    std::map<int, h5::OutGroup> groups;
    for (const auto& [side, layers] : cell.token_activations)
        for (const TokenRows& rows : layers) {
            auto found = groups.find(rows.layer);
            if (found == groups.end()) found = groups.emplace(rows.layer, tokens.group(layer_name(rows.layer))).first;
            put_tokens(found->second.group(side), rows);
        }
}

//! What the finished file takes at most, or nearly so: more is found out by the write that fails.
std::int64_t most_bytes(const Cell& cell) {
    const auto items = static_cast<std::int64_t>(cell.id.size());
    constexpr std::int64_t kItem = 256;  // its numbers, and the places of its texts
    std::int64_t bytes =
        (1 << 20) + items * (kItem + 8 * cell.max_answers) + 2 * static_cast<std::int64_t>(cell.provenance.dump().size());
    for (const auto* texts : {&cell.id, &cell.subset, &cell.lang})
        for (const std::string& text : *texts) bytes += static_cast<std::int64_t>(text.size());
    for (const auto& [capture, layers] : cell.activations)
        for (const LayerRows& layer : layers) bytes += 2 * h5::most_bytes(items, layer.features * dtype_bytes(layer.dtype));
    for (const auto& [side, layers] : cell.token_activations)
        for (const TokenRows& rows : layers) {
            const std::int64_t row_bytes = std::max<std::int64_t>(1, rows.features * dtype_bytes(rows.dtype));
            bytes += h5::most_bytes(static_cast<std::int64_t>(rows.values.size()) / row_bytes, row_bytes);
        }
    return bytes;
}

}  // namespace

RowSource rows_in_memory(std::vector<std::byte> bytes, std::int64_t row_bytes) {
    const std::int64_t rows = row_bytes > 0 ? static_cast<std::int64_t>(bytes.size()) / row_bytes : 0;
    return {rows, [row_bytes, bytes = std::move(bytes)](std::int64_t first, std::span<std::byte> out) {
                std::copy_n(bytes.begin() + first * row_bytes, out.size(), out.begin());
            }};
}

void put_cell(const h5::OutFile& file, const Cell& cell) {
    const h5::OutGroup root = file.root();
    put_attributes(root, cell);
    put_scores(root.group("scores"), cell);
    if (!cell.final_norm.empty() || !cell.head_weight.empty()) put_head(root.group("head"), cell);
    if (!cell.activations.empty() || !cell.token_activations.empty()) put_activations(root.group("activations"), cell);
}

void write_cell(const std::filesystem::path& path, const Cell& cell, const Json& run) {
    check_cell(cell, path.string());
    write_file_atomic(path, [&](const std::filesystem::path& temporary) {
        h5::OutFile file(path.string(), temporary, most_bytes(cell));
        put_cell(file, cell);
        file.close();
        const std::string hash = sha256_file(temporary);
        write_file_atomic(beside_cell(path, ".run.json"), run.dump(2) + "\n");
        write_file_atomic(beside_cell(path, ".sha256"), hash + "  " + path.filename().string() + "\n");
    });
}

}  // namespace xlrm
