#pragma once

#include <cstddef>
#include <cstring>
#include <vector>

#include "analysis/planted.hpp"

namespace xlrm::test {

//! States of some items, (item, feature).
struct States {
    std::size_t items = 0, features = 0;
    std::vector<float> values;
    float& at(std::size_t item, std::size_t feature) { return values[item * features + feature]; }
    float at(std::size_t item, std::size_t feature) const { return values[item * features + feature]; }
};

inline States random_states(std::size_t items, std::size_t features, std::uint64_t seed) {
    Random random(seed);
    States out{items, features, std::vector<float>(items * features)};
    for (float& value : out.values) value = static_cast<float>(random.normal());
    return out;
}

//! Features in reverse order with alternating signs: a rotation (or reflection).
inline States turned(const States& states) {
    States out = states;
    for (std::size_t i = 0; i < states.items; ++i)
        for (std::size_t k = 0; k < states.features; ++k)
            out.at(i, k) = (k % 2 == 0 ? 1.0F : -1.0F) * states.at(i, states.features - 1 - k);
    return out;
}

inline States moved(const States& states, float by) {
    States out = states;
    for (float& value : out.values) value += by;
    return out;
}

//! Noise of this size on every value.
inline States blurred(const States& states, float by, std::uint64_t seed) {
    States out = states, noise = random_states(states.items, states.features, seed);
    for (std::size_t i = 0; i < out.values.size(); ++i) out.values[i] += by * noise.values[i];
    return out;
}

inline LayerRows layer_of(int layer, const States& chosen, const States& rejected) {
    const auto source = [](const States& states) {
        std::vector<std::byte> bytes(states.values.size() * sizeof(float));
        std::memcpy(bytes.data(), states.values.data(), bytes.size());
        return rows_in_memory(std::move(bytes), static_cast<std::int64_t>(states.features * sizeof(float)));
    };
    return {layer, DType::f32, static_cast<std::int64_t>(chosen.features), source(chosen), source(rejected)};
}

//! A base model's cell without activations.
inline Cell base_cell(const std::string& target, std::size_t items) {
    Cell cell;
    cell.model = "b";
    cell.target_lang = target;
    cell.pooling = "last";
    cell.head = "none";
    cell.dtype = "fp32";
    cell.provenance = Json::object();
    cell.has_scores = false;
    for (std::size_t i = 0; i < items; ++i) cell.id.push_back("q-" + std::to_string(i));
    cell.subset.assign(items, "s");
    cell.lang.assign(items, target);
    cell.occurrence.assign(items, 0);
    cell.chosen_tokens.assign(items, 5);
    cell.rejected_tokens.assign(items, 6);
    return cell;
}

}  // namespace xlrm::test
