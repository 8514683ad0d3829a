#include "resampled.hpp"

#include <cmath>
#include <limits>

namespace xlrm {

namespace {

//! What a target's items add up to, by cluster and subset: enough for every category of every source.
class TargetSums {
public:
    TargetSums(const TargetScores& target, const std::vector<std::string>& sources) : target_(target) {
        std::map<std::pair<std::size_t, std::size_t>, std::size_t> places;
        for (const std::string& source : sources) {
            if (!target.of(source).empty()) sources_.push_back(source);
        }
        for (std::size_t i = 0; i < target.items.size(); ++i) {
            const auto [place, fresh] = places.try_emplace({target.cluster[i], target.subset[i]}, cluster_.size());
            if (fresh) {
                cluster_.push_back(target.cluster[i]);
                subset_.push_back(target.subset[i]);
                count_.push_back(0.0);
                right_.resize(right_.size() + sources_.size(), 0.0);
                worth_.resize(worth_.size() + sources_.size(), 0.0);
            }
            count_[place->second] += 1.0;
            for (std::size_t s = 0; s < sources_.size(); ++s) {
                const auto models = target.of(sources_[s]);
                const auto seeds = static_cast<double>(models.size());
                for (const ModelScores* model : models) {
                    right_[place->second * sources_.size() + s] += model->right[i] / seeds;
                    worth_[place->second * sources_.size() + s] += model->worth[i] / seeds;
                }
            }
        }
    }

    const std::vector<std::string>& sources() const { return sources_; }
    const TargetScores& target() const { return target_; }
    std::size_t outputs() const { return sources_.size() * resampled_categories(); }
    std::size_t resampled_categories() const {
        return static_cast<std::size_t>(
            std::ranges::count_if(target_.categories, [](const Category& category) { return category.resampled; }));
    }

    //! (source, category) accuracies for clusters taken `weights` times; NaN where a subset that counts has no item.
    void compute(std::span<const double> weights, std::span<double> out) const {
        const std::size_t width = sources_.size(), subsets = target_.subsets.size();
        std::vector<double> count(subsets, 0.0), right(width, 0.0), worth(subsets * width, 0.0);
        double items = 0.0;
        for (std::size_t k = 0; k < cluster_.size(); ++k) {
            const double weight = weights[cluster_[k]];
            if (weight == 0.0) continue;
            items += weight * count_[k];
            count[subset_[k]] += weight * count_[k];
            for (std::size_t s = 0; s < width; ++s) {
                right[s] += weight * right_[k * width + s];
                worth[subset_[k] * width + s] += weight * worth_[k * width + s];
            }
        }
        std::size_t at = 0;
        for (const Category& category : target_.categories) {
            if (!category.resampled) continue;
            for (std::size_t s = 0; s < width; ++s) out[at++] = score(category, s, items, count, right, worth);
        }
    }

private:
    double score(const Category& category, std::size_t s, double items, const std::vector<double>& count,
                 const std::vector<double>& right, const std::vector<double>& worth) const {
        constexpr double none = std::numeric_limits<double>::quiet_NaN();
        if (category.weights.empty()) return items > 0.0 ? right[s] / items : none;
        double sum = 0.0;
        for (std::size_t j = 0; j < count.size(); ++j) {
            if (category.weights[j] == 0.0) continue;
            if (count[j] == 0.0) return none;
            sum += category.weights[j] * worth[j * sources_.size() + s] / count[j];
        }
        return sum;
    }

    const TargetScores& target_;
    std::vector<std::string> sources_;
    std::vector<std::size_t> cluster_, subset_;
    std::vector<double> count_, right_, worth_;  //!< by (cluster, subset), and by source within
};

}  // namespace

Resampled::Resampled(const ScoreSet& set, const ResamplingOptions& options) : options_(options), strata_(set.strata) {
    std::vector<TargetSums> sums;
    for (const TargetScores& target : set.targets) {
        sums.emplace_back(target, set.sources);
        for (const Category& category : target.categories) {
            if (!category.resampled) continue;
            for (const std::string& source : sums.back().sources()) cells_.push_back({source, target.target, category.name});
        }
    }
    if (set.clusters.empty()) return;
    const auto compute = [&](std::span<const double> weights, std::span<double> out) {
        std::size_t begin = 0;
        for (const TargetSums& target : sums) {
            target.compute(weights, out.subspan(begin, target.outputs()));
            begin += target.outputs();
        }
    };
    const auto all = replicate(Resamples(strata_, options.seed), options.resamples, std::ssize(cells_), compute);
    resampled_.assign(static_cast<std::size_t>(options.resamples), std::vector<double>(cells_.size()));
    jackknifed_.assign(strata_.size(), std::vector<double>(cells_.size()));
    for (std::size_t cell = 0; cell < all.size(); ++cell) {
        value_.push_back(all[cell].value);
        for (std::size_t r = 0; r < resampled_.size(); ++r) resampled_[r][cell] = all[cell].resampled[r];
        for (std::size_t g = 0; g < jackknifed_.size(); ++g) jackknifed_[g][cell] = all[cell].jackknifed[g];
    }
}

std::int64_t Resampled::find(const std::string& source, const std::string& target, const std::string& category) const {
    for (std::size_t c = 0; c < cells_.size(); ++c) {
        if (cells_[c].source == source && cells_[c].target == target && cells_[c].category == category)
            return static_cast<std::int64_t>(c);
    }
    return -1;
}

EstimateWithInterval Resampled::derive(const std::function<double(std::span<const double>)>& compute, IntervalKind kind) const {
    Replicates replicates{compute(value_), {}, {}};
    for (const auto& values : resampled_) replicates.resampled.push_back(compute(values));
    for (const auto& values : jackknifed_) replicates.jackknifed.push_back(compute(values));
    return bootstrap_interval(replicates, strata_, kind, options_.level);
}

EstimateWithInterval Resampled::accuracy(std::int64_t cell, IntervalKind kind) const {
    const auto at = static_cast<std::size_t>(cell);
    return derive([at](std::span<const double> values) { return values[at]; }, kind);
}

EstimateWithInterval Resampled::difference(std::int64_t first, std::int64_t second, IntervalKind kind) const {
    const auto a = static_cast<std::size_t>(first), b = static_cast<std::size_t>(second);
    return derive([a, b](std::span<const double> values) { return values[a] - values[b]; }, kind);
}

}  // namespace xlrm
