#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>

#include "score_objective.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/ops/memory.hpp"

namespace xlrm {
namespace {

class Regression final : public ScoreObjective {
public:
    using ScoreObjective::ScoreObjective;
    std::string name() const override { return "regression"; }
    bool pairs() const override { return false; }
    std::int64_t outputs(const ItemSet& set) const override { return static_cast<std::int64_t>(set.items.front().labels.size()); }

    void check(const ItemSet& set) const override {
        for (const Item& item : set.items) {
            const std::size_t first = set.items.front().labels.size();
            if (item.answers != 1 || item.labels.empty())
                fail("item '" + item.id + "' is no response with labels (the objective regression needs them)");
            if (item.labels.size() != first) {
                fail("item '" + item.id + "' has " + std::to_string(item.labels.size()) + " label(s) and '" +
                     set.items.front().id + "' " + std::to_string(first) +
                     " (every row needs the same, with null for those not known)");
            }
            if (known(item) == 0)
                fail("item '" + item.id + "' has no label but null (nothing can be learnt from it); remove the row");
        }
    }

    double item_weight(const ItemSet& set, std::int64_t item) const override {
        return static_cast<double>(known(set.items[static_cast<std::size_t>(item)]));
    }

private:
    static std::int64_t known(const Item& item) {
        return std::ranges::count_if(item.labels, [](float label) { return !std::isnan(label); });
    }

    StepSums loss_of(const RewardBatch& batch, std::span<const double> scores, double scale,
                     std::span<double> dscores) const override {
        StepSums sums;
        std::size_t at = 0;
        for (const std::int64_t item : batch.items) {
            for (const float label : batch.set->items[static_cast<std::size_t>(item)].labels) {
                const double difference = scores[at] - double(label);
                if (!std::isnan(label)) {
                    sums.loss += difference * difference;
                    sums.weight += 1.0;
                    if (!dscores.empty()) dscores[at] = 2.0 * scale * difference;
                }
                ++at;
            }
        }
        count_rewards(sums, scores);
        count_batch(sums, batch);
        return sums;
    }

    at::Tensor slopes_on_device(const RewardBatch& batch, const at::Tensor& scores, double scale) const override {
        at::Tensor labels = at::empty(scores.sizes(), at::TensorOptions().dtype(at::kDouble));
        double* next = labels.data_ptr<double>();
        for (const std::int64_t item : batch.items)
            for (const float label : batch.set->items[static_cast<std::size_t>(item)].labels) *next++ = double(label);
        send(scores.device(), {&labels});
        return ((scores - labels) * (2.0 * scale)).masked_fill(labels.isnan(), 0.0);
    }
};

}  // namespace

std::unique_ptr<Objective> make_regression(const RewardHeadOptions& options) { return std::make_unique<Regression>(options); }

}  // namespace xlrm
