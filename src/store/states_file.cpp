#include "xlrm/store/states_file.hpp"

#include <numeric>

#include "cell_layout.hpp"
#include "h5_read.hpp"
#include "h5_write.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"

namespace xlrm {
namespace {

constexpr const char* kStatesConventions = "XLRM-states-1";
constexpr std::int64_t kStatesVersion = 1;

std::int64_t tokens_of(const States& states) {
    return std::accumulate(states.row_size.begin(), states.row_size.end(), std::int64_t{0});
}

std::vector<float> matrix(const h5::InFile& file, const std::string& path, std::int64_t rows, std::int64_t* columns) {
    h5::Table<float> table = file.read<float>(path);
    if (table.extents.size() != 2 || table.rows() != rows)
        fail(file.name() + ":" + path + ": its rows are not those of /row_size");
    *columns = table.extents[1];
    return std::move(table.values);
}

}  // namespace

void write_states(const std::filesystem::path& path, const States& states) {
    const h5::OutFile file(path.string(), states.logits.size() * sizeof(float));
    h5::OutGroup root = file.root();
    root.attribute("Conventions", kStatesConventions);
    root.attribute("schema_version", kStatesVersion);
    root.dimension("row", static_cast<std::int64_t>(states.row_size.size()));
    root.dataset("row_size", {"row"}, std::span<const std::int32_t>(states.row_size));
    root.describe("row_size", "sample_dimension", "token");
    if (states.labels > 1) root.dimension("label", states.labels);
    const std::vector<std::string> score =
        states.labels > 1 ? std::vector<std::string>{"row", "label"} : std::vector<std::string>{"row"};
    if (!states.score.empty()) root.dataset("score", score, std::span<const float>(states.score));
    root.dimension("token", tokens_of(states));
    if (!states.logits.empty()) {
        root.dimension("vocab", states.vocab);
        root.dataset("logits", {"token", "vocab"}, std::span<const float>(states.logits));
    }
    h5::OutGroup hidden = root.group("hidden");
    hidden.dimension("token", tokens_of(states));
    hidden.dimension("feature", states.features);
    for (const auto& [layer, values] : states.hidden)
        hidden.dataset(layer_name(layer), {"token", "feature"}, std::span<const float>(values));
    write_file_atomic(path, file.image());
}

States read_states(const std::filesystem::path& path) {
    const h5::InFile file(path);
    file.require_schema(kStatesConventions, kStatesVersion);
    States states;
    states.row_size = file.read<std::int32_t>("/row_size").values;
    for (const std::int32_t size : states.row_size)
        if (size < 0) fail(file.name() + ":/row_size: holds a negative number");
    const std::int64_t tokens = tokens_of(states);
    for (const std::string& name : file.members("/hidden"))
        if (const int layer = layer_number(name); layer >= 0)
            states.hidden[layer] = matrix(file, "/hidden/" + name, tokens, &states.features);
    if (file.contains("/logits")) states.logits = matrix(file, "/logits", tokens, &states.vocab);
    if (file.contains("/label")) {
        states.score = matrix(file, "/score", static_cast<std::int64_t>(states.row_size.size()), &states.labels);
    } else if (file.contains("/score")) {
        states.score = file.read<float>("/score").values;
    }
    return states;
}

}  // namespace xlrm
