#include "score_plan.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "xlrm/core/profile.hpp"

namespace xlrm {
namespace {

// Eight bytes at a time: with hundreds of thousands of texts, a hash of single bytes is seen in the time of scoring.
std::uint64_t hash_tokens(std::span<const std::int32_t> tokens) {
    constexpr std::uint64_t kFactor = 0x9E3779B97F4A7C15ULL;
    std::uint64_t hash = tokens.size();
    const auto add = [&](std::uint64_t word) {
        hash = (hash ^ word) * kFactor;
        hash ^= hash >> 32U;
    };
    std::size_t i = 0;
    for (std::uint64_t two = 0; i + 2 <= tokens.size(); i += 2) {
        std::memcpy(&two, &tokens[i], sizeof two);
        add(two);
    }
    if (i < tokens.size()) add(static_cast<std::uint32_t>(tokens[i]));
    return hash * kFactor;
}

//! Indices by the hash of what they stand for, in one table.
class HashIndex {
public:
    //! For at most `count` of them.
    explicit HashIndex(std::size_t count) : slots_(std::bit_ceil(2 * count + 1)) {}

    //! The first index that was given for an equal thing, which may be this one: same(index) compares with what has the same
    //! hash.
    template <class Same>
    std::size_t first(std::uint64_t hash, std::size_t index, Same same) {
        for (std::size_t at = hash >> 20U;; ++at) {
            Slot& slot = slots_[at & (slots_.size() - 1)];
            if (slot.index == kFree) slot = {hash, index};
            if (slot.index == index || (slot.hash == hash && same(slot.index))) return slot.index;
        }
    }

private:
    static constexpr std::size_t kFree = ~std::size_t{0};
    struct Slot {
        std::uint64_t hash = 0;
        std::size_t index = kFree;
    };
    std::vector<Slot> slots_;
};

// Texts with one prefix, side by side.
struct PrefixGroup {
    std::vector<std::size_t> texts;
    std::int64_t longest = 0;
};

std::vector<PrefixGroup> group_by_prefix(const ItemSet& set, const std::vector<DistinctText>& texts) {
    std::vector<PrefixGroup> groups;
    HashIndex known(texts.size());
    const auto prefix_of = [&](std::size_t text) {
        const Answer& answer = set.answers[static_cast<std::size_t>(texts[text].answer)];
        return set.answer_tokens(answer).first(static_cast<std::size_t>(answer.prompt));
    };
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const auto prefix = prefix_of(i);
        std::size_t place = groups.size();
        if (!prefix.empty()) {  // texts without one are a group each
            place = known.first(hash_tokens(prefix), place, [&](std::size_t group) {
                return std::ranges::equal(prefix_of(groups[group].texts.front()), prefix);
            });
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
    HashIndex known(answers.size());
    for (std::size_t place = 0; place < answers.size(); ++place) {
        const Answer& answer = set.answers[static_cast<std::size_t>(answers[place])];
        const auto text = set.answer_tokens(answer);
        const std::size_t first = known.first(hash_tokens(text), out.size(), [&](std::size_t index) {
            const Answer& other = set.answers[static_cast<std::size_t>(out[index].answer)];
            return other.prompt == answer.prompt && other.lead == answer.lead &&
                   std::ranges::equal(set.answer_tokens(other), text);
        });
        if (first == out.size()) out.push_back({answers[place], {}});
        out[first].places.push_back(static_cast<std::int64_t>(place));
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

std::vector<std::vector<std::int64_t>> score_batches(const ItemSet& set, std::span<const std::int64_t> answers,
                                                     const ScoreOptions& options) {
    const std::vector<DistinctText> texts = find_distinct(set, answers);
    std::vector<std::vector<std::int64_t>> out;
    for (const auto& members : plan_batches(set, texts, options)) {
        out.emplace_back();
        for (const std::size_t member : members) out.back().push_back(texts[member].answer);
    }
    return out;
}

}  // namespace xlrm
