#include <gtest/gtest.h>

#include <cmath>

#include "support/expect_error.hpp"
#include "xlrm/data/preference_row.hpp"

namespace xlrm {
namespace {

std::vector<std::string> texts_of(const PreferenceRow& row) {
    std::vector<std::string> texts;
    for (const RowAnswer& answer : row.answers) texts.push_back(answer.text());
    return texts;
}

PreferenceRow one(const std::string& json, RowKind kind) {
    const auto rows = parse_row(json, kind, "f.jsonl:3", "f.jsonl:3", "en");
    EXPECT_EQ(rows.size(), 1U);
    return rows.front();
}

void expect_refused(const std::string& json, RowKind kind, const std::string& words) {
    expect_error([&] { one(json, kind); }, {"f.jsonl:3: field ", words});
}

TEST(ResponseRow, ReadsPromptAndResponseInEveryForm) {
    for (
        const char* json :
        {R"({"id": "a", "lang": "kor", "prompt": "q", "response": "r"})",
         R"({"id": "a", "lang": "ko", "prompt": "q", "completion": "r"})",
         R"({"id": "a", "lang": "ko", "prompt": [{"role": "user", "content": "q"}], "completion": [{"role": "assistant", "content": "r"}]})",
         R"({"id": "a", "lang": "ko", "messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "r"}]})"}) {
        const PreferenceRow row = one(json, RowKind::response);
        EXPECT_EQ(row.id, "a");
        EXPECT_EQ(row.lang, "ko");
        ASSERT_EQ(row.prompt.size(), 1U) << json;
        EXPECT_EQ(row.prompt[0].role, "user");
        EXPECT_EQ(row.prompt[0].content, "q");
        EXPECT_EQ(texts_of(row), std::vector<std::string>{"r"});
        EXPECT_TRUE(row.labels.empty());
    }
}

TEST(ResponseRow, PutsARankingsBestAnswerFirst) {
    const PreferenceRow row =
        one(R"({"prompt": "q", "responses": ["c", "a", "b1", "b2"], "ranks": [3, 1, 2, 2]})", RowKind::ranking);
    EXPECT_EQ(texts_of(row), (std::vector<std::string>{"a", "b1", "b2", "c"}));
    EXPECT_EQ(row.labels, (std::vector<float>{1, 2, 2, 3}));
    EXPECT_EQ(row.num_correct, 1);
}

TEST(ResponseRow, RanksConversationsThatPart) {
    const PreferenceRow row = one(
        R"({"ranks": [2, 1], "tools": [{"name": "f"}], "responses": [[{"role": "user", "content": "p"}, {"role": "assistant", "content": "a"}],
        [{"role": "user", "content": "q"}, {"role": "assistant", "content": "b"}]]})",
        RowKind::ranking);
    EXPECT_EQ(texts_of(row), (std::vector<std::string>{"b", "a"}));
    EXPECT_TRUE(row.prompt.empty());
    EXPECT_EQ(row.answers[0].turns[0].content, "q");
    EXPECT_EQ(row.variables.at("tools").size(), 1U);
}

TEST(ResponseRow, ReadsLabelsWithNullsAsMask) {
    const PreferenceRow row = one(R"({"prompt": "q", "response": "r", "labels": [0.5, null, -2]})", RowKind::regression);
    ASSERT_EQ(row.labels.size(), 3U);
    EXPECT_EQ(row.labels[0], 0.5F);
    EXPECT_TRUE(std::isnan(row.labels[1]));
    EXPECT_EQ(row.labels[2], -2.0F);
    EXPECT_EQ(one(R"({"prompt": "q", "response": "r", "labels": 4})", RowKind::regression).labels, std::vector<float>{4});
}

TEST(ResponseRow, NamesTheFieldThatIsWrong) {
    expect_refused(R"({"prompt": "q"})", RowKind::response, "'response' is missing");
    expect_refused(R"({"response": "r"})", RowKind::response, "'prompt' is missing");
    expect_refused(R"({"messages": [{"role": "user", "content": "q"}]})", RowKind::response,
                   "'messages' does not end with a turn of the assistant");
    expect_refused(R"({"prompt": "q", "responses": ["a"], "ranks": [1]})", RowKind::ranking,
                   "'responses' is not a list of two or more");
    expect_refused(R"({"prompt": "q", "responses": ["a", "b"], "ranks": [1]})", RowKind::ranking,
                   "'ranks' is not a list of one rank for each of the 2");
    expect_refused(R"({"prompt": "q", "responses": ["a", "b"], "ranks": [1, null]})", RowKind::ranking,
                   "'ranks[1]' is not a number");
    expect_refused(R"({"prompt": "q", "response": "r", "labels": [1, "x"]})", RowKind::regression, "'labels[1]' is not a number");
    expect_refused(R"({"prompt": "q", "response": "r", "labels": []})", RowKind::regression, "'labels' is empty");
}

TEST(RowKind, HasANameThatIsReadBack) {
    for (const char* name : {"preference", "document", "response", "ranking", "regression"})
        EXPECT_STREQ(name_of(parse_row_kind(name)), name);
    expect_error([] { parse_row_kind("pairs"); }, {"'pairs'"});
}

}  // namespace
}  // namespace xlrm
