#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "xlrm/core/json.hpp"
#include "xlrm/eval/judge_parser.hpp"
#include "xlrm/stats/intervals.hpp"

namespace xlrm {

//! In which order a judge sees the answers of a pair, and what two orders make of one item.
enum class OrderMode {
    ab,               //!< the chosen answer as A
    ba,               //!< the chosen answer as B
    both_consistent,  //!< both; a preference counts where both orders name the same answer, else it is a tie
    both_average      //!< both; the mean of the two preferences
};
OrderMode parse_order_mode(const std::string& name);  //!< "AB", "BA", "both-consistent", "both-average"; throws Error(usage)
const char* name_of(OrderMode mode);
bool uses_ab(OrderMode mode);
bool uses_ba(OrderMode mode);

//! A judge's answer to one prompt.
struct JudgeReply {
    JudgeVerdict verdict;
    bool cut_off = false;   //!< the text ended by its length
    std::string lang = {};  //!< that the text is in, as detect_language says; "" = not looked for
};

//! Both orders of an item; an order that was not asked for, or whose reply is missing, is nothing.
struct OrderedReplies {
    std::optional<JudgeReply> ab, ba;
};

//! How much the judge prefers the chosen answer: 1, 0, or 0.5 for a tie and for no verdict (as RewardBench counts it); with
//! both-average also 0.25 and 0.75. Nothing where an order that the mode uses has no reply.
std::optional<double> preference(OrderMode mode, const OrderedReplies& replies);
//! Of one reply: 1 where it names the first answer shown, 0 the second, 0.5 else. REQUIRES: a reply of the form pair.
double first_preference(const JudgeReply& reply);

//! Most frequent verdict of several judgements of one prompt, those without a verdict left out; equally frequent ones are a tie.
//! Ratings: their median (of two in the middle the lower). None where all are.
JudgeVerdict majority(std::span<const JudgeVerdict> verdicts);

//! A share with its Wilson interval; `total` 0 = there is none.
struct Share {
    std::int64_t count = 0, total = 0;
    double value() const { return static_cast<double>(count) / static_cast<double>(total); }
    //! REQUIRES: total > 0.
    Interval interval() const { return wilson_interval(count, total); }
};

//! What a judge did, apart from whom it preferred; of one language or of all.
struct JudgeCounts {
    std::int64_t items = 0;    //!< with a reply to each of their prompts
    std::int64_t missing = 0;  //!< items without
    std::int64_t even = 0;     //!< items whose best right and best wrong answer come out equal
    std::int64_t replies = 0;
    std::int64_t ties = 0;  //!< replies that say so
    Share unparsed;         //!< replies without a verdict, of all
    Share truncated;        //!< replies that were cut off before a verdict, of all
    Share first_slot;  //!< replies that name the first answer shown, of those that name one: where order has no part 1 / answers
    Share order_agreement;  //!< items whose two orders name the same answer, of those where both name one

    std::map<std::string, std::int64_t> verdicts;   //!< replies by what they say (name_of)
    std::map<std::string, std::int64_t> languages;  //!< replies by the language that they are in, where it was looked for

    //! For results: the counts by name, and each share as {count, total, share, low, high}, the last three null where total is 0.
    Json as_json() const;
    //! Adds a pair, judged in the orders of `mode`; `even` too.
    void add(OrderMode mode, const OrderedReplies& replies);
    //! Adds a reply alone.
    void add(const JudgeReply& reply);
};

//! Where among `answers` the right answer of a ranking is shown; it changes places with the answer that would be there, as in
//! RewardBench 2. A function of seed, id and occurrence alone, each place as likely as any other.
std::int32_t shown_at(std::uint64_t seed, const std::string& id, std::int32_t occurrence, std::int32_t answers);
//! The letters of the answers as they are shown then, the right one's being A: "BACD". REQUIRES: place < answers <= 26.
std::string shown_order(std::int32_t place, std::int32_t answers);

// Scores of an item's answers in a cell, the right ones first. With equal best scores shared (TiePolicy::shared) an item is worth
// what RewardBench 2 gives it.

//! From a ranking of the answers in this order: 1 for the one that is named; 1 / answers for each without a verdict.
std::vector<float> ranking_scores(const JudgeVerdict& verdict, const std::string& order);

//! What an answer without a rating does to its item.
enum class Unrated {
    even,  //!< all answers of the item get kUnrated, since nothing can be said of it: RewardBench 1
    loses  //!< it alone does, so it loses to every answer with a rating: RewardBench 2, where ratings that are not valid are left
           //!< out
};
Unrated unrated_rule(const std::string& parser);  //!< loses for rewardbench_v2, else even
//! Below every rating; what RewardBench notes for one that is not valid.
inline constexpr float kUnrated = -1.0F;
std::vector<float> rating_scores(std::span<const JudgeVerdict> ratings, Unrated rule);

}  // namespace xlrm
