#include <algorithm>

#include "cell_layout.hpp"
#include "h5_read.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/sha256.hpp"
#include "xlrm/store/cell_file.hpp"
#include "xlrm/store/occurrences.hpp"

namespace xlrm {
namespace {

//! The hash that `.sha256` beside the cell holds, "" where it is absent.
std::string recorded_hash(const std::filesystem::path& path) {
    const std::filesystem::path file = beside_cell(path, ".sha256");
    std::error_code error;
    if (!std::filesystem::exists(file, error)) return "";
    const std::string text = read_file(file);
    return text.substr(0, text.find(' '));
}

std::string hash_of(const std::filesystem::path& path, FileHashes* hashes) {
    return hashes != nullptr ? hashes->sha256(path) : sha256_file(path);
}

h5::InFile open_cell(const std::filesystem::path& path) {
    h5::InFile file(path);
    file.require_schema(kCellConventions, kCellVersion);
    return file;
}

template <class T>
std::vector<T> column(const h5::InFile& file, const std::string& path, std::size_t rows) {
    h5::Table<T> table = file.read<T>(path);
    if (table.extents.size() != 1 || table.values.size() != rows)
        fail(file.name() + ":" + path + ": has " + std::to_string(table.values.size()) + " values, /scores/id has " +
             std::to_string(rows));
    return std::move(table.values);
}

std::vector<std::string> texts(const h5::InFile& file, const std::string& path, std::size_t rows) {
    std::vector<std::string> values = file.texts(path);
    if (values.size() != rows)
        fail(file.name() + ":" + path + ": has " + std::to_string(values.size()) + " values, /scores/id has " +
             std::to_string(rows));
    return values;
}

void read_responses(const h5::InFile& file, CellScores& cell) {
    if (!file.contains("/scores/num_correct")) return;
    cell.num_correct = column<std::int32_t>(file, "/scores/num_correct", cell.id.size());
    h5::Table<float> response = file.read<float>("/scores/response");
    if (response.extents.size() != 2 || response.rows() != static_cast<std::int64_t>(cell.id.size()))
        fail(file.name() + ":/scores/response: has other rows than /scores/id");
    cell.max_answers = response.extents[1];
    cell.response = std::move(response.values);
}

void read_head(const h5::InFile& file, CellScores& cell) {
    if (!file.contains("/head")) return;
    if (file.contains("/head/final_norm")) {
        cell.final_norm = file.read<float>("/head/final_norm").values;
        const Json attributes = file.attributes("/head");
        if (!attributes.contains("norm_eps")) fail(file.name() + ":/head: the attribute norm_eps is missing");
        cell.norm_eps = attributes["norm_eps"].get<double>();
    }
    if (file.contains("/head/weight")) cell.head_weight = file.read<float>("/head/weight").values;
}

void read_occurrences(const h5::InFile& file, CellScores& cell) {
    if (file.contains("/scores/occurrence")) {
        cell.occurrence = column<std::int32_t>(file, "/scores/occurrence", cell.id.size());
        return;
    }
    Occurrences counted;
    for (std::size_t i = 0; i < cell.id.size(); ++i) cell.occurrence.push_back(counted.next(cell.lang[i], cell.id[i]));
}

Json attributes_of(const h5::InFile& file) {
    Json attributes = file.attributes();
    if (attributes.contains("xlrm_provenance"))
        attributes["xlrm_provenance"] =
            parse_json(attributes["xlrm_provenance"].get<std::string>(), file.name() + ", attribute xlrm_provenance");
    return attributes;
}

}  // namespace

Json read_cell_attributes(const std::filesystem::path& path) { return attributes_of(open_cell(path)); }

CellScores read_cell_scores(const std::filesystem::path& path, FileHashes* hashes) {
    const std::string recorded = recorded_hash(path);
    if (!recorded.empty() && recorded != hash_of(path, hashes))
        fail(path.string() + ": differs from its SHA-256 in " + beside_cell(path, ".sha256").string() +
             " (damaged, or changed after it was written) remove it and run the sweep again");
    const h5::InFile file = open_cell(path);
    CellScores cell;
    cell.attributes = attributes_of(file);
    if (cell.attributes.value("state", Json()) != Json("complete")) fail(file.name() + ": the cell is not complete");
    cell.id = file.texts("/scores/id");
    const std::size_t rows = cell.id.size();
    cell.subset = texts(file, "/scores/subset", rows);
    cell.lang = texts(file, "/scores/lang", rows);
    read_occurrences(file, cell);
    cell.chosen_tokens = column<std::int32_t>(file, "/scores/chosen_tokens", rows);
    cell.rejected_tokens = column<std::int32_t>(file, "/scores/rejected_tokens", rows);
    cell.has_scores = file.contains("/scores/chosen");
    if (cell.has_scores) {
        cell.chosen = column<float>(file, "/scores/chosen", rows);
        cell.rejected = column<float>(file, "/scores/rejected", rows);
        read_responses(file, cell);
    }
    check_scores(cell, file.name());
    read_head(file, cell);
    return cell;
}

void read_cell_activations(const std::filesystem::path& path, const std::string& capture, int layer, const std::string& side,
                           ActivationBuffer& buffer, std::int64_t rows) {
    const h5::InFile file = open_cell(path);
    const std::string name = "/activations/" + capture + "/" + layer_name(layer) + "/" + side;
    h5::Table<float> table{std::move(buffer.values), {}};
    file.read_into(name, table, buffer.bits, rows);
    const std::int64_t items = file.read<std::int32_t>("/scores/chosen_tokens").rows();
    if (table.extents.size() != 2 || table.rows() != items)
        fail(file.name() + ":" + name + ": is not (item, feature) with the " + std::to_string(items) + " items of /scores");
    buffer.features = table.extents[1];
    buffer.values = std::move(table.values);
}

std::vector<float> read_cell_activations(const std::filesystem::path& path, const std::string& capture, int layer,
                                         const std::string& side, std::int64_t* features) {
    ActivationBuffer buffer;
    read_cell_activations(path, capture, layer, side, buffer);
    if (features != nullptr) *features = buffer.features;
    return std::move(buffer.values);
}

std::map<std::string, std::vector<int>> cell_layers(const std::filesystem::path& path) {
    const h5::InFile file = open_cell(path);
    std::map<std::string, std::vector<int>> result;
    if (!file.contains("/activations")) return result;
    for (const std::string& capture : file.members("/activations")) {
        if (capture == "tokens") continue;
        std::vector<int>& layers = result[capture];
        for (const std::string& name : file.members("/activations/" + capture))
            if (const int layer = layer_number(name); layer >= 0) layers.push_back(layer);
        std::sort(layers.begin(), layers.end());
    }
    return result;
}

TokenActivations read_cell_tokens(const std::filesystem::path& path, int layer, const std::string& side) {
    const h5::InFile file = open_cell(path);
    const std::string group = "/activations/tokens/" + layer_name(layer) + "/" + side;
    TokenActivations result;
    result.item = file.read<std::int64_t>(group + "/item").values;
    result.row_size = file.read<std::int32_t>(group + "/row_size").values;
    h5::Table<float> values = file.read<float>(group + "/values");
    std::int64_t tokens = 0;
    for (const std::int32_t size : result.row_size) {
        if (size < 0) fail(file.name() + ":" + group + "/row_size: holds a negative number");
        tokens += size;
    }
    const std::int64_t items = file.read<std::int32_t>("/scores/chosen_tokens").rows();
    for (const std::int64_t item : result.item)
        if (item < 0 || item >= items)
            fail(file.name() + ":" + group + "/item: names row " + std::to_string(item) + ", which /scores does not have");
    if (values.extents.size() != 2 || values.rows() != tokens || result.item.size() != result.row_size.size())
        fail(file.name() + ":" + group + ": item, row_size and values do not agree");
    result.features = values.extents[1];
    result.values = std::move(values.values);
    return result;
}

bool cell_verifies(const std::filesystem::path& path, FileHashes* hashes) {
    try {
        const std::string recorded = recorded_hash(path);
        std::error_code error;
        return !recorded.empty() && std::filesystem::is_regular_file(path, error) && recorded == hash_of(path, hashes);
    } catch (const std::exception&) {
        return false;
    }
}

}  // namespace xlrm
