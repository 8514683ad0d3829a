#include "xlrm/eval/judge_parser.hpp"

#include <array>
#include <charconv>

#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

struct Entry {
    const char* name;
    JudgeForm form;
    JudgeVerdict (*rule)(std::string_view);
};

constexpr std::array kEntries = {
    Entry{"strict", JudgeForm::pair, judge::strict_pair},
    Entry{"strict", JudgeForm::ranking, judge::strict_ranking},
    Entry{"strict", JudgeForm::rating, judge::strict_rating},
    Entry{"rewardbench_v1", JudgeForm::pair, judge::rewardbench_v1_pair},
    Entry{"rewardbench_v1", JudgeForm::rating, judge::rewardbench_rating},
    Entry{"rewardbench_v2", JudgeForm::ranking, judge::rewardbench_v2_ranking},
    Entry{"rewardbench_v2", JudgeForm::rating, judge::rewardbench_rating},
    Entry{"m-rewardbench", JudgeForm::pair, judge::m_rewardbench_pair},
    Entry{"prometheus", JudgeForm::pair, judge::prometheus_pair},
    Entry{"prometheus", JudgeForm::rating, judge::prometheus_rating},
    Entry{"m-prometheus", JudgeForm::pair, judge::m_prometheus_pair},
    Entry{"m-prometheus", JudgeForm::rating, judge::prometheus_rating},
    Entry{"rm-r1", JudgeForm::pair, judge::rm_r1_pair},
    Entry{"mr3", JudgeForm::pair, judge::mr3_pair},
    Entry{"mr3", JudgeForm::rating, judge::mr3_rating},
    Entry{"self-taught", JudgeForm::pair, judge::self_taught_pair},
};

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
    return text;
}

}  // namespace

const char* name_of(JudgeForm form) {
    switch (form) {
        case JudgeForm::pair:
            return "pair";
        case JudgeForm::ranking:
            return "ranking";
        case JudgeForm::rating:
            return "rating";
    }
    return "";
}

JudgeForm parse_judge_form(const std::string& name, const std::string& where) {
    for (const JudgeForm form : {JudgeForm::pair, JudgeForm::ranking, JudgeForm::rating})
        if (name == name_of(form)) return form;
    fail(where + ": form '" + name + "' is none of pair, ranking, rating");
}

std::string name_of(const JudgeVerdict& verdict) {
    switch (verdict.kind) {
        case JudgeVerdict::Kind::answer:
            return std::string(1, static_cast<char>('A' + verdict.value));
        case JudgeVerdict::Kind::tie:
            return "tie";
        case JudgeVerdict::Kind::rating:
            return std::to_string(verdict.value);
        case JudgeVerdict::Kind::none:
            break;
    }
    return "none";
}

JudgeVerdict parse_verdict_name(const std::string& name, JudgeForm form, const std::string& where) {
    if (name == "none") return JudgeVerdict::none("no verdict");
    if (form == JudgeForm::rating) {
        std::int32_t number = 0;
        const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
        if (error == std::errc() && end == name.data() + name.size() && number >= 0) return JudgeVerdict::rating(number);
        fail(where + ": verdict '" + name + "' is neither a whole number, 0 or more, nor none");
    }
    if (name == "tie" && form == JudgeForm::pair) return JudgeVerdict::tie();
    const char last = form == JudgeForm::pair ? 'B' : 'D';
    const char letter = name.size() == 1 ? static_cast<char>(name[0] & ~0x20) : '\0';
    if (letter >= 'A' && letter <= last) return JudgeVerdict::answer(letter - 'A');
    fail(where + ": verdict '" + name + "' is none of " + (form == JudgeForm::pair ? "A, B, tie, none" : "A, B, C, D, none"));
}

JudgeParser::JudgeParser(const std::string& name, JudgeForm form) : name_(name), rule_(nullptr) {
    bool known = false;
    for (const Entry& entry : kEntries) {
        if (name != entry.name) continue;
        known = true;
        if (entry.form == form) rule_ = entry.rule;
    }
    if (!known) fail("--parser '" + name + "' is none of " + joined(names()), ExitCode::usage);
    if (rule_ == nullptr)
        fail("--parser " + name + " has no rule for a prompt of the form '" + name_of(form) + "'", ExitCode::usage);
}

std::vector<std::string> JudgeParser::names() {
    std::vector<std::string> names;
    for (const Entry& entry : kEntries)
        if (names.empty() || names.back() != entry.name) names.emplace_back(entry.name);
    return names;
}

}  // namespace xlrm
