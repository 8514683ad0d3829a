#include "xlrm/eval/judge_orders.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "xlrm/core/error.hpp"
#include "xlrm/core/random.hpp"

namespace xlrm {
namespace {

constexpr std::array kModes = {OrderMode::ab, OrderMode::ba, OrderMode::both_consistent, OrderMode::both_average};
constexpr double kUnparsedOfFour = 0.25;

bool names_answer(const JudgeReply& reply) { return reply.verdict.kind == Verdict::Kind::answer; }

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

Verdict majority(std::span<const Verdict> verdicts) {
    std::vector<std::int32_t> ratings;
    std::map<std::pair<Verdict::Kind, std::int32_t>, std::int64_t> votes;
    for (const Verdict& verdict : verdicts) {
        if (verdict.kind == Verdict::Kind::rating) ratings.push_back(verdict.value);
        if (verdict.kind == Verdict::Kind::answer || verdict.kind == Verdict::Kind::tie) ++votes[{verdict.kind, verdict.value}];
    }
    if (!ratings.empty()) {
        std::ranges::sort(ratings);
        return Verdict::rating(ratings[(ratings.size() - 1) / 2]);
    }
    if (votes.empty()) return Verdict::none(verdicts.empty() ? "no judgement" : "no judgement has a verdict");
    std::int64_t most = 0;
    for (const auto& [verdict, count] : votes) most = std::max(most, count);
    Verdict winner;
    for (const auto& [verdict, count] : votes) {
        if (count != most) continue;
        if (winner.kind != Verdict::Kind::none) return Verdict::tie();
        winner = {verdict.first, verdict.second, {}};
    }
    return winner;
}

void JudgeCounts::add(OrderMode mode, const OrderedReplies& both) {
    const std::optional<JudgeReply> ab = uses_ab(mode) ? both.ab : std::nullopt;
    const std::optional<JudgeReply> ba = uses_ba(mode) ? both.ba : std::nullopt;
    ++(preference(mode, both) ? items : missing);
    for (const auto* const reply : {&ab, &ba}) {
        if (!*reply) continue;
        const bool none = (*reply)->verdict.kind == Verdict::Kind::none;
        ++replies;
        ++unparsed.total;
        ++truncated.total;
        unparsed.count += none ? 1 : 0;
        truncated.count += none && (*reply)->cut_off ? 1 : 0;
        ties += (*reply)->verdict.kind == Verdict::Kind::tie ? 1 : 0;
        if (!(*reply)->lang.empty()) ++languages[(*reply)->lang];
        if (!names_answer(**reply)) continue;
        ++first_slot.total;
        first_slot.count += (*reply)->verdict.value == 0 ? 1 : 0;
    }
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
                {"replies", replies},
                {"ties", ties},
                {"unparsed", share(unparsed)},
                {"truncated", share(truncated)},
                {"first_slot", share(first_slot)},
                {"order_agreement", share(order_agreement)},
                {"languages", languages}};
}

std::int32_t shown_at(std::uint64_t seed, const std::string& id, std::int32_t occurrence, std::int32_t answers) {
    require(answers > 0, "a ranking needs answers");
    Random random(seed, stable_hash(id + '\n' + std::to_string(occurrence)));
    return static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(answers)));
}

double rating_score(std::span<const Verdict> ratings) {
    std::int64_t best = 0;
    std::int32_t most = 0;
    bool right = false;
    for (std::size_t i = 0; i < ratings.size(); ++i) {
        if (ratings[i].kind != Verdict::Kind::rating) continue;
        if (best == 0 || ratings[i].value > most) {
            most = ratings[i].value;
            best = 0;
            right = i == 0;
        }
        if (ratings[i].value == most) ++best;
    }
    if (best == 0) return kUnparsedOfFour;
    return right ? 1.0 / static_cast<double>(best) : 0.0;
}

double ranking_score(const Verdict& verdict, std::int32_t shown_at) {
    if (verdict.kind != Verdict::Kind::answer) return kUnparsedOfFour;
    return verdict.value == shown_at ? 1.0 : 0.0;
}

}  // namespace xlrm
