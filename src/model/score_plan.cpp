#include "score_plan.hpp"

#include <algorithm>
#include <unordered_map>

#include "xlrm/core/profile.hpp"
#include "xlrm/core/random.hpp"

namespace xlrm {
namespace {

std::uint64_t hash_tokens(std::span<const std::int32_t> tokens) {
    return stable_hash({reinterpret_cast<const char*>(tokens.data()), tokens.size_bytes()});
}

// Texts with one prefix, side by side.
struct PrefixGroup {
    std::vector<std::size_t> texts;
    std::int64_t longest = 0;
};

std::vector<PrefixGroup> group_by_prefix(const ItemSet& set, const std::vector<DistinctText>& texts) {
    std::vector<PrefixGroup> groups;
    std::unordered_multimap<std::uint64_t, std::size_t> known;
    const auto prefix_of = [&](std::size_t text) {
        const Answer& answer = set.answers[static_cast<std::size_t>(texts[text].answer)];
        return set.answer_tokens(answer).first(static_cast<std::size_t>(answer.prompt));
    };
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const auto prefix = prefix_of(i);
        const std::uint64_t hash = hash_tokens(prefix);
        std::size_t place = groups.size();
        if (!prefix.empty()) {  // texts without one are a group each, and would all have one hash
            const auto [begin, end] = known.equal_range(hash);
            const auto same = std::find_if(begin, end, [&](const auto& entry) {
                return std::ranges::equal(prefix_of(groups[entry.second].texts.front()), prefix);
            });
            if (same != end) place = same->second;
            else known.emplace(hash, place);
        }
        if (place == groups.size()) groups.emplace_back();
        PrefixGroup& group = groups[place];
        group.texts.push_back(i);
        group.longest = std::max<std::int64_t>(group.longest, set.answers[static_cast<std::size_t>(texts[i].answer)].length);
    }
    return groups;
}

}  // namespace

std::vector<DistinctText> find_distinct(const ItemSet& set, std::span<const std::int64_t> answers) {
    std::vector<DistinctText> out;
    std::unordered_multimap<std::uint64_t, std::size_t> known;
    for (std::size_t place = 0; place < answers.size(); ++place) {
        const Answer& answer = set.answers[static_cast<std::size_t>(answers[place])];
        const auto text = set.answer_tokens(answer);
        const std::uint64_t hash = hash_tokens(text);
        const auto [begin, end] = known.equal_range(hash);
        const auto same = std::find_if(begin, end, [&](const auto& entry) {
            const Answer& other = set.answers[static_cast<std::size_t>(out[entry.second].answer)];
            return other.prompt == answer.prompt && std::ranges::equal(set.answer_tokens(other), text);
        });
        if (same != end) {
            out[same->second].places.push_back(static_cast<std::int64_t>(place));
        } else {
            known.emplace(hash, out.size());
            out.push_back({answers[place], {static_cast<std::int64_t>(place)}});
        }
    }
    return out;
}

std::vector<std::vector<std::size_t>> plan_batches(const ItemSet& set, const std::vector<DistinctText>& texts,
                                                   const ScoreOptions& options) {
    const StageScope scope("plan");
    std::vector<PrefixGroup> groups = group_by_prefix(set, texts);
    std::ranges::stable_sort(groups, [](const PrefixGroup& a, const PrefixGroup& b) { return a.longest > b.longest; });
    std::vector<std::vector<std::size_t>> batches;
    std::int64_t used = 0;
    for (const PrefixGroup& group : groups) {
        bool prefix_present = false;
        for (const std::size_t text : group.texts) {
            const Answer& answer = set.answers[static_cast<std::size_t>(texts[text].answer)];
            const std::int64_t more = prefix_present && options.share_prefixes ? answer.length - answer.prompt : answer.length;
            if (batches.empty() || used + more > options.token_budget) {
                batches.emplace_back();
                used = answer.length;
            } else {
                used += more;
            }
            prefix_present = answer.prompt > 0;
            batches.back().push_back(text);
        }
    }
    return batches;
}

std::vector<std::vector<std::int64_t>> score_batches(const ItemSet& set, std::span<const std::int64_t> answers, const ScoreOptions& options) {
    const std::vector<DistinctText> texts = find_distinct(set, answers);
    std::vector<std::vector<std::int64_t>> out;
    for (const auto& members : plan_batches(set, texts, options)) {
        out.emplace_back();
        for (const std::size_t member : members) out.back().push_back(texts[member].answer);
    }
    return out;
}

}  // namespace xlrm
