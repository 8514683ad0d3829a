#include <algorithm>
#include <map>

#include "xlrm/align/best_of_n.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/data/preference_row.hpp"
#include "xlrm/stats/best_of_n.hpp"
#include "xlrm/stats/distributions.hpp"
#include "xlrm/stats/intervals.hpp"

namespace xlrm {
namespace {

// The curves of one prompt, n = 1 … most.
struct Curves {
    std::vector<std::vector<double>> gold, proxy;  // of each proxy's choice
    std::vector<double> ceiling;                   // of gold's own
    std::vector<bool> tied;                        // whether several samples share a proxy's best score
};

Curves curves_of(const ScoredPrompt& prompt, std::int64_t most) {
    Curves curves;
    const std::vector<double>& gold = prompt.scores.back();
    curves.ceiling = best_of_n_curve(gold, gold, most);
    for (std::size_t k = 0; k + 1 < prompt.scores.size(); ++k) {
        const std::vector<double>& proxy = prompt.scores[k];
        curves.gold.push_back(best_of_n_curve(proxy, gold, most));
        curves.proxy.push_back(best_of_n_curve(proxy, proxy, most));
        curves.tied.push_back(std::ranges::count(proxy, std::ranges::max(proxy)) > 1);
    }
    return curves;
}

// Prompts of a language, or all.
struct Group {
    std::string name;
    std::vector<Curves> curves;
    std::vector<std::string> clusters;
};

std::vector<Group> groups_of(const BestOfNInput& input, std::int64_t most) {
    std::map<std::string, Group> languages;
    Group all{"all", {}, {}};
    for (const ScoredPrompt& prompt : input.prompts) {
        const Curves curves = curves_of(prompt, most);
        for (Group* group : {&languages[prompt.key.lang], &all}) {
            group->curves.push_back(curves);
            group->clusters.push_back(item_stem(prompt.key.id));
        }
    }
    std::vector<Group> groups;
    for (auto& [lang, group] : languages) {
        group.name = lang;
        groups.push_back(std::move(group));
    }
    if (groups.size() > 1) groups.push_back(std::move(all));
    return groups;
}

template <class Value>
EstimateWithInterval mean_over(const Group& group, double z, const Value& value) {
    std::vector<double> values;
    for (const Curves& curves : group.curves) values.push_back(value(curves));
    const ClusteredMean mean = clustered_mean(values, group.clusters, z);
    if (mean.clusters < 2) return {mean.mean, Undefined::one_cluster, Undefined::one_cluster, Undefined::one_cluster};
    return {mean.mean, mean.standard_error, mean.interval.low, mean.interval.high};
}

ResultTable curve_table() {
    return {"best_of_n",
            "Best of n: the gold score of the answer that a proxy prefers among n",
            "gold: expected gold score over all choices of n of a prompt's samples (unbiased; equal proxies share), mean over "
            "prompts; gain: above n = 1; proxy_score: the proxy's own score of what it prefers, which keeps rising where gold "
            "falls (over-optimisation); ceiling: the gold score of gold's own choice. kl_bound: log n - (n-1)/n, an upper bound "
            "of the divergence from the policy, not its value. tied: prompts in which several samples share the proxy's best "
            "score. Intervals: prompts that are translations of one another count as one.",
            {{"lang", ColumnKind::text},
             {"proxy", ColumnKind::text},
             {"n", ColumnKind::count},
             {"prompts", ColumnKind::count},
             {"kl_bound", ColumnKind::number},
             {"gold", ColumnKind::number, false, true},
             {"gain", ColumnKind::number, false, true},
             {"proxy_score", ColumnKind::number},
             {"ceiling", ColumnKind::number},
             {"tied", ColumnKind::count, true}},
            {}};
}

ResultTable difference_table() {
    return {"best_of_n_differences",
            "Best of n: what the first proxy's choices are above another's",
            "difference: gold score of the first proxy's choice among n less that of the second's, mean over prompts.",
            {{"lang", ColumnKind::text},
             {"first", ColumnKind::text},
             {"second", ColumnKind::text},
             {"n", ColumnKind::count},
             {"prompts", ColumnKind::count},
             {"difference", ColumnKind::number, false, true}},
            {}};
}

}  // namespace

std::vector<ResultTable> best_of_n_tables(const BestOfNInput& input) {
    std::int64_t most = std::ssize(input.prompts.front().samples);
    for (const ScoredPrompt& prompt : input.prompts) most = std::min(most, std::ssize(prompt.samples));
    const double z = normal_quantile(0.5 + 0.5 * input.level);
    ResultTable curve = curve_table(), differences = difference_table();
    for (const Group& group : groups_of(input, most)) {
        for (std::size_t k = 0; k < input.proxies.size(); ++k) {
            const auto tied = std::ranges::count_if(group.curves, [&](const Curves& curves) { return curves.tied[k]; });
            for (std::size_t i = 0; i < static_cast<std::size_t>(most); ++i) {
                const auto n = static_cast<std::int64_t>(i + 1);
                const auto gold = [&](const Curves& curves) { return curves.gold[k][i]; };
                const auto gain = [&](const Curves& curves) { return curves.gold[k][i] - curves.gold[k][0]; };
                const auto own = [&](const Curves& curves) { return curves.proxy[k][i]; };
                const auto best = [&](const Curves& curves) { return curves.ceiling[i]; };
                curve.add({group.name, input.proxies[k], n, std::ssize(group.curves), Estimate(best_of_n_divergence_bound(n)),
                           mean_over(group, z, gold), mean_over(group, z, gain), mean_over(group, z, own).value,
                           mean_over(group, z, best).value, std::int64_t{tied}});
                if (k == 0) continue;
                const auto lead = [&](const Curves& curves) { return curves.gold[0][i] - curves.gold[k][i]; };
                differences.add(
                    {group.name, input.proxies[0], input.proxies[k], n, std::ssize(group.curves), mean_over(group, z, lead)});
            }
        }
    }
    return {curve, differences};
}

}  // namespace xlrm
