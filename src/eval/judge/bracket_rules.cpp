// Rules that look for [[A]] and the like.
#include <array>
#include <vector>

#include "judge/pattern.hpp"
#include "xlrm/core/utf8.hpp"
#include "xlrm/eval/judge_parser.hpp"

namespace xlrm::judge {
namespace {

constexpr std::array<const char*, 4> kMarks = {"[[A]]", "[[B]]", "[[C]]", "[[D]]"};

bool holds(std::string_view text, std::size_t mark) { return text.find(kMarks[mark]) != std::string_view::npos; }

// What stands between "[[" and "]]", one or two characters, as often as it does, of what `wanted` accepts.
template <class Wanted>
std::vector<std::string_view> marks_of(std::string_view text, Wanted&& wanted) {
    std::vector<std::string_view> found;
    for (std::size_t at = text.find("[["); at != std::string_view::npos; at = text.find("[[", at + 1)) {
        const std::string_view rest = text.substr(at + 2, 4);
        const std::size_t end = rest.find("]]");
        if (end != std::string_view::npos && wanted(rest.substr(0, end))) found.push_back(rest.substr(0, end));
    }
    return found;
}

bool has_other_brackets(std::string_view text) {
    for (const char* const bracket : {"［［", "【", "〔", "「", "[A]", "[B]", "[C]", "[D]"})
        if (text.find(bracket) != std::string_view::npos) return true;
    return false;
}

JudgeVerdict no_single_mark(std::string_view text, std::size_t count) {
    if (count > 1) return JudgeVerdict::none("more than one verdict");
    return JudgeVerdict::none(has_other_brackets(text) ? "no verdict, but other brackets" : "no verdict");
}

std::vector<std::string_view> letters_of(std::string_view text, char last) {
    return marks_of(text, [last](std::string_view mark) { return mark.size() == 1 && mark[0] >= 'A' && mark[0] <= last; });
}

JudgeVerdict either(std::string_view text) {
    if (holds(text, 0) && holds(text, 1)) return JudgeVerdict::none("more than one verdict");
    for (std::size_t i = 0; i < 2; ++i)
        if (holds(text, i)) return JudgeVerdict::answer(static_cast<std::int32_t>(i));
    return JudgeVerdict::none("no verdict");
}

}  // namespace

JudgeVerdict strict_pair(std::string_view text) {
    const auto marks = letters_of(text, 'C');
    if (marks.size() != 1) return no_single_mark(text, marks.size());
    return marks[0] == "C" ? JudgeVerdict::tie() : JudgeVerdict::answer(marks[0][0] - 'A');
}

JudgeVerdict strict_ranking(std::string_view text) {
    const auto marks = letters_of(text, 'D');
    return marks.size() == 1 ? JudgeVerdict::answer(marks[0][0] - 'A') : no_single_mark(text, marks.size());
}

JudgeVerdict strict_rating(std::string_view text) {
    const auto marks = marks_of(
        text, [](std::string_view mark) { return (mark.size() == 1 && mark[0] >= '1' && mark[0] <= '9') || mark == "10"; });
    if (marks.size() != 1) return no_single_mark(text, marks.size());
    return JudgeVerdict::rating(marks[0] == "10" ? 10 : marks[0][0] - '0');
}

JudgeVerdict rewardbench_v1_pair(std::string_view text) {
    for (std::size_t i = 0; i < 2; ++i)
        if (holds(text, i)) return JudgeVerdict::answer(static_cast<std::int32_t>(i));
    return JudgeVerdict::none("no verdict");
}

JudgeVerdict rewardbench_v2_ranking(std::string_view text) {
    for (std::size_t i = 0; i < kMarks.size(); ++i)
        if (holds(text, i)) return JudgeVerdict::answer(static_cast<std::int32_t>(i));
    return JudgeVerdict::none("no verdict");
}

// r"\b([1-9]|10)\b\s*$" on the stripped text: the word boundary is before a digit, so no word character may precede it.
JudgeVerdict rewardbench_rating(std::string_view text) {
    const std::string valid = replace_invalid_utf8(text);
    const std::string_view words = strip(valid);
    const std::size_t size = words.ends_with("10") ? 2 : 1;
    if (words.empty() || words.back() < '0' || words.back() > '9' || (size == 1 && words.back() == '0'))
        return JudgeVerdict::none("no number at the end");
    std::size_t at = words.size() - size;
    if (at > 0 && is_word_character(previous_code_point(words, at)))
        return JudgeVerdict::none("no number from 1 to 10 at the end");
    return JudgeVerdict::rating(size == 2 ? 10 : words.back() - '0');
}

JudgeVerdict m_rewardbench_pair(std::string_view text) { return rewardbench_v1_pair(text); }

JudgeVerdict rm_r1_pair(std::string_view text) { return either(text); }

JudgeVerdict self_taught_pair(std::string_view text) {
    const JudgeVerdict verdict = either(text);
    const bool both = holds(text, 0) && holds(text, 1);
    return verdict.kind == JudgeVerdict::Kind::none && !both && holds(text, 2) ? JudgeVerdict::tie() : verdict;
}

}  // namespace xlrm::judge
