#include "xlrm/train/plan.hpp"

#include <algorithm>
#include <cassert>
#include <numeric>

namespace xlrm {
namespace {

std::span<const std::int32_t> prefix_of(const ItemSet& set, const Answer& answer) {
    return set.answer_tokens(answer).first(static_cast<std::size_t>(answer.prompt));
}

// Which rank computes each item.
std::vector<int> assign_ranks(const std::vector<double>& cost, int size) {
    std::vector<std::size_t> heaviest_first(cost.size());
    std::iota(heaviest_first.begin(), heaviest_first.end(), std::size_t{0});
    std::ranges::stable_sort(heaviest_first, [&](std::size_t a, std::size_t b) { return cost[a] > cost[b]; });
    std::vector<double> load(static_cast<std::size_t>(size), 0.0);
    std::vector<int> rank_of(cost.size(), 0);
    for (const std::size_t item : heaviest_first) {
        const auto least = std::ranges::min_element(load);
        *least += cost[item];
        rank_of[item] = static_cast<int>(least - load.begin());
    }
    return rank_of;
}

}  // namespace

std::int64_t physical_tokens(const ItemSet& set, std::int64_t item, bool share_prefix) {
    const Item& entry = set.items[static_cast<std::size_t>(item)];
    std::int64_t tokens = 0;
    std::span<const std::int32_t> shared;
    for (std::int32_t k = 0; k < entry.answers; ++k) {
        const Answer& answer = set.answers[static_cast<std::size_t>(entry.first_answer + k)];
        const auto prefix = prefix_of(set, answer);
        const bool again = share_prefix && k > 0 && std::ranges::equal(prefix, shared);
        tokens += answer.length - (again ? answer.prompt : 0);
        shared = prefix;
    }
    return tokens;
}

std::vector<std::vector<std::int64_t>> plan_step(const ItemSet& set, std::span<const std::int64_t> items, int rank, int size,
                                                 const PlanOptions& options) {
    assert(rank >= 0 && rank < size);
    std::vector<std::int64_t> tokens;
    std::vector<double> cost;
    for (const std::int64_t item : items) {
        tokens.push_back(physical_tokens(set, item, options.share_prefix));
        const double n = static_cast<double>(tokens.back());
        cost.push_back(n + options.alpha * n * n);
    }
    const std::vector<int> rank_of = assign_ranks(cost, size);
    std::vector<std::vector<std::int64_t>> micro_batches;
    std::int64_t filled = 0;
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (rank_of[i] != rank) continue;
        if (micro_batches.empty() || filled + tokens[i] > options.token_budget) {
            micro_batches.emplace_back();
            filled = 0;
        }
        micro_batches.back().push_back(items[i]);
        filled += tokens[i];
    }
    return micro_batches;
}

}  // namespace xlrm
