#include <algorithm>
#include <cmath>

#include "score_objective.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

class PlackettLuce final : public ScoreObjective {
public:
    using ScoreObjective::ScoreObjective;
    std::string name() const override { return "ranking"; }
    bool pairs() const override { return true; }
    double item_weight(const ItemSet& /*set*/, std::int64_t /*item*/) const override { return 1.0; }

    void check(const ItemSet& set) const override {
        for (const Item& item : set.items) {
            if (item.answers < 2) fail("item '" + item.id + "' has one answer (a ranking needs two or more); remove the row");
            if (!item.labels.empty() && item.labels.size() != static_cast<std::size_t>(item.answers)) {
                fail("item '" + item.id + "' has " + std::to_string(item.labels.size()) + " rank(s) for " +
                     std::to_string(item.answers) + " answers (it is no ranking); prepare the rows as rankings");
            }
        }
    }

private:
    // Adds the loss's gradient to `slopes`, times `scale`.
    static double ranking_loss(std::span<const double> scores, std::span<const double> ranks, double scale,
                               std::span<double> slopes) {
        double loss = 0.0;
        for (std::size_t i = 0; i < scores.size(); ++i) {
            const auto worse = static_cast<std::size_t>(std::ranges::upper_bound(ranks, ranks[i]) - ranks.begin());
            if (worse == scores.size()) break;
            double top = scores[i];
            for (std::size_t j = worse; j < scores.size(); ++j) top = std::max(top, scores[j]);
            double total = std::exp(scores[i] - top);
            for (std::size_t j = worse; j < scores.size(); ++j) total += std::exp(scores[j] - top);
            loss += top + std::log(total) - scores[i];
            slopes[i] += scale * (std::exp(scores[i] - top) / total - 1.0);
            for (std::size_t j = worse; j < scores.size(); ++j) slopes[j] += scale * std::exp(scores[j] - top) / total;
        }
        return loss;
    }

    static std::vector<double> ranks_of(const Item& item) {
        std::vector<double> ranks(item.labels.begin(), item.labels.end());
        // Rows without ranks: the right answers before the wrong ones.
        for (std::int32_t k = 0; item.labels.empty() && k < item.answers; ++k) ranks.push_back(k < item.num_correct ? 0.0 : 1.0);
        return ranks;
    }

    StepSums loss_of(const ItemSet& set, std::span<const std::int64_t> items, const RewardBatch& batch,
                     const RewardStates& states, double scale, std::vector<double>& dscores) const override {
        StepSums sums;
        std::size_t at = 0;
        for (std::size_t i = 0; i < items.size(); ++i) {
            const auto count = static_cast<std::size_t>(batch.counts[i]);
            const auto scores = std::span<const double>(states.scores).subspan(at, count);
            const std::vector<double> ranks = ranks_of(set.items[static_cast<std::size_t>(items[i])]);
            sums.loss += ranking_loss(scores, ranks, scale, std::span<double>(dscores).subspan(at, count));
            const auto first_worse = std::ranges::upper_bound(ranks, ranks.front()) - ranks.begin();
            if (first_worse < static_cast<std::ptrdiff_t>(count)) {
                const double best = *std::min_element(scores.begin(), scores.begin() + first_worse);
                const double rival = *std::max_element(scores.begin() + first_worse, scores.end());
                sums.correct += best > rival ? 1.0 : 0.0;
                sums.margin += best - rival;
            }
            at += count;
        }
        count_rewards(sums, states.scores);
        count_batch(sums, batch);
        sums.weight = sums.items;
        return sums;
    }
};

}  // namespace

std::unique_ptr<Objective> make_plackett_luce(const RewardHeadOptions& options) {
    return std::make_unique<PlackettLuce>(options);
}

}  // namespace xlrm
