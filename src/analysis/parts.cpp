#include "parts.hpp"

#include <algorithm>
#include <cmath>

#include "xlrm/stats/mcnemar.hpp"

namespace xlrm {

const std::vector<Part>& parts() {
    static const std::vector<Part> all = {
        {"accuracy", true, accuracy_tables, add_accuracy},
        {"headline", true, headline_tables, add_headline},
        {"gaps", true, gap_tables, add_gaps},
        {"additive", true, additive_tables, add_additive},
        {"seeds", false, seed_tables, add_seeds},
        {"pairs", false, pair_tables, add_pairs},
        {"languages", false, language_tables, add_languages},
        {"calibration", false, calibration_tables, add_calibration},
        {"baselines", false, baseline_tables, add_baselines},
    };
    return all;
}

Estimate paired_p(const TargetScores& target, const std::string& first, const std::string& second, std::int64_t subset) {
    const auto one = target.of(first), two = target.of(second);
    if (one.empty() || two.empty()) return Undefined::missing_cell;
    std::map<std::size_t, std::int64_t> sums;  // each mean over seeds times both numbers of seeds, so that they are whole
    for (std::size_t i = 0; i < target.items.size(); ++i) {
        if (subset >= 0 && target.subset[i] != static_cast<std::size_t>(subset)) continue;
        std::int64_t& sum = sums[target.cluster[i]];
        for (const ModelScores* model : one) sum += std::lround(model->right[i]) * std::ssize(two);
        for (const ModelScores* model : two) sum -= std::lround(model->right[i]) * std::ssize(one);
    }
    std::vector<std::int64_t> values;
    for (const auto& [cluster, sum] : sums) values.push_back(sum);
    return sign_flip_test(values);
}

Estimate category_p(const TargetScores& target, const Category& category, const std::string& first, const std::string& second) {
    if (category.kind == "all") return paired_p(target, first, second);
    if (category.kind != "subset") return Undefined::no_rule;
    const auto one = std::ranges::find(category.weights, 1.0) - category.weights.begin();
    return paired_p(target, first, second, one);
}

std::int64_t category_items(const TargetScores& target, const Category& category) {
    if (category.weights.empty()) return std::ssize(target.items);
    return std::ranges::count_if(target.subset, [&](std::size_t subset) { return category.weights[subset] != 0.0; });
}

}  // namespace xlrm
