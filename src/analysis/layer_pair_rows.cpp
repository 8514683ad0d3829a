// LayerPairSums of the pieces of layer_pairs.cpp → rows.
#include "layer_pairs.hpp"
#include "xlrm/stats/gram_pairs.hpp"

namespace xlrm {

namespace {

void add_to(std::vector<double>& sums, const Json& more) {
    const auto values = more.get<std::vector<double>>();
    if (sums.empty()) sums.assign(values.size(), 0.0);
    for (std::size_t i = 0; i < values.size(); ++i) sums[i] += values[i];
}

//! Rows of both tables of one model.
void add_model(const StateInput& input, const std::vector<int>& layers, const std::vector<LayerPairSums>& sums, std::size_t m,
               std::vector<ResultTable>& tables) {
    const StateSet& set = input.set;
    const std::size_t each = layers.size(), places = set.targets.size() * each;
    const std::int64_t n = std::ssize(set.items);
    const auto own = [&](std::size_t model, std::size_t place) { return sums[model].own[place * places + place]; };
    const auto add = [&](ResultTable& table, std::vector<TableValue> who, std::size_t l, std::size_t k, const Estimate& cka) {
        std::vector<TableValue> row = {set.base, set.benchmark, set.models[m].model, set.models[m].source, set.models[m].seed};
        row.insert(row.end(), who.begin(), who.end());
        row.insert(row.end(), {input.capture, std::int64_t{layers[l]}, std::int64_t{layers[k]}, n, cka});
        table.add(std::move(row));
    };
    for (std::size_t t = 0; t < set.targets.size() && set.has_base; ++t) {
        for (std::size_t l = 0; l < each; ++l) {
            for (std::size_t k = 0; k < each; ++k) {
                const std::size_t x = t * each + l, y = t * each + k;
                const double xy = m == 0 ? sums[0].own[x * places + y] : sums[m].base[x * each + k];
                add(tables[0], {set.targets[t]}, l, k, cka_from_hsic(xy, own(0, x), own(m, y), n));
            }
        }
    }
    for (std::size_t t = 0; t < set.targets.size(); ++t) {
        for (std::size_t u = t + 1; u < set.targets.size(); ++u) {
            for (std::size_t l = 0; l < each; ++l) {
                for (std::size_t k = 0; k < each; ++k) {
                    const std::size_t x = t * each + l, y = u * each + k;
                    add(tables[1], {set.targets[t], set.targets[u]}, l, k,
                        cka_from_hsic(sums[m].own[x * places + y], own(m, x), own(m, y), n));
                }
            }
        }
    }
}

}  // namespace

std::vector<ResultTable> layer_pair_tables() {
    const std::string about =
        "cka.linear.debiased (a score; invariant to rotation, scale and translation; columns centred, rows not normalised; "
        "products "
        "in fp32, error about 1e-6) of parallel items, chosen answers. Independent representations give 0. ";
    return {
        {"layer_pairs",
         "Layers of each model against layers of the base",
         about + "layer: of the base; other_layer: of the model, of the base itself too. A block of alike layers computes little "
                 "that the others do not; it does not say what.",
         of_model({{"target", ColumnKind::text},
                   {"capture", ColumnKind::text},
                   {"layer", ColumnKind::count},
                   {"other_layer", ColumnKind::count},
                   {"items", ColumnKind::count, true},
                   {"cka", ColumnKind::number}}),
         {}},
        {"language_layer_pairs",
         "Layers in one language against layers in another, of every model",
         about + "layer: in first_target; other_layer: in second_target. Translated items are alike in form too.",
         of_model({{"first_target", ColumnKind::text},
                   {"second_target", ColumnKind::text},
                   {"capture", ColumnKind::text},
                   {"layer", ColumnKind::count},
                   {"other_layer", ColumnKind::count},
                   {"items", ColumnKind::count, true},
                   {"cka", ColumnKind::number}}),
         {}}};
}

void add_layer_pairs(const StateInput& input, const std::vector<Json>& pieces, std::vector<ResultTable>& tables) {
    std::vector<LayerPairSums> sums(input.set.models.size());
    for (const Json& piece : pieces) {
        for (const auto& [model, part] : piece.items()) {
            add_to(sums[std::stoul(model)].own, part.at("own"));
            add_to(sums[std::stoul(model)].base, part.at("base"));
        }
    }
    const std::vector<int> layers = input.set.layers_of(input.capture);
    for (std::size_t m = 0; m < sums.size(); ++m) add_model(input, layers, sums, m, tables);
}

}  // namespace xlrm
