#include "state_cost.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>

#include "layer_pairs.hpp"
#include "settings.hpp"

namespace xlrm {

namespace {

constexpr double kDecomposition = 10.0;  // operations of singular values or eigenvectors of a matrix, over its size cubed: they
                                         // reach less than half the rate of products, which is counted in
constexpr double kShuffle = 4.0;         // of one entry of a kernel in a shuffled product, likewise

//! Sizes of one layer, as numbers to multiply.
struct Sizes {
    explicit Sizes(const StateSet& set) {
        StateBuffer buffer;
        set.load_floats(0, 0, set.layers.front().first, set.layers.front().second, "chosen", buffer, 1);
        items = static_cast<double>(set.items.size());
        features = static_cast<double>(buffer.read.features);
        rank = std::min(items, features);
        layers = static_cast<double>(set.layers.size());
        const auto models = static_cast<double>(set.models.size()), targets = static_cast<double>(set.targets.size());
        const double moved = set.has_base ? models - 1.0 + static_cast<double>(set.floor.size()) : 0.0;
        language_pairs = targets * (targets - 1.0) / 2.0;
        sides = (models + static_cast<double>(set.floor.size())) * targets;
        all_pairs = models * language_pairs;
        of_base = moved * targets;
        scopes = set.several_subsets() ? 2.0 : 1.0;
        kept = targets;
        kernel = 2.0 * items * items * features;
        cross = 2.0 * items * features * rank;
        decomposition = kDecomposition * rank * rank * rank;
    }
    double items, features, rank, layers, language_pairs, sides, all_pairs, of_base, scopes, kept;
    double kernel, cross, decomposition;  //!< operations
};

double similarity_operations(const Sizes& s) {
    const double some = s.of_base + s.language_pairs, core = s.of_base + s.all_pairs;  // pairs of sides
    const double permutations = s.items > 300.0 ? 19.0 : 99.0, squares = s.items * s.items;
    const double kernels = (5.0 + 2.0 * (s.scopes - 1.0)) * s.sides * s.kernel;
    const double shuffles = (core + 3.0 * some + (s.scopes - 1.0) * some) * permutations * kShuffle * squares;
    const double procrustes = (core + (s.scopes - 1.0) * some) * (s.cross + s.decomposition);
    const double principal = s.sides * (s.cross + s.decomposition) + some * (s.cross + s.decomposition) / 4.0;
    const bool weighted = s.items - 1.0 >= 2.0 * s.features;
    return kernels + shuffles + procrustes + principal +
           (weighted ? (2.0 * s.sides + some) * s.cross + 2.0 * some * s.decomposition : 0.0);
}

}  // namespace

StateCost state_cost(const StateSet& set, const std::string& part) {
    if (set.layers.empty() || set.models.empty()) return {};
    const Sizes s(set);
    const double states = 8.0 * s.items * s.features, kernel = 8.0 * s.items * s.items;
    const double pairs = part == "alignment" ? 3.0 * s.all_pairs : part == "subspace" ? 2.0 * s.all_pairs : 0.0;
    StateCost cost{s.layers * s.sides * s.items * s.features, 4.0 * states};
    const auto add = [&](double operations, double bytes) {
        cost.operations += s.layers * operations;
        cost.bytes += bytes;
    };
    const double kernels = s.items <= static_cast<double>(kMostItems) ? 1.0 : 0.0;
    if (part == "similarity") add(similarity_operations(s), 2.0 * s.kept * std::max(kernel, states) + 3.0 * kernel);
    if (part == "geometry") add(s.sides * (s.cross + s.decomposition), 2.0 * states);
    if (part == "shift") add(2.0 * s.sides * s.kernel, kernels * 6.0 * kernel);
    if (part == "alignment") add(2.0 * s.sides * s.kernel + pairs * s.kernel, s.kept * (2.0 * states + 2.0 * kernels * kernel));
    if (part == "subspace") add(pairs * (s.kernel + s.cross) + 2.0 * s.sides * s.cross, 5.0 * s.kept * states);
    if (part != "layer_pairs") return cost;
    std::set<std::string> captures;
    for (const auto& [capture, layer] : set.layers) captures.insert(capture);
    for (const std::string& capture : captures) cost.operations += layer_pair_operations({set, capture, -1});
    cost.bytes += kMostPanelBytes;
    return cost;
}

std::string text_of(const StateCost& cost) {
    constexpr double kRate = 20e9;
    char text[160];
    const double hours = cost.operations / kRate / 3600.0;
    std::snprintf(text, sizeof text, "about %.1e operations (%.*f %s of one core at 20 GFLOP/s) and %.0f MB on a rank",
                  cost.operations, hours < 1.0 ? 0 : 1, hours < 1.0 ? std::ceil(60.0 * hours) : hours,
                  hours < 1.0 ? "minutes" : "hours", std::ceil(cost.bytes / 1e6));
    return text;
}

}  // namespace xlrm
