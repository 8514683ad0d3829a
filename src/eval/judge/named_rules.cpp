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

// The score that a judge names, "" where there is none. A number with a decimal point that is not JSON loses what follows the
// point.
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
    if (!found) return "";
    const std::size_t point = found->find('.');
    const bool decimal = point != std::string_view::npos && number_of_digits(found->substr(0, point)) &&
                         number_of_digits(found->substr(point + 1));
    return std::string(decimal ? found->substr(0, point) : *found);
}

}  // namespace

Verdict prometheus_pair(std::string_view text) {
    static const Pattern pattern(
        R"((?:\[RESULT\]|\[RESULT:\s*|\[Response\s+|\[Result\](?:\s+Response)?|\[Result:\s*|(?:^|\n)Result:?\s*)\s*(A|B)(?:\])?(?:\s*$))",
        Pattern::ignore_case | Pattern::multiline);
    const std::string valid = replace_invalid_utf8(text);
    const auto letter = last_group(pattern.search(valid));
    if (!letter) return Verdict::none("no [RESULT] with A or B");
    return Verdict::answer(*letter == "A" || *letter == "a" ? 0 : 1);
}

Verdict prometheus_rating(std::string_view text) {
    static const Pattern pattern(
        R"((?:\[RESULT\]|\[SCORE\]|Score:?|score:?|Result:?|\[Result\]:?|score\s+of)\s*(?:\(|\[|\s)*(\d+))"
        R"((?:(?:\)|\]|\s|$)|(?:/\s*5|\s*out\s*of\s*5))?(?:\s*$))",
        Pattern::ignore_case);
    const std::string valid = replace_invalid_utf8(text);
    const auto digits = last_group(pattern.search(valid));
    if (!digits) return Verdict::none("no score at the end");
    const auto number = number_of_digits(*digits);
    if (!number || *number < 1 || *number > 5) return Verdict::none("a score beyond 1 to 5");
    return Verdict::rating(*number);
}

Verdict m_prometheus_pair(std::string_view text) {
    if (text.find("[RESULT]") == std::string_view::npos) return Verdict::none("no [RESULT]");
    if (text.ends_with('A')) return Verdict::answer(0);
    if (text.ends_with('B')) return Verdict::answer(1);
    return Verdict::none("the last character is neither A nor B");
}

Verdict mr3_pair(std::string_view text) {
    const std::string score = mr3_score(replace_invalid_utf8(text));
    if (score == "Assistant A") return Verdict::answer(0);
    if (score == "Assistant B") return Verdict::answer(1);
    return Verdict::none(score.empty() ? "no score" : "a score that names no assistant");
}

Verdict mr3_rating(std::string_view text) {
    const auto number = number_of_digits(mr3_score(replace_invalid_utf8(text)));
    if (!number) return Verdict::none("no score");
    if (*number < 1 || *number > 5) return Verdict::none("a score beyond 1 to 5");
    return Verdict::rating(*number);
}

}  // namespace xlrm::judge
