#include "xlrm/eval/judge_orders.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "xlrm/core/error.hpp"
#include "xlrm/core/random.hpp"

namespace xlrm {
namespace {

constexpr std::array kModes = {OrderMode::ab, OrderMode::ba, OrderMode::both_consistent, OrderMode::both_average};

bool names_answer(const JudgeReply& reply) { return reply.verdict.kind == JudgeVerdict::Kind::answer; }

// Which answer a reply names: 0 = the chosen one. REQUIRES: names_answer.
std::int32_t named_answer(const JudgeReply& reply, bool swapped) {
    return swapped ? 1 - reply.verdict.value : reply.verdict.value;
}

}  // namespace

const char* name_of(OrderMode mode) {
    switch (mode) {
        case OrderMode::ab:
            return "AB";
        case OrderMode::ba:
            return "BA";
        case OrderMode::both_consistent:
            return "both-consistent";
        case OrderMode::both_average:
            return "both-average";
    }
    return "";
}

OrderMode parse_order_mode(const std::string& name) {
    for (const OrderMode mode : kModes)
        if (name == name_of(mode)) return mode;
    fail("--orders '" + name + "' is none of AB, BA, both-consistent, both-average", ExitCode::usage);
}

bool uses_ab(OrderMode mode) { return mode != OrderMode::ba; }
bool uses_ba(OrderMode mode) { return mode != OrderMode::ab; }

double first_preference(const JudgeReply& reply) {
    if (!names_answer(reply)) return 0.5;
    return reply.verdict.value == 0 ? 1.0 : 0.0;
}

std::optional<double> preference(OrderMode mode, const OrderedReplies& replies) {
    if ((uses_ab(mode) && !replies.ab) || (uses_ba(mode) && !replies.ba)) return {};
    const double ab = uses_ab(mode) ? first_preference(*replies.ab) : 0.5;
    const double ba = uses_ba(mode) ? 1.0 - first_preference(*replies.ba) : 0.5;
    switch (mode) {
        case OrderMode::ab:
            return ab;
        case OrderMode::ba:
            return ba;
        case OrderMode::both_consistent:
            return ab == ba ? ab : 0.5;
        case OrderMode::both_average:
            break;
    }
    return (ab + ba) / 2.0;
}

JudgeVerdict majority(std::span<const JudgeVerdict> verdicts) {
    std::vector<std::int32_t> ratings;
    std::map<std::pair<JudgeVerdict::Kind, std::int32_t>, std::int64_t> votes;
    for (const JudgeVerdict& verdict : verdicts) {
        if (verdict.kind == JudgeVerdict::Kind::rating) ratings.push_back(verdict.value);
        if (verdict.kind == JudgeVerdict::Kind::answer || verdict.kind == JudgeVerdict::Kind::tie)
            ++votes[{verdict.kind, verdict.value}];
    }
    if (!ratings.empty()) {
        std::ranges::sort(ratings);
        return JudgeVerdict::rating(ratings[(ratings.size() - 1) / 2]);
    }
    if (votes.empty()) return JudgeVerdict::none(verdicts.empty() ? "no judgement" : "no judgement has a verdict");
    std::int64_t most = 0;
    for (const auto& [verdict, count] : votes) most = std::max(most, count);
    JudgeVerdict winner;
    for (const auto& [verdict, count] : votes) {
        if (count != most) continue;
        if (winner.kind != JudgeVerdict::Kind::none) return JudgeVerdict::tie();
        winner = {verdict.first, verdict.second, {}};
    }
    return winner;
}

void JudgeCounts::add(const JudgeReply& reply) {
    const bool none = reply.verdict.kind == JudgeVerdict::Kind::none;
    ++replies;
    ++unparsed.total;
    ++truncated.total;
    unparsed.count += none ? 1 : 0;
    truncated.count += none && reply.cut_off ? 1 : 0;
    ties += reply.verdict.kind == JudgeVerdict::Kind::tie ? 1 : 0;
    ++verdicts[name_of(reply.verdict)];
    if (!reply.lang.empty()) ++languages[reply.lang];
    if (!names_answer(reply)) return;
    ++first_slot.total;
    first_slot.count += reply.verdict.value == 0 ? 1 : 0;
}

void JudgeCounts::add(OrderMode mode, const OrderedReplies& both) {
    const std::optional<JudgeReply> ab = uses_ab(mode) ? both.ab : std::nullopt;
    const std::optional<JudgeReply> ba = uses_ba(mode) ? both.ba : std::nullopt;
    const std::optional<double> preferred = preference(mode, both);
    ++(preferred ? items : missing);
    even += preferred == 0.5 ? 1 : 0;
    for (const auto* const reply : {&ab, &ba})
        if (*reply) add(**reply);
    if (!ab || !ba || !names_answer(*ab) || !names_answer(*ba)) return;
    ++order_agreement.total;
    order_agreement.count += named_answer(*ab, false) == named_answer(*ba, true) ? 1 : 0;
}

Json JudgeCounts::as_json() const {
    const auto share = [](const Share& of) {
        Json json = {{"count", of.count}, {"total", of.total}, {"share", nullptr}, {"low", nullptr}, {"high", nullptr}};
        if (of.total == 0) return json;
        const Interval interval = of.interval();
        json["share"] = of.value();
        json["low"] = interval.low;
        json["high"] = interval.high;
        return json;
    };
    return Json{{"items", items},
                {"missing", missing},
                {"even", even},
                {"replies", replies},
                {"ties", ties},
                {"unparsed", share(unparsed)},
                {"truncated", share(truncated)},
                {"first_slot", share(first_slot)},
                {"order_agreement", share(order_agreement)},
                {"verdicts", verdicts},
                {"languages", languages}};
}

std::int32_t shown_at(std::uint64_t seed, const std::string& id, std::int32_t occurrence, std::int32_t answers) {
    require(answers > 0, "a ranking needs answers");
    Random random(seed, stable_hash(id + '\n' + std::to_string(occurrence)));
    return static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(answers)));
}

std::string shown_order(std::int32_t place, std::int32_t answers) {
    std::string order;
    for (std::int32_t i = 0; i < answers; ++i) order += static_cast<char>('A' + i);
    std::swap(order[0], order[static_cast<std::size_t>(place)]);
    return order;
}

std::vector<float> ranking_scores(const JudgeVerdict& verdict, const std::string& order) {
    const bool named = verdict.kind == JudgeVerdict::Kind::answer && verdict.value < std::ssize(order);
    std::vector<float> scores(order.size(), named ? 0.0F : 1.0F / static_cast<float>(order.size()));
    if (named) scores[static_cast<std::size_t>(order[static_cast<std::size_t>(verdict.value)] - 'A')] = 1.0F;
    return scores;
}

Unrated unrated_rule(const std::string& parser) { return parser == "rewardbench_v2" ? Unrated::loses : Unrated::even; }

std::vector<float> rating_scores(std::span<const JudgeVerdict> ratings, Unrated rule) {
    std::vector<float> scores;
    for (const JudgeVerdict& rating : ratings)
        scores.push_back(rating.kind == JudgeVerdict::Kind::rating ? static_cast<float>(rating.value) : kUnrated);
    const bool unrated =
        std::ranges::any_of(ratings, [](const JudgeVerdict& one) { return one.kind != JudgeVerdict::Kind::rating; });
    if (unrated && rule == Unrated::even) std::ranges::fill(scores, kUnrated);
    return scores;
}

}  // namespace xlrm
