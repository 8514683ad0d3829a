#include <limits>

#include "parts.hpp"
#include "xlrm/stats/detectable_gap.hpp"
#include "xlrm/stats/holm.hpp"

namespace xlrm {

namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

//! One comparison: `source` against `reference` on a target.
struct Comparison {
    const TargetScores* target;
    const Category* category;
    std::string source, reference, kind;
};

//! (A[s,t] − ½) / (A[t,t] − ½): the share of the own model's gain over chance that the other one has.
EstimateWithInterval relative_transfer(const Resampled& resampled, std::int64_t source, std::int64_t own) {
    if (resampled.accuracy(own).value.value_or(0.0) <= 0.5) return all_undefined(Undefined::at_chance);
    const auto s = static_cast<std::size_t>(source), t = static_cast<std::size_t>(own);
    return resampled.derive(
        [s, t](std::span<const double> values) { return values[t] > 0.5 ? (values[s] - 0.5) / (values[t] - 0.5) : kNone; });
}

std::vector<TableValue> row_of(const PartInput& input, const Comparison& c, const Estimate& p, const Estimate& holm,
                               std::int64_t family) {
    const Resampled& resampled = input.resampled;
    const std::int64_t first = resampled.find(c.source, c.target->target, c.category->name),
                       second = resampled.find(c.reference, c.target->target, c.category->name);
    EstimateWithInterval gap = all_undefined(Undefined::missing_cell);
    EstimateWithInterval percentile = gap, relative = all_undefined(Undefined::no_rule);
    Estimate detectable = Undefined::missing_cell;
    if (!c.category->resampled) gap = percentile = all_undefined(Undefined::no_rule);
    if (first >= 0 && second >= 0) {
        gap = resampled.difference(first, second);
        percentile = resampled.difference(first, second, IntervalKind::percentile);
        const double error = gap.standard_error.value_or(0.0);
        detectable = error > 0.0 ? Estimate(detectable_gap(error)) : Estimate(Undefined::no_variation);
        if (c.kind == "own") relative = relative_transfer(resampled, first, second);
    }
    return {input.set.base,
            input.set.benchmark,
            c.category->name,
            c.kind,
            c.source,
            c.reference,
            c.target->target,
            category_items(*c.target, *c.category),
            c.target->cluster_count(),
            gap,
            percentile.low,
            percentile.high,
            p,
            holm,
            family,
            detectable,
            relative};
}

}  // namespace

std::vector<ResultTable> gap_tables() {
    return {
        {"gaps",
         "Gap of each model to the target's own model and to the English one",
         "gap: accuracy of source minus that of compared_with on the same items of target, in points, mean over seeds, BCa "
         "interval "
         "of the cluster bootstrap. kind own: compared_with was trained on the target; english: on English. p: exact, two-sided, "
         "by "
         "random signs of the clusters' differences of strict correctness (one item a cluster and one seed: McNemar's exact "
         "test); "
         "weighted categories have none (their interval tells). p_holm: adjusted within the family of all rows of the same base, "
         "benchmark, category and kind. detectable: the true gap that such data find with 80 % power at 5 %. relative: (A[s,t] − "
         "½) / "
         "(A[t,t] − ½). Intervals are over items; one seed says nothing about other seeds.",
         {{"base", ColumnKind::text},
          {"benchmark", ColumnKind::text},
          {"category", ColumnKind::text},
          {"kind", ColumnKind::text},
          {"source", ColumnKind::text},
          {"compared_with", ColumnKind::text},
          {"target", ColumnKind::text},
          {"items", ColumnKind::count},
          {"clusters", ColumnKind::count, true},
          {"gap", ColumnKind::points, false, true},
          {"percentile_low", ColumnKind::points, true},
          {"percentile_high", ColumnKind::points, true},
          {"p", ColumnKind::p},
          {"p_holm", ColumnKind::p},
          {"family", ColumnKind::count},
          {"detectable", ColumnKind::points},
          {"relative", ColumnKind::number, false, true}},
         {}}};
}

void add_gaps(const PartInput& input, std::vector<ResultTable>& tables) {
    if (input.set.given()) return;
    std::map<std::pair<std::string, std::string>, std::vector<Comparison>> families;  // category, kind
    std::vector<std::pair<std::string, std::string>> order;
    const auto add = [&](const Comparison& comparison) {
        const std::pair key(comparison.category->name, comparison.kind);
        if (!families.contains(key)) order.push_back(key);
        families[key].push_back(comparison);
    };
    for (const std::string kind : {"own", "english"}) {
        for (const TargetScores& target : input.set.targets) {
            const std::string reference = kind == "own" ? target.target : input.english;
            for (const Category& category : target.categories) {
                for (const std::string& source : input.set.sources)
                    if (source != reference && !target.of(source).empty()) add({&target, &category, source, reference, kind});
            }
        }
    }
    for (const auto& key : order) {
        const std::vector<Comparison>& family = families.at(key);
        std::vector<Estimate> p;
        for (const Comparison& c : family) p.push_back(category_p(*c.target, *c.category, c.source, c.reference));
        const std::vector<Estimate> adjusted = holm(p);
        for (std::size_t i = 0; i < family.size(); ++i)
            tables[0].add(row_of(input, family[i], p[i], adjusted[i], std::ssize(family)));
    }
}

}  // namespace xlrm
