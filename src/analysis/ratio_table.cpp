#include "state_parts.hpp"
#include "xlrm/stats/intervals.hpp"
#include "xlrm/stats/singular_ratio.hpp"

namespace xlrm {

namespace {

constexpr RatioVariant kVariants[] = {RatioVariant::raw, RatioVariant::centred, RatioVariant::row_normalised,
                                      RatioVariant::centred_normalised};

EstimateWithInterval clustered(const std::vector<Estimate>& ratios, const std::vector<std::string>& clusters) {
    std::vector<double> values;
    for (const Estimate& ratio : ratios) {
        if (!ratio.defined()) return all_undefined(ratio.why());
        values.push_back(ratio.value());
    }
    const ClusteredMean mean = clustered_mean(values, clusters);
    if (mean.clusters < 2) return {mean.mean, Undefined::one_cluster, Undefined::one_cluster, Undefined::one_cluster};
    return {mean.mean, mean.standard_error, mean.interval.low, mean.interval.high};
}

//! Item by item; the reason of the first that has none.
std::vector<Estimate> differences(const std::vector<Estimate>& of, const std::vector<Estimate>& from) {
    std::vector<Estimate> all;
    for (std::size_t i = 0; i < of.size(); ++i) {
        const bool both = of[i].defined() && from[i].defined();
        all.push_back(both ? Estimate(of[i].value() - from[i].value()) : of[i].defined() ? from[i] : of[i]);
    }
    return all;
}

//! f of every item, by variant.
std::vector<std::vector<Estimate>> ratios_of(const StateInput& input, std::size_t model) {
    std::vector<std::vector<float>> values;
    std::int64_t features = 0;
    for (std::size_t t = 0; t < input.set.targets.size(); ++t)
        values.push_back(input.set.load_floats(model, t, input.capture, input.layer, "chosen", &features));
    const std::vector<std::span<const float>> views(values.begin(), values.end());
    std::vector<std::vector<Estimate>> all;
    for (const RatioVariant variant : kVariants)
        all.push_back(singular_ratios(views, std::ssize(input.set.items), features, variant));
    return all;
}

}  // namespace

std::vector<ResultTable> ratio_tables() {
    return {{"ratios",
             "Singular-value ratio of parallel texts, by layer",
             "f = largest singular value / sum, of the matrix with one row a language (the parallel versions of one item, chosen "
             "answers): 1 "
             "= all languages along one direction, 1/languages = orthogonal. Mean over items, interval clustered by item. "
             "change: the same "
             "minus the base model's, item by item. variant: raw, centred (minus the mean of all items and languages), "
             "row_normalised, "
             "centred_normalised; the published statistic does not say which. A common mean vector alone makes raw f large.",
             of_model({{"capture", ColumnKind::text},
                       {"layer", ColumnKind::count},
                       {"variant", ColumnKind::text},
                       {"items", ColumnKind::count, true},
                       {"f", ColumnKind::number, false, true},
                       {"change", ColumnKind::number, false, true}}),
             {}}};
}

void add_ratios(const StateInput& input, std::vector<ResultTable>& tables) {
    const StateSet& set = input.set;
    if (set.targets.size() < 2) return;
    std::vector<std::vector<Estimate>> base;
    for (std::size_t m = 0; m < set.models.size(); ++m) {
        const StateModel& model = set.models[m];
        const auto ratios = ratios_of(input, m);
        const bool is_base = set.has_base && m == 0;
        if (is_base) base = ratios;
        for (std::size_t v = 0; v < ratios.size(); ++v) {
            const EstimateWithInterval change = is_base || base.empty()
                                                    ? all_undefined(Undefined::not_comparable)
                                                    : clustered(differences(ratios[v], base[v]), set.clusters);
            tables[0].add({set.base, set.benchmark, model.model, model.source, model.seed, input.capture,
                           static_cast<std::int64_t>(input.layer), name_of(kVariants[v]), std::ssize(set.items),
                           clustered(ratios[v], set.clusters), change});
        }
    }
}

void add_ratio_floor(const StateInput& input, ResultTable& table) {
    const StateSet& set = input.set;
    if (set.targets.size() < 2 || set.floor.empty()) return;
    const auto base = ratios_of(input, 0), floor = ratios_of(input, set.models.size());
    for (std::size_t v = 0; v < base.size(); ++v)
        table.add({set.base, set.benchmark, input.capture, static_cast<std::int64_t>(input.layer), name_of(kVariants[v]),
                   std::ssize(set.items), clustered(differences(floor[v], base[v]), set.clusters)});
}

}  // namespace xlrm
