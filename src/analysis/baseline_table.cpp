#include "parts.hpp"
#include "xlrm/stats/averages.hpp"
#include "xlrm/stats/intervals.hpp"
#include "xlrm/stats/rank_correlation.hpp"

namespace xlrm {

namespace {

//! Verdicts of the n-gram floor of a source on a target's items, if it has all of them.
std::vector<double> floor_of(const ScoreSet& set, const std::string& source, const TargetScores& target) {
    const auto floor = set.floors.find(source);
    if (floor == set.floors.end()) return {};
    const auto judged = floor->second.find(target.target);
    if (judged == floor->second.end()) return {};
    std::vector<double> verdicts;
    for (const ItemKey& item : target.items) {
        const auto found = judged->second.find(item);
        if (found == judged->second.end()) return {};
        verdicts.push_back(found->second);
    }
    return verdicts;
}

//! Mean over a source's seeds of the verdicts on each item.
std::vector<double> mean_right(const std::vector<const ModelScores*>& models) {
    std::vector<double> right(models.front()->right.size(), 0.0);
    for (const ModelScores* model : models)
        for (std::size_t i = 0; i < right.size(); ++i) right[i] += model->right[i] / static_cast<double>(models.size());
    return right;
}

EstimateWithInterval gain_of(const TargetScores& target, const std::vector<double>& right, const std::vector<double>& floor) {
    std::vector<double> gains;
    std::vector<std::string> clusters;
    for (std::size_t i = 0; i < right.size(); ++i) {
        gains.push_back(right[i] - floor[i]);
        clusters.push_back(std::to_string(target.cluster[i]));
    }
    const ClusteredMean gain = clustered_mean(gains, clusters);
    if (gain.clusters < 2) return {gain.mean, Undefined::one_cluster, Undefined::one_cluster, Undefined::one_cluster};
    return {gain.mean, gain.standard_error, gain.interval.low, gain.interval.high};
}

//! Accuracy on items whose chosen answer is longer (sign 1) or shorter (−1).
Estimate accuracy_by_length(const TargetScores& target, const std::vector<double>& right, int sign) {
    std::vector<double> chosen;
    for (std::size_t i = 0; i < right.size(); ++i)
        if (!target.length_difference.empty() && sign * target.length_difference[i] > 0) chosen.push_back(right[i]);
    if (chosen.empty()) return Undefined::no_items;
    return mean(chosen);
}

}  // namespace

std::vector<ResultTable> baseline_tables() {
    return {{"baselines",
             "Against surface features: n-grams and length",
             "floor: accuracy of hashed character n-grams trained on the source's pairs (one half where undecided); gain: model "
             "minus floor, "
             "strict, in points, with its interval clustered by item. longer_wins: accuracy of preferring the longer text "
             "(tokens of this base's "
             "tokenizer; one half at equal lengths). length_spearman: of the margin and the difference of lengths, first seed; "
             "if_longer, if_shorter: the model's accuracy where the chosen answer is the longer or the shorter one.",
             {{"base", ColumnKind::text},
              {"benchmark", ColumnKind::text},
              {"source", ColumnKind::text},
              {"target", ColumnKind::text},
              {"accuracy", ColumnKind::share},
              {"floor", ColumnKind::share},
              {"gain", ColumnKind::points, false, true},
              {"longer_wins", ColumnKind::share},
              {"length_spearman", ColumnKind::number},
              {"if_longer", ColumnKind::share},
              {"if_shorter", ColumnKind::share}},
             {}}};
}

void add_baselines(const PartInput& input, std::vector<ResultTable>& tables) {
    for (const std::string& source : input.set.sources) {
        for (const TargetScores& target : input.set.targets) {
            const auto models = target.of(source);
            if (models.empty()) continue;
            const std::vector<double> right = mean_right(models), floor = floor_of(input.set, source, target);
            std::vector<double> longer, difference;
            for (const std::int64_t tokens : target.length_difference) {
                longer.push_back(tokens > 0 ? 1.0 : tokens == 0 ? 0.5 : 0.0);
                difference.push_back(static_cast<double>(tokens));
            }
            constexpr Undefined none = Undefined::no_items;
            tables[0].add({input.set.base, input.set.benchmark, source, target.target, Estimate(mean(right)),
                           floor.empty() ? Estimate(none) : Estimate(mean(floor)),
                           floor.empty() ? EstimateWithInterval{none, none, none, none} : gain_of(target, right, floor),
                           longer.empty() ? Estimate(none) : Estimate(mean(longer)),
                           longer.empty() ? Estimate(none) : spearman(models.front()->margin, difference),
                           accuracy_by_length(target, right, 1), accuracy_by_length(target, right, -1)});
        }
    }
}

}  // namespace xlrm
