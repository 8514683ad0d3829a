#include "xlrm/store/states_file.hpp"

#include <cassert>
#include <cstdio>
#include <numeric>

#include "h5_write.hpp"
#include "xlrm/core/file.hpp"

namespace xlrm {
namespace {

constexpr const char* kConventions = "XLRM-states-1";
constexpr std::int64_t kVersion = 1;

std::string layer_name(std::int64_t layer) {
    char name[32];
    std::snprintf(name, sizeof name, "layer_%02lld", static_cast<long long>(layer));
    return name;
}

}  // namespace

void write_states(const std::filesystem::path& path, const States& states) {
    const std::int64_t tokens = std::accumulate(states.row_size.begin(), states.row_size.end(), std::int64_t{0});
    const h5::OutFile file(
        path.string(), (states.hidden.size() * static_cast<std::size_t>(tokens * states.features) + states.logits.size()) * 4);
    h5::OutGroup root = file.root();
    root.attribute("Conventions", kConventions);
    root.attribute("schema_version", kVersion);
    root.attribute("model_sha256", states.model_sha256);
    root.dimension("row", static_cast<std::int64_t>(states.row_size.size()));
    root.dimension("token", tokens);
    root.dataset("row_size", {"row"}, std::span<const std::int32_t>(states.row_size));
    // CF: a contiguous ragged array over the dimension `token`.
    root.describe("row_size", "sample_dimension", "token");
    if (!states.logits.empty()) {
        root.dimension("vocab", states.vocab);
        root.dataset("logits", {"token", "vocab"}, std::span<const float>(states.logits));
    }
    if (!states.score.empty()) root.dataset("score", {"row"}, std::span<const float>(states.score));

    h5::OutGroup hidden = root.group("hidden");
    hidden.dimension("token", tokens);
    hidden.dimension("feature", states.features);
    for (const StatesLayer& layer : states.hidden) {
        assert(static_cast<std::int64_t>(layer.values.size()) == tokens * states.features);
        hidden.dataset(layer_name(layer.layer), {"token", "feature"}, std::span<const float>(layer.values));
    }
    write_file_atomic(path, file.image());
}

}  // namespace xlrm
