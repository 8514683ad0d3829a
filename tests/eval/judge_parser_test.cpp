#include "xlrm/eval/judge_parser.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "support/expect_error.hpp"
#include "support/shared_data.hpp"
#include "xlrm/core/json.hpp"

namespace xlrm {
namespace {

std::string verdict(const char* parser, JudgeForm form, std::string_view text) {
    return name_of(JudgeParser(parser, form).parse(text));
}
std::string pair(const char* parser, std::string_view text) { return verdict(parser, JudgeForm::pair, text); }

std::string of_package(const Json& value) {
    if (value.is_null()) return "none";
    if (value.is_number()) return value.get<int>() < 0 ? "none" : std::to_string(value.get<int>());
    return value == "error" ? "none" : value.get<std::string>();
}

// The judges' own functions: of rewardbench 0.1.4, prometheus-eval 0.1.20 and the repositories that judge_parser.hpp names
// (make_judge_verdicts.py).
TEST(JudgeParser, ReadsWhatThePublishedPackagesRead) {
    const Json golden = read_json(test::fixture("eval/judge_verdicts.json"));
    ASSERT_GT(golden.at("texts").size(), 200U);
    std::map<std::string, std::set<std::string>> seen;
    const auto check = [&](const Json& row, const char* column, const char* parser, JudgeForm form) {
        const auto text = row.at("text").get<std::string>();
        const std::string wanted = of_package(row.at(column));
        EXPECT_EQ(verdict(parser, form, text), wanted) << parser << " as " << name_of(form) << ": '" << text << "'";
        seen[std::string(parser) + name_of(form)].insert(wanted);
    };
    for (const Json& row : golden.at("texts")) {
        check(row, "rewardbench_v1", "rewardbench_v1", JudgeForm::pair);
        check(row, "m-rewardbench", "m-rewardbench", JudgeForm::pair);
        check(row, "rewardbench_v2", "rewardbench_v2", JudgeForm::ranking);
        check(row, "rating", "rewardbench_v1", JudgeForm::rating);
        check(row, "rating", "rewardbench_v2", JudgeForm::rating);
        check(row, "prometheus", "prometheus", JudgeForm::pair);
        check(row, "prometheus_rating", "prometheus", JudgeForm::rating);
        check(row, "m-prometheus", "m-prometheus", JudgeForm::pair);
        check(row, "prometheus_rating", "m-prometheus", JudgeForm::rating);
        check(row, "rm-r1", "rm-r1", JudgeForm::pair);
        check(row, "self-taught", "self-taught", JudgeForm::pair);
        check(row, "mr3", "mr3", JudgeForm::pair);
        check(row, "mr3_rating", "mr3", JudgeForm::rating);
    }
    EXPECT_EQ(seen["rewardbench_v1pair"], (std::set<std::string>{"A", "B", "none"}));
    EXPECT_EQ(seen["rewardbench_v2ranking"], (std::set<std::string>{"A", "B", "C", "D", "none"}));
    for (const char* name : {"prometheuspair", "m-prometheuspair", "m-rewardbenchpair", "rm-r1pair", "mr3pair"})
        EXPECT_EQ(seen[name], (std::set<std::string>{"A", "B", "none"})) << name;
    EXPECT_EQ(seen["self-taughtpair"], (std::set<std::string>{"A", "B", "tie", "none"}));
    EXPECT_EQ(seen["mr3rating"], (std::set<std::string>{"1", "2", "3", "4", "5", "none"}));
    EXPECT_GE(seen["rewardbench_v1rating"].size(), 6U);
    EXPECT_EQ(seen["prometheusrating"], (std::set<std::string>{"1", "2", "3", "4", "5", "none"}));
}

// What each rule says of a text, by hand from the published rule; "" = none.
struct Case {
    const char* text;
    const char* strict;
    const char* rm_r1;
    const char* self_taught;
    const char* rewardbench_v1;
};
const std::vector<Case> kBrackets = {
    {"[[A]]", "A", "A", "A", "A"},
    {"My verdict is [[B]], for its facts.", "B", "B", "B", "B"},
    {"Both are equal: [[C]]", "tie", "", "tie", ""},
    {"", "", "", "", ""},
    {"I cannot decide.", "", "", "", ""},
    {"[[A]] … no, rather [[B]]", "", "", "", "A"},
    {"[[B]] … no, rather [[A]]", "", "", "", "A"},
    {"[[A]] I said, so [[A]]", "", "A", "A", "A"},
    {"[[C]] or [[A]]", "", "A", "A", "A"},
    {"El asistente B responde mejor. [[B]]", "B", "B", "B", "B"},
    {"답변 A가 더 낫습니다. [[A]]", "A", "A", "A", "A"},
    {"回答B更好。[[B]]", "B", "B", "B", "B"},
    {"【【A】】", "", "", "", ""},
    {"［［A］］", "", "", "", ""},
    {"［［Ａ］］", "", "", "", ""},
    {"[[Ａ]]", "", "", "", ""},  // full-width letter
    {"[[А]]", "", "", "", ""},   // Cyrillic letter
    {"[[a]]", "", "", "", ""},
    {"[[ A ]]", "", "", "", ""},
    {"[A]", "", "", "", ""},
    {"The better one is [[", "", "", "", ""},
    {"The better one is [[A", "", "", "", ""},
    {"The better one is [[A]", "", "", "", ""},
    {"```bash\nif [[A]]; then\n```\nVerdict: [[B]]", "", "", "", "A"},
    {"```\n[[B]]\n```", "B", "B", "B", "B"},
    {"`[[A]]` is what I say", "A", "A", "A", "A"},
    {"<answer>[[B]]</answer>", "B", "B", "B", "B"},
    {"[[A/B]]", "", "", "", ""},
    {"[[[A]]]", "A", "A", "A", "A"},
    {"[[A]][[A]]", "", "A", "A", "A"},
    {"[[D]]", "", "", "", ""},
    {"\xFF\xFE[[B]]\x80", "B", "B", "B", "B"},
    {"**[[A]]**\n", "A", "A", "A", "A"},
};

TEST(JudgeParser, BracketRulesDifferWhereTheirRulesDo) {
    for (const Case& one : kBrackets) {
        const auto wanted = [](const char* name) { return *name == '\0' ? std::string("none") : std::string(name); };
        EXPECT_EQ(pair("strict", one.text), wanted(one.strict)) << one.text;
        EXPECT_EQ(pair("rm-r1", one.text), wanted(one.rm_r1)) << one.text;
        EXPECT_EQ(pair("self-taught", one.text), wanted(one.self_taught)) << one.text;
        EXPECT_EQ(pair("rewardbench_v1", one.text), wanted(one.rewardbench_v1)) << one.text;
        EXPECT_EQ(pair("m-rewardbench", one.text), wanted(one.rewardbench_v1)) << one.text;
    }
}

// Exactly one mark, in the brackets and letters of the rule.
TEST(JudgeParser, StrictTakesOneOfFour) {
    const std::map<std::string, std::string> texts = {{"[[A]]", "A"},
                                                      {"[[B]]", "B"},
                                                      {"[[C]]", "C"},
                                                      {"x [[D]] y", "D"},
                                                      {"Answer C is best: [[C]].", "C"},
                                                      {"La respuesta D es la mejor. [[D]]", "D"},
                                                      {"답변 B가 가장 좋습니다. [[B]]", "B"},
                                                      {"回答C最好。[[C]]", "C"},
                                                      {"الإجابة أ أفضل [[A]]", "A"},
                                                      {"**[[B]]**\n", "B"},
                                                      {"```\n[[D]]\n```", "D"},
                                                      {"<answer>[[A]]</answer>", "A"},
                                                      {"[[[C]]]", "C"},
                                                      {"[[E]] but [[A]]", "A"},  // E is no answer
                                                      {"[[1]] [[B]]", "B"},
                                                      {"\xFF[[A]]\x80", "A"},
                                                      {"[[A]] [[D]]", "none"},
                                                      {"[[D]] [[D]]", "none"},
                                                      {"[[A]][[B]][[C]][[D]]", "none"},
                                                      {"`if [[A]]` … [[B]]", "none"},
                                                      {"[[E]]", "none"},
                                                      {"", "none"},
                                                      {"none of them", "none"},
                                                      {"D", "none"},
                                                      {"[D]", "none"},
                                                      {"[[d]]", "none"},
                                                      {"[[ D ]]", "none"},
                                                      {"[[Ｄ]]", "none"},     // full-width
                                                      {"［［D］］", "none"},  // likewise
                                                      {"【【D】】", "none"},
                                                      {"[[С]]", "none"},  // Cyrillic
                                                      {"the best is [[", "none"},
                                                      {"the best is [[C]", "none"},
                                                      {"[[A/B/C/D]]", "none"},
                                                      {"[[tie]]", "none"}};
    EXPECT_GE(texts.size(), 30U);
    for (const auto& [text, wanted] : texts) EXPECT_EQ(verdict("strict", JudgeForm::ranking, text), wanted) << text;
}

TEST(JudgeParser, StrictTakesOneRating) {
    const std::map<std::string, std::string> texts = {{"Rating: [[7]]", "7"},
                                                      {"[[1]]", "1"},
                                                      {"[[10]]", "10"},
                                                      {"[[9]].", "9"},
                                                      {"[[A]] [[6]]", "6"},  // a letter is no rating
                                                      {"[[11]] or rather [[8]]", "8"},
                                                      {"Puntuación: [[5]]", "5"},
                                                      {"점수: [[4]]", "4"},
                                                      {"评分：[[3]]", "3"},
                                                      {"التقييم [[2]]", "2"},
                                                      {"**[[7]]**", "7"},
                                                      {"```\n[[7]]\n```", "7"},
                                                      {"[[[7]]]", "7"},
                                                      {"[[8]]/10", "8"},
                                                      {"\xFF[[6]]\x80", "6"},
                                                      {"[[0]]", "none"},
                                                      {"[[11]]", "none"},
                                                      {"[[100]]", "none"},
                                                      {"[[-3]]", "none"},
                                                      {"[[7.5]]", "none"},
                                                      {"[[07]]", "none"},
                                                      {"[[7/10]]", "none"},
                                                      {"[[rating]]", "none"},
                                                      {"7", "none"},
                                                      {"[7]", "none"},
                                                      {"", "none"},
                                                      {"I cannot rate this.", "none"},
                                                      {"[[７]]", "none"},     // full-width
                                                      {"［［7］］", "none"},  // likewise
                                                      {"[[७]]", "none"},
                                                      {"[[3]] [[4]]", "none"},
                                                      {"[[3]] [[3]]", "none"},
                                                      {"`x[[1]]` gives [[5]]", "none"},
                                                      {"[[ 5 ]]", "none"},
                                                      {"I give it [[", "none"},
                                                      {"[[5", "none"},
                                                      {"[[5]", "none"}};
    EXPECT_GE(texts.size(), 30U);
    for (const auto& [text, wanted] : texts) EXPECT_EQ(verdict("strict", JudgeForm::rating, text), wanted) << text;
}

TEST(JudgeParser, Mr3ReadsAScore) {
    const std::map<std::string, std::string> cases = {
        {R"({"explanation": "clear", "score": "Assistant A"})", "A"},
        {R"({"explanation": "한국어 설명", "score": "Assistant B"})", "B"},
        {R"(<think>score: "Assistant A"</think>
{"score": "Assistant B"})",
         "B"},
        {R"(Here it is: {"score": "Assistant A"} as asked)", "A"},
        {R"(```json
{"explanation": "x", "score": "Assistant B"}
```)",
         "B"},
        {"score: 'Assistant A'", "A"},
        {"score: Assistant A", "none"},  // without quotation marks a score is one word
        {R"({"score": "assistant a"})", "none"},
        {R"({"score": "A"})", "none"},
        {R"({"score": "Assistant C"})", "none"},
        {R"({"explanation": "cut off, "score": "Assist)", "none"},
        {R"({"explanation": "cut off" , "score": "Assistant A")", "A"},
        {R"({"score": "Assistant A", "score": "Assistant B"})", "B"},  // the last of a JSON object's
        {R"(x "score": "Assistant A" "score": "Assistant B")", "A"},   // the first of a text's
        {R"(["score", "Assistant A"])", "none"},
        {R"({"Score": "Assistant A"})", "none"},
        {R"({“score”: “Assistant A”})", "none"},  // other quotation marks
        {"[[A]]", "none"},
        {"", "none"},
        {"\xFF{\"score\": \"Assistant A\"}", "A"},
    };
    for (const auto& [text, wanted] : cases) EXPECT_EQ(pair("mr3", text), wanted) << text;
    const std::map<std::string, std::string> ratings = {{R"({"score": 4})", "4"},
                                                        {R"({"score": "5"})", "5"},
                                                        {"score: 3", "3"},
                                                        {"x 'score': 2.0, y", "2"},
                                                        {R"({"score": 6})", "none"},
                                                        {R"({"score": 0})", "none"},
                                                        {R"({"score": true})", "none"},
                                                        {R"({"score": null})", "none"},
                                                        {"score: four", "none"},
                                                        {"4", "none"},
                                                        {R"(<think>score: 1</think> {"score": 5})", "5"},
                                                        {R"({"score": [4]})", "none"},
                                                        {R"({"score": -3})", "none"}};
    for (const auto& [text, wanted] : ratings) EXPECT_EQ(verdict("mr3", JudgeForm::rating, text), wanted) << text;
}

TEST(JudgeParser, PrometheusReadsAnyBytesAndMuchText) {
    EXPECT_EQ(pair("prometheus", "\xFF [RESULT] A"), "A");
    EXPECT_EQ(pair("m-prometheus", "\xFF [RESULT] B"), "B");
    std::string text(200000, ' ');
    text += "[RESULT] A";
    EXPECT_EQ(pair("prometheus", text), "A");
    std::string brackets;
    for (int i = 0; i < 20000; ++i) brackets += "[Result: ";
    EXPECT_EQ(pair("prometheus", brackets), "none");
    EXPECT_EQ(verdict("prometheus", JudgeForm::rating, brackets + "4"), "4");
    const std::string open(400000, '[');
    for (const std::string& name : JudgeParser::names()) {
        if (name == "rewardbench_v2") continue;  // no rule for pairs
        EXPECT_EQ(pair(name.c_str(), open), "none") << name;
    }
}

TEST(JudgeParser, SaysWhyThereIsNoVerdict) {
    EXPECT_EQ(judge::strict_pair("nothing").reason, "no verdict");
    EXPECT_EQ(judge::strict_pair("[[A]] [[B]]").reason, "more than one verdict");
    EXPECT_EQ(judge::strict_pair("【【A】】").reason, "no verdict, but other brackets");
    EXPECT_EQ(judge::prometheus_rating("Score: 9").reason, "a score beyond 1 to 5");
    EXPECT_EQ(judge::mr3_pair(R"({"score": "A"})").reason, "a score that names no assistant");
}

TEST(JudgeParser, UnknownNamesAndFormsAreRefused) {
    expect_error([] { JudgeParser("rewardbench", JudgeForm::pair); }, {"rewardbench'", "strict, rewardbench_v1", "self-taught"});
    expect_error([] { JudgeParser("rm-r1", JudgeForm::rating); }, {"rm-r1", "rating"});
    EXPECT_EQ(JudgeParser::names(), (std::vector<std::string>{"strict", "rewardbench_v1", "rewardbench_v2", "m-rewardbench",
                                                              "prometheus", "m-prometheus", "rm-r1", "mr3", "self-taught"}));
    EXPECT_EQ(parse_verdict_name("b", JudgeForm::pair, "f"), JudgeVerdict::answer(1));
    EXPECT_EQ(parse_verdict_name("tie", JudgeForm::pair, "f"), JudgeVerdict::tie());
    EXPECT_EQ(parse_verdict_name("D", JudgeForm::ranking, "f"), JudgeVerdict::answer(3));
    EXPECT_EQ(parse_verdict_name("8", JudgeForm::rating, "f"), JudgeVerdict::rating(8));
    EXPECT_EQ(parse_verdict_name("none", JudgeForm::rating, "f").kind, JudgeVerdict::Kind::none);
    expect_error([] { parse_verdict_name("-1", JudgeForm::rating, "f.jsonl:3"); }, {"f.jsonl:3", "0 or more"});
    for (const char* name : {"C", "", "AB", "1"})
        expect_error([&] { parse_verdict_name(name, JudgeForm::pair, "f.jsonl:3"); }, {"f.jsonl:3"});
    expect_error([] { parse_verdict_name("A", JudgeForm::rating, "f.jsonl:3"); }, {"f.jsonl:3", "number"});
}

}  // namespace
}  // namespace xlrm
