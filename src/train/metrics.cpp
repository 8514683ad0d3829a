#include "xlrm/train/metrics.hpp"

#include <algorithm>

namespace xlrm {

void add(StepSums& sums, const StepSums& other) {
    sums.loss += other.loss;
    sums.weight += other.weight;
    sums.items += other.items;
    sums.correct += other.correct;
    sums.margin += other.margin;
    sums.reward_sum += other.reward_sum;
    sums.reward_min = std::min(sums.reward_min, other.reward_min);
    sums.reward_max = std::max(sums.reward_max, other.reward_max);
    sums.lm_loss += other.lm_loss;
    sums.lm_weight += other.lm_weight;
    sums.tokens += other.tokens;
    sums.physical += other.physical;
    sums.rewards += other.rewards;
    for (std::size_t i = 0; i < StepSums::kMeans; ++i) {
        sums.means[i].sum += other.means[i].sum;
        sums.means[i].weight += other.means[i].weight;
    }
    sums.failures += other.failures;
}

StepSums sum_over_ranks(const Communicator& group, const StepSums& s) {
    std::vector<double> mine = {s.loss,       s.weight,  s.items,     s.correct, s.margin,   s.reward_sum, s.reward_min,
                                s.reward_max, s.lm_loss, s.lm_weight, s.tokens,  s.physical, s.rewards};
    for (const Mean& mean : s.means) mine.insert(mine.end(), {mean.sum, mean.weight});
    mine.push_back(s.failures);
    const std::vector<double> all = group.gather(std::span<const double>(mine));
    StepSums total;
    for (std::size_t at = 0; at < all.size(); at += mine.size()) {
        const double* v = all.data() + at;
        StepSums one{v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], v[10], v[11], v[12]};
        for (std::size_t i = 0; i < StepSums::kMeans; ++i) one.means[i] = {v[13 + 2 * i], v[14 + 2 * i]};
        one.failures = v[13 + 2 * StepSums::kMeans];
        add(total, one);
    }
    return total;
}

namespace {

void put_metrics(Json& record, const std::string& prefix, const StepSums& sums, const Objective& objective) {
    if (objective.pairs() && sums.rewards > 0.0) {
        record[prefix + "accuracy"] = sums.correct / sums.items;
        record[prefix + "margin"] = sums.margin / sums.items;
    }
    if (sums.rewards > 0.0) {
        record[prefix + "min_reward"] = sums.reward_min;
        record[prefix + "mean_reward"] = sums.reward_sum / sums.rewards;
        record[prefix + "max_reward"] = sums.reward_max;
    }
    if (sums.lm_weight > 0.0) record[prefix + "lm_loss"] = sums.lm_loss / sums.lm_weight;
    const std::vector<std::string> names = objective.metric_names();
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (sums.means[i].weight > 0.0) record[prefix + names[i]] = sums.means[i].sum / sums.means[i].weight;
    }
}

}  // namespace

Json step_record(const StepFacts& facts, const StepSums& sums, const Objective& objective) {
    Json record = {{"step", facts.step}, {"epoch", facts.epoch}, {"loss", sums.loss / sums.weight}};
    put_metrics(record, "", sums, objective);
    record["grad_norm"] = facts.grad_norm;
    record["learning_rate"] = facts.learning_rate;
    record["num_tokens"] = facts.num_tokens;
    record["items"] = static_cast<std::int64_t>(sums.items);
    record["physical_tokens"] = static_cast<std::int64_t>(sums.physical);
    record["step_s"] = facts.seconds;
    record[objective.pairs() ? "pairs_per_s" : "rows_per_s"] = sums.items / facts.seconds;
    record["tokens_per_s"] = sums.tokens / facts.seconds;
    record["reduce_wait_s"] = facts.exposed_seconds;
    return record;
}

Json evaluation_record(std::int64_t step, double epoch, const StepSums& sums, const Objective& objective, double seconds) {
    Json record = {{"step", step}, {"epoch", epoch}, {"eval_loss", sums.loss / sums.weight}};
    put_metrics(record, "eval_", sums, objective);
    record["eval_items"] = static_cast<std::int64_t>(sums.items);
    record["eval_s"] = seconds;
    return record;
}

}  // namespace xlrm
