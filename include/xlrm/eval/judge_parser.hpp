#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace xlrm {

//! What a judge is asked for.
enum class JudgeForm {
    pair,     //!< which of two answers, A or B, is better
    ranking,  //!< which of four answers, A to D, is the best
    rating    //!< a whole number for one answer
};
JudgeForm parse_judge_form(const std::string& name, const std::string& where);  //!< "pair", "ranking", "rating"
const char* name_of(JudgeForm form);

//! What a judge's text says.
struct JudgeVerdict {
    enum class Kind { none, answer, tie, rating };
    Kind kind = Kind::none;
    std::int32_t value = 0;   //!< answer: 0 = A, 1 = B, …; rating: the number
    std::string reason = {};  //!< none: why, in a few words, for counts ("no verdict", "two verdicts" …)

    static JudgeVerdict none(std::string why) { return {Kind::none, 0, std::move(why)}; }
    static JudgeVerdict answer(std::int32_t index) { return {Kind::answer, index, {}}; }
    static JudgeVerdict tie() { return {Kind::tie, 0, {}}; }
    static JudgeVerdict rating(std::int32_t number) { return {Kind::rating, number, {}}; }
    bool operator==(const JudgeVerdict& other) const { return kind == other.kind && value == other.value; }
};
//! "A", "B", "C", "D", "tie", "7", or "none".
std::string name_of(const JudgeVerdict& verdict);
//! The reverse, for verdicts that others have read; lower case too. Throws Error naming `where`.
JudgeVerdict parse_verdict_name(const std::string& name, JudgeForm form, const std::string& where);

//! Reads verdicts by one rule; which one is part of a protocol, and stands in results.
class JudgeParser {
public:
    //! Names: those below. Throws Error(usage) for an unknown name, or one that has no rule for `form`.
    JudgeParser(const std::string& name, JudgeForm form);
    //! A function of the text alone; any bytes will do.
    JudgeVerdict parse(std::string_view text) const { return rule_(text); }
    const std::string& name() const { return name_; }
    static std::vector<std::string> names();

private:
    using Rule = JudgeVerdict (*)(std::string_view text);
    std::string name_;
    Rule rule_;
};

// The rules. Texts are searched as they are: brackets of other widths and letters of other scripts are no verdict, and a verdict
// inside code or a quotation counts like any other, unless a rule says otherwise.

namespace judge {

//! strict: exactly one mark [[A]] or [[B]], or [[C]] for a tie (pair; MT-Bench's words, Zheng et al. 2023, arXiv:2306.05685,
//! figure 5); exactly one of [[A]] to [[D]] (ranking); exactly one [[n]], n from 1 to 10 (rating; figure 6). Two marks are no
//! verdict, even where they are the same.
JudgeVerdict strict_pair(std::string_view text);
JudgeVerdict strict_ranking(std::string_view text);
JudgeVerdict strict_rating(std::string_view text);

//! rewardbench_v1: [[A]] anywhere is A, else [[B]] anywhere is B (process_judgement in rewardbench/generative.py, RewardBench
//! 0.1.4). Rating: the text without white space around it ends in a whole word 1 to 10 (_get_single_rating, same file).
JudgeVerdict rewardbench_v1_pair(std::string_view text);
JudgeVerdict rewardbench_rating(std::string_view text);

//! rewardbench_v2: the first of [[A]], [[B]], [[C]], [[D]] in this order that is anywhere in the text (process_judgement in
//! rewardbench/generative_v2.py, RewardBench 0.1.4); ratings as in rewardbench_v1 (same file).
JudgeVerdict rewardbench_v2_ranking(std::string_view text);

//! m-rewardbench: as rewardbench_v1 (process_judgement in scripts/generative.py of for-ai/aya_rm_multilingual, 13a1d021).
JudgeVerdict m_rewardbench_pair(std::string_view text);

//! prometheus: prometheus-eval 0.1.20, parser.py. Pair: [RESULT], "Result:" at the beginning of a line and other spellings, in
//! any case, then A or B at the end of a line. Rating: one of these or "Score:", "score of" …, then a whole number 1 to 5 at the
//! end of the text.
JudgeVerdict prometheus_pair(std::string_view text);
JudgeVerdict prometheus_rating(std::string_view text);

//! m-prometheus: the text holds [RESULT] and its last character is A or B (process_judgement with "prometheus" in
//! rewardbench/generative.py, RewardBench 0.1.4, whose fork MM-Eval measures M-Prometheus). Ratings as prometheus.
JudgeVerdict m_prometheus_pair(std::string_view text);

//! rm-r1: [[A]] or [[B]], not both (process_judgement in eval/RM-Bench/rewardbench/generative.py of RM-R1-UIUC/RM-R1, 9f5adf9b).
JudgeVerdict rm_r1_pair(std::string_view text);

//! mr3: after the first </think>, `score` of a JSON object, else what follows the first "score:" in any quotation marks
//! (extract_score and parse_qwen3_response in src/evaluation/utils.py of rubricreward/mr3, 7fedcbcd). Pair: "Assistant A" or
//! "Assistant B". Rating: a whole number 1 to 5.
JudgeVerdict mr3_pair(std::string_view text);
JudgeVerdict mr3_rating(std::string_view text);

//! self-taught: [[A]] or [[B]], not both, else [[C]] for a tie (parse_judgement in projects/self_taught_evaluator/src/utils.py of
//! facebookresearch/RAM, 3666f355).
JudgeVerdict self_taught_pair(std::string_view text);

}  // namespace judge

}  // namespace xlrm
