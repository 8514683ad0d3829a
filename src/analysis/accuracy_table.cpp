#include <algorithm>

#include "parts.hpp"
#include "xlrm/stats/intervals.hpp"

namespace xlrm {

namespace {

//! Standard error of the mean over items of the mean over seeds, clustered.
Estimate clustered_error(const TargetScores& target, const std::string& source) {
    if (target.cluster_count() < 2) return Undefined::one_cluster;
    const auto models = target.of(source);
    std::vector<double> values(target.items.size(), 0.0);
    std::vector<std::string> clusters;
    for (std::size_t i = 0; i < values.size(); ++i) {
        for (const ModelScores* model : models) values[i] += model->right[i] / static_cast<double>(models.size());
        clusters.push_back(std::to_string(target.cluster[i]));
    }
    return clustered_mean(values, clusters).standard_error;
}

double mean_of(const std::vector<const ModelScores*>& models, double (*value)(const ModelScores&)) {
    double sum = 0.0;
    for (const ModelScores* model : models) sum += value(*model);
    return sum / static_cast<double>(models.size());
}

double half_of(const ModelScores& model) {
    double sum = 0.0;
    for (const double value : model.half) sum += value;
    return sum / static_cast<double>(model.half.size());
}

//! What only the row of all items has: Wilson's interval of one seed, ties as half, the clustered error.
struct Details {
    Estimate low = Undefined::no_rule, high = Undefined::no_rule, error = Undefined::no_rule, half = Undefined::no_rule;
};

Details details_of(const TargetScores& target, const std::string& source, const Category& category) {
    Details details;
    if (category.kind != "all") return details;
    const auto models = target.of(source);
    details.error = clustered_error(target, source);
    details.half = mean_of(models, half_of);
    if (models.size() > 1) {
        details.low = details.high = Undefined::several_seeds;
        return details;
    }
    const auto& right = models.front()->right;
    const Interval wilson = wilson_interval(std::ranges::count(right, 1.0), std::ssize(right));
    details.low = wilson.low;
    details.high = wilson.high;
    return details;
}

}  // namespace

std::vector<ResultTable> accuracy_tables() {
    return {
        {"accuracy",
         "Accuracy of each model in each language",
         "Rows: category, source (language the reward model was trained on), target (language it was evaluated in). all: every "
         "item "
         "alike, a tie is wrong; sections and average: the benchmark's own weights and rule for ties, seen by its subset names. "
         "Mean "
         "over seeds, with the BCa interval of the cluster bootstrap over items; it does not show how seeds vary (table seeds). "
         "half: a tie counts one half.",
         {{"base", ColumnKind::text},
          {"benchmark", ColumnKind::text},
          {"rule", ColumnKind::text, true},
          {"category", ColumnKind::text},
          {"kind", ColumnKind::text, true},
          {"source", ColumnKind::text},
          {"target", ColumnKind::text},
          {"items", ColumnKind::count},
          {"clusters", ColumnKind::count, true},
          {"seeds", ColumnKind::count},
          {"ties", ColumnKind::count},
          {"accuracy", ColumnKind::share, false, true},
          {"percentile_low", ColumnKind::share, true},
          {"percentile_high", ColumnKind::share, true},
          {"wilson_low", ColumnKind::share, true},
          {"wilson_high", ColumnKind::share, true},
          {"clustered_se", ColumnKind::share, true},
          {"half", ColumnKind::share, true}},
         {}}};
}

void add_accuracy(const PartInput& input, std::vector<ResultTable>& tables) {
    const ScoreSet& set = input.set;
    for (const TargetScores& target : set.targets) {
        for (const Category& category : target.categories) {
            for (const std::string& source : set.sources) {
                const auto models = target.of(source);
                if (models.empty()) continue;
                const std::int64_t cell = input.resampled.find(source, target.target, category.name);
                EstimateWithInterval accuracy{Undefined::no_rule, Undefined::no_rule, Undefined::no_rule, Undefined::no_rule};
                EstimateWithInterval percentile = accuracy;
                if (cell >= 0) {
                    accuracy = input.resampled.accuracy(cell);
                    percentile = input.resampled.accuracy(cell, IntervalKind::percentile);
                } else if (category.kind == "average") {
                    accuracy.value = mean_of(models, [](const ModelScores& model) { return model.score; });
                }
                std::int64_t ties = 0;
                for (const ModelScores* model : models) ties += model->ties;
                const Details details = details_of(target, source, category);
                tables[0].add({set.base, set.benchmark, target.rule, category.name, category.kind, source, target.target,
                               category_items(target, category), target.cluster_count(), std::ssize(models), ties, accuracy,
                               percentile.low, percentile.high, details.low, details.high, details.error, details.half});
            }
        }
    }
}

}  // namespace xlrm
