// Rules that look for a named result: Prometheus' and mR3's.
#include "judge/pattern.hpp"
#include "xlrm/core/json.hpp"
#include "xlrm/core/utf8.hpp"
#include "xlrm/eval/judge_parser.hpp"

namespace xlrm::judge {
namespace {

std::optional<std::string_view> last_group(const std::optional<std::vector<std::optional<std::string_view>>>& match) {
    if (!match) return {};
    for (auto group = match->rbegin(); group + 1 != match->rend(); ++group)
        if (*group) return *group;
    return {};
}

// A JSON value as Python's str() writes it, of those that can be a verdict.
std::string text_of(const Json& value) {
    if (value.is_string()) return value.get<std::string>();
    if (value.is_boolean()) return value.get<bool>() ? "True" : "False";
    return value.is_null() ? "" : value.dump();
}

// A number of decimal digits of any script as Python's str(int(…)) writes it, without what follows a decimal point; another text
// as it is.
std::string mr3_number(std::string_view text) {
    const std::string_view number = text.ends_with('\n') ? text.substr(0, text.size() - 1) : text;  // as `$` matches
    const std::size_t point = number.find('.');
    const auto whole = number_of_digits(number.substr(0, point));
    const bool is_number = whole && (point == std::string_view::npos || number_of_digits(number.substr(point + 1)));
    return is_number ? std::to_string(*whole) : std::string(text);
}

// The score that a judge names, "" where there is none. That of a JSON object is taken as it is written.
std::string mr3_score(std::string_view text) {
    if (const std::size_t at = text.find("</think>"); at != std::string_view::npos) text = strip(text.substr(at + 8));
    const Json object = Json::parse(text, nullptr, false);
    if (object.is_object()) {
        const auto score = object.find("score");
        return score == object.end() ? "" : text_of(*score);
    }
    if (!object.is_discarded()) return "";
    static const Pattern pattern(R"((?:['"]?score['"]?)\s*:\s*(?:['"]([^'"]+)['"]|([^,}\s]+)))", Pattern::none);
    const auto found = last_group(pattern.search(text));
    return found ? mr3_number(*found) : "";
}

}  // namespace

JudgeVerdict prometheus_pair(std::string_view text) {
    static const Pattern pattern(
        R"((?:\[RESULT\]|\[RESULT:\s*|\[Response\s+|\[Result\](?:\s+Response)?|\[Result:\s*|(?:^|\n)Result:?\s*)\s*(A|B)(?:\])?(?:\s*$))",
        Pattern::ignore_case | Pattern::multiline);
    const std::string valid = replace_invalid_utf8(text);
    const auto letter = last_group(pattern.search(valid));
    if (!letter) return JudgeVerdict::none("no [RESULT] with A or B");
    return JudgeVerdict::answer(*letter == "A" || *letter == "a" ? 0 : 1);
}

JudgeVerdict prometheus_rating(std::string_view text) {
    static const Pattern pattern(
        R"((?:\[RESULT\]|\[SCORE\]|Score:?|score:?|Result:?|\[Result\]:?|score\s+of)\s*(?:\(|\[|\s)*(\d+))"
        R"((?:(?:\)|\]|\s|$)|(?:/\s*5|\s*out\s*of\s*5))?(?:\s*$))",
        Pattern::ignore_case);
    const std::string valid = replace_invalid_utf8(text);
    const auto digits = last_group(pattern.search(valid));
    if (!digits) return JudgeVerdict::none("no score at the end");
    const auto number = number_of_digits(*digits);
    if (!number || *number < 1 || *number > 5) return JudgeVerdict::none("a score beyond 1 to 5");
    return JudgeVerdict::rating(*number);
}

JudgeVerdict m_prometheus_pair(std::string_view text) {
    if (text.find("[RESULT]") == std::string_view::npos) return JudgeVerdict::none("no [RESULT]");
    if (text.ends_with('A')) return JudgeVerdict::answer(0);
    if (text.ends_with('B')) return JudgeVerdict::answer(1);
    return JudgeVerdict::none("the last character is neither A nor B");
}

JudgeVerdict mr3_pair(std::string_view text) {
    const std::string score = mr3_score(replace_invalid_utf8(text));
    if (score == "Assistant A") return JudgeVerdict::answer(0);
    if (score == "Assistant B") return JudgeVerdict::answer(1);
    return JudgeVerdict::none(score.empty() ? "no score" : "a score that names no assistant");
}

JudgeVerdict mr3_rating(std::string_view text) {
    const std::string score = mr3_score(replace_invalid_utf8(text));
    if (score.size() != 1 || score[0] < '0' || score[0] > '9')
        return JudgeVerdict::none(score.empty() ? "no score" : "a score that is no number from 1 to 5");
    if (score[0] < '1' || score[0] > '5') return JudgeVerdict::none("a score beyond 1 to 5");
    return JudgeVerdict::rating(score[0] - '0');
}

}  // namespace xlrm::judge
