#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

#include "score_objective.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/ops/memory.hpp"

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
    // Adds the loss's gradient to `slopes`, times `scale`, unless that is empty.
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
            if (slopes.empty()) continue;
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

    StepSums loss_of(const RewardBatch& batch, std::span<const double> all, double scale,
                     std::span<double> dscores) const override {
        StepSums sums;
        std::size_t at = 0;
        for (std::size_t i = 0; i < batch.items.size(); ++i) {
            const auto count = static_cast<std::size_t>(batch.counts[i]);
            const auto scores = all.subspan(at, count);
            const std::vector<double> ranks = ranks_of(batch.set->items[static_cast<std::size_t>(batch.items[i])]);
            sums.loss += ranking_loss(scores, ranks, scale, dscores.empty() ? dscores : dscores.subspan(at, count));
            const auto first_worse = std::ranges::upper_bound(ranks, ranks.front()) - ranks.begin();
            if (first_worse < static_cast<std::ptrdiff_t>(count)) {
                const double best = *std::min_element(scores.begin(), scores.begin() + first_worse);
                const double rival = *std::max_element(scores.begin() + first_worse, scores.end());
                sums.correct += best > rival ? 1.0 : 0.0;
                sums.margin += best - rival;
            }
            at += count;
        }
        count_rewards(sums, all);
        count_batch(sums, batch);
        sums.weight = sums.items;
        return sums;
    }

    // Items side by side, each with as many places [A] as the longest has answers: for the answer at i, the sum is over itself
    // and those ranked behind it.
    at::Tensor slopes_on_device(const RewardBatch& batch, const at::Tensor& scores, double scale) const override {
        const auto items = std::ssize(batch.items);
        const std::int64_t most = *std::ranges::max_element(batch.counts);
        const at::TensorOptions numbers = at::TensorOptions().dtype(at::kLong);
        at::Tensor text = at::zeros({items, most}, numbers), place = at::empty({scores.size(0)}, numbers);
        at::Tensor summed = at::eye(most, at::kByte).repeat({items, 1, 1}), decided = at::zeros({items, most}, at::kDouble);
        std::int64_t next = 0;
        for (std::int64_t i = 0; i < items; ++i) {
            const std::vector<double> ranks = ranks_of(batch.set->items[static_cast<std::size_t>(batch.items[std::size_t(i)])]);
            for (std::int64_t j = 0; j < std::ssize(ranks); ++j, ++next) {
                const auto worse = std::ranges::upper_bound(ranks, ranks[std::size_t(j)]) - ranks.begin();
                text.data_ptr<std::int64_t>()[i * most + j] = next;
                place.data_ptr<std::int64_t>()[next] = i * most + j;
                decided.data_ptr<double>()[i * most + j] = worse < std::ssize(ranks) ? 1.0 : 0.0;
                for (std::int64_t k = worse; k < std::ssize(ranks); ++k)
                    summed.data_ptr<std::uint8_t>()[(i * most + j) * most + k] = 1;
            }
        }
        send(scores.device(), {&text, &place, &summed, &decided});
        const at::Tensor rewards = at::index_select(scores.flatten(), 0, text.flatten()).view({items, 1, most});
        const at::Tensor masked = rewards.expand({items, most, most}).masked_fill(summed == 0, -INFINITY);
        const at::Tensor share = at::exp(masked - at::logsumexp(masked, {2}, true)) * decided.unsqueeze(2);
        const at::Tensor slope = (at::sum(share, at::IntArrayRef{1}) - decided) * scale;
        return at::index_select(slope.flatten(), 0, place).unsqueeze(1);
    }
};

}  // namespace

std::unique_ptr<Objective> make_plackett_luce(const RewardHeadOptions& options) {
    return std::make_unique<PlackettLuce>(options);
}

}  // namespace xlrm
