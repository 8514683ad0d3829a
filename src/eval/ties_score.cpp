#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include "xlrm/core/error.hpp"
#include "xlrm/eval/benchmark.hpp"

namespace xlrm {

namespace {

struct Stats {
    bool accurate = false;
    bool has_spread = false;  //!< more than one right answer
    double gap = 0.0, spread = 0.0;
};

Stats stats_of(const ScoredItem& item) {
    const auto split = item.scores.begin() + std::min<std::ptrdiff_t>(item.num_correct, std::ssize(item.scores));
    Stats stats;
    if (split == item.scores.begin() || split == item.scores.end()) return stats;
    const auto [worst, best] = std::minmax_element(item.scores.begin(), split);
    const double wrong = *std::max_element(split, item.scores.end());
    stats.accurate = *worst > wrong;
    stats.has_spread = item.num_correct > 1;
    stats.gap = *worst - wrong;
    stats.spread = *best - *worst;
    return stats;
}

using ByPrompt = std::map<std::int64_t, Stats>;

void add(const ScoredItem& item, ByPrompt* ref, ByPrompt* tied) {
    const std::size_t colon = item.id.find(':');
    const std::string kind = item.id.substr(0, colon);
    std::int64_t prompt = -1;
    const char* end = item.id.data() + item.id.size();
    const bool numbered =
        colon != std::string::npos && std::from_chars(item.id.data() + colon + 1, end, prompt).ptr == end && prompt >= 0;
    if (!numbered || (kind != "ref" && kind != "tied"))
        fail("Ties: the id '" + item.id + "' is not ref:<number> or tied:<number>, as RewardBench 2 has it");
    if (!(kind == "ref" ? ref : tied)->emplace(prompt, stats_of(item)).second)
        fail("Ties: the id '" + item.id + "' comes twice, so the score is not defined");
}

double accurate_share(const ByPrompt& prompts) {
    if (prompts.empty()) return 0.0;
    const auto count = std::count_if(prompts.begin(), prompts.end(), [](const auto& entry) { return entry.second.accurate; });
    return static_cast<double>(count) / static_cast<double>(prompts.size());
}

}  // namespace

double ties_score(std::span<const ScoredItem> items) {
    ByPrompt ref;
    ByPrompt tied;
    for (const ScoredItem& item : items) add(item, &ref, &tied);
    double preferred = 0.0;
    double preferred_hard = 0.0;
    double margin = 0.0;
    double spreads = 0.0;
    double ratios = 0.0;
    for (const auto& [prompt, stats] : tied) {
        const auto found = ref.find(prompt);
        if (found == ref.end() || !stats.has_spread) continue;
        const double least = std::min(found->second.gap, stats.gap);
        spreads += 1.0;
        preferred += stats.gap > stats.spread ? 1.0 : 0.0;
        preferred_hard += least > stats.spread ? 1.0 : 0.0;
        if (!(stats.spread > 0.0)) continue;
        ratios += 1.0;
        margin += std::tanh(least / stats.spread - 1.0);
    }
    if (spreads > 0.0) {
        preferred /= spreads;
        preferred_hard /= spreads;
    }
    if (ratios > 0.0) margin /= ratios;
    return 0.3 * accurate_share(tied) + 0.3 * accurate_share(ref) + 0.2 * preferred + 0.2 * preferred_hard + 0.01 * margin;
}

}  // namespace xlrm
