#include "xlrm/eval/judge_batch.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

const std::vector<JudgeRequest> kRequests = {
    {"en", "x-1", 0, "AB"}, {"en", "x-1", 0, "BA"}, {"ko", "x-1", 0, "AB"}, {"ko", "x-1", 0, "BA"}, {"ko", "a|b", 2, "AB"}};

class JudgeBatch : public testing::Test {
protected:
    fs::path file(const std::string& name, const std::string& text) const {
        std::ofstream(folder_ / name, std::ios::binary) << text;
        return folder_ / name;
    }
    ImportedReplies import(const std::string& text) const {
        return import_replies({file("v.jsonl", text)}, kRequests, JudgeParser("strict", JudgeForm::pair), JudgeForm::pair);
    }
    void expect_refused(const std::string& line, const std::vector<std::string>& parts) const {
        std::vector<std::string> wanted = {"v.jsonl:2"};
        wanted.insert(wanted.end(), parts.begin(), parts.end());
        expect_error([&] { import("\n" + line + "\n"); }, wanted);
    }
    TemporaryFolder folder_;
};

// The shape of "Preparing your batch file" in OpenAI's Batch API guide.
TEST_F(JudgeBatch, LinesAreThoseOfTheBatchFormat) {
    const std::string line =
        batch_line(kRequests[4], "gpt-4o", {{"system", "Judge.", nullptr}, {"user", "Q \"x\"\n안녕", nullptr}},
                   Json{{"temperature", 0}, {"max_tokens", 2048}});
    EXPECT_EQ(
        line,
        R"({"custom_id":"ko|AB|2|a|b","method":"POST","url":"/v1/chat/completions","body":{"model":"gpt-4o","messages":)"
        R"([{"role":"system","content":"Judge."},{"role":"user","content":"Q \"x\"\n안녕"}],"temperature":0,"max_tokens":2048}})");
    for (const JudgeRequest& request : kRequests) EXPECT_EQ(parse_custom_id(custom_id(request), "f"), request);
    for (const char* text : {"", "x", "ko|AB|0", "ko|AB|x|id", "ko|AB|00|id", "ko|AB||id"})
        expect_error([&] { parse_custom_id(text, "f.jsonl:9"); }, {"f.jsonl:9"});
}

TEST_F(JudgeBatch, BatchOutputIsRead) {
    const auto row = [](const std::string& id, const std::string& content, const std::string& reason) {
        return Json{{"id", "batch_req_1"},
                    {"custom_id", id},
                    {"response",
                     {{"status_code", 200},
                      {"request_id", "r"},
                      {"body",
                       {{"choices",
                         {{{"index", 0},
                           {"message", {{"role", "assistant"}, {"content", content}}},
                           {"finish_reason", reason}}}}}}}},
                    {"error", nullptr}}
                   .dump() +
               "\n";
    };
    std::string text = row("en|AB|0|x-1", "I say [[A]]", "stop") + row("en|BA|0|x-1", "I would sa", "length") +
                       row("ko|AB|2|a|b", "[[B]]", "stop");
    text += R"({"custom_id": "ko|AB|0|x-1", "response": null, "error": {"code": "batch_expired", "message": "too late"}})"
            "\n";
    text +=
        R"({"custom_id": "ko|BA|0|x-1", "response": {"status_code": 400, "body": {"error": {"message": "too long"}}}, "error": null})"
        "\n";
    const ImportedReplies found = import(text);
    ASSERT_EQ(found.replies.size(), 5U);
    EXPECT_EQ(found.replies.at(kRequests[0]).reply.verdict, JudgeVerdict::answer(0));
    EXPECT_EQ(found.replies.at(kRequests[0]).text, "I say [[A]]");
    EXPECT_FALSE(found.replies.at(kRequests[0]).reply.cut_off);
    EXPECT_EQ(found.replies.at(kRequests[1]).reply.verdict.kind, JudgeVerdict::Kind::none);
    EXPECT_TRUE(found.replies.at(kRequests[1]).reply.cut_off);
    EXPECT_EQ(found.replies.at(kRequests[4]).reply.verdict, JudgeVerdict::answer(1));
    EXPECT_EQ(found.replies.at(kRequests[2]).reply.verdict.reason, "the request failed");
    EXPECT_EQ(found.failed, (std::vector<std::string>{"ko|AB|0|x-1 (\"too late\")", "ko|BA|0|x-1 (\"too long\")"}));
    EXPECT_TRUE(found.missing.empty());
    EXPECT_EQ(found.report(),
              (std::vector<std::string>{"2 requests failed at the service, so they have no verdict: ko|AB|0|x-1 (\"too late\"), "
                                        "ko|BA|0|x-1 (\"too long\")"}));
}

TEST_F(JudgeBatch, OwnRowsAreReadByTextOrVerdict) {
    const ImportedReplies found =
        import(R"({"id": "x-1", "lang": "English", "order": "AB", "text": "[[B]]"})"
               "\n"
               R"({"id": "x-1", "lang": "en", "order": "BA", "verdict": "A", "text": "so: [[A]]"})"
               "\n\n"
               R"({"id": "x-1", "lang": "kor_Hang", "order": "AB", "verdict": "tie"})"
               "\n"
               R"({"id": "a|b", "lang": "ko", "order": "AB", "occurrence": 2, "text": "", "finish_reason": "length"})"
               "\n"
               R"({"id": "x-1", "lang": "ko", "order": "BA", "verdict": "none"})");
    ASSERT_EQ(found.replies.size(), 5U);
    EXPECT_EQ(found.replies.at(kRequests[0]).reply.verdict, JudgeVerdict::answer(1));
    EXPECT_EQ(found.replies.at(kRequests[1]).reply.verdict, JudgeVerdict::answer(0));
    EXPECT_EQ(found.replies.at(kRequests[2]).reply.verdict, JudgeVerdict::tie());
    EXPECT_EQ(found.replies.at(kRequests[3]).reply.verdict.kind, JudgeVerdict::Kind::none);
    EXPECT_TRUE(found.replies.at(kRequests[4]).reply.cut_off);
    EXPECT_TRUE(found.report().empty());
}

TEST_F(JudgeBatch, MissingRepeatedAndForeignIdsAreNamedAndCounted) {
    std::string text = R"({"id": "x-1", "lang": "en", "order": "AB", "verdict": "A"})"
                       "\n"
                       R"({"id": "x-1", "lang": "en", "order": "AB", "verdict": "B"})"
                       "\n"
                       R"({"id": "x-1", "lang": "de", "order": "AB", "verdict": "B"})"
                       "\n";
    for (int i = 0; i < 7; ++i)
        text += R"({"id": "y-)" + std::to_string(i) + R"(", "lang": "en", "order": "AB", "verdict": "B"})" + "\n";
    const ImportedReplies found = import(text);
    ASSERT_EQ(found.replies.size(), 1U);
    EXPECT_EQ(found.replies.at(kRequests[0]).reply.verdict, JudgeVerdict::answer(0));  // the first counts
    EXPECT_EQ(found.missing, (std::vector<std::string>{"en|BA|0|x-1", "ko|AB|0|x-1", "ko|BA|0|x-1", "ko|AB|2|a|b"}));
    EXPECT_EQ(found.repeated, std::vector<std::string>{"en|AB|0|x-1"});
    EXPECT_EQ(found.unknown.size(), 8U);
    EXPECT_EQ(found.report(), (std::vector<std::string>{
                                  "4 replies are missing: en|BA|0|x-1, ko|AB|0|x-1, ko|BA|0|x-1, ko|AB|2|a|b",
                                  "1 replies are there more than once (the first counts): en|AB|0|x-1",
                                  "8 replies belong to no item of the data: de|AB|0|x-1, en|AB|0|y-0, en|AB|0|y-1, en|AB|0|y-2, "
                                  "en|AB|0|y-3, …"}));
}

TEST_F(JudgeBatch, RowsOfNeitherFormAreRefusedByLineAndField) {
    expect_refused("{", {});
    expect_refused("[]", {"object"});
    expect_refused(R"({"lang": "en", "order": "AB", "verdict": "A"})", {"'id'"});
    expect_refused(R"({"id": "x-1", "order": "AB", "verdict": "A"})", {"'lang'"});
    expect_refused(R"({"id": "x-1", "lang": "en", "verdict": "A"})", {"'order'"});
    expect_refused(R"({"id": "x-1", "lang": "en", "order": "AB"})", {"'text' or 'verdict'"});
    expect_refused(R"({"id": "x-1", "lang": "en", "order": "AB", "verdict": "C"})", {"'C'", "tie"});
    expect_refused(R"({"id": "x-1", "lang": "en", "order": "AB", "verdict": 1})", {"'verdict'"});
    expect_refused(R"({"id": "x-1", "lang": "en", "order": "AB", "verdict": "A", "text": "[[B]]"})",
                   {"contradicts", "strict", "'B'"});
    expect_refused(R"({"custom_id": "nonsense", "response": {}})", {"nonsense", "xlrm_judge export"});
    expect_refused(R"({"custom_id": "en|AB|0|x-1", "response": {"body": {"choices": []}}})", {"choices[0]"});
    expect_refused(R"({"custom_id": "en|AB|0|x-1"})", {"choices[0]"});
    // Without BA requests the order may be left out.
    const auto path = file("w.jsonl", R"({"id": 7, "lang": "en", "verdict": "A"})");
    const ImportedReplies found =
        import_replies({path}, {{"en", "7", 0, "AB"}}, JudgeParser("strict", JudgeForm::pair), JudgeForm::pair);
    EXPECT_EQ(found.replies.size(), 1U);
}

// Of a rating the order is the answer's number, and both may be numbers; of a ranking the letters as shown.
TEST_F(JudgeBatch, RatingsAndRankingsAreRead) {
    const std::vector<JudgeRequest> rated = {{"en", "x", 0, "1"}, {"en", "x", 0, "2"}, {"en", "x", 0, "3"}};
    const auto path = file("w.jsonl", R"({"id": "x", "lang": "en", "order": 1, "verdict": 7})"
                                      "\n"
                                      R"({"id": "x", "lang": "en", "order": "2", "verdict": "10"})"
                                      "\n"
                                      R"({"id": "x", "lang": "en", "order": "3", "text": "Rating: [[4]]"})"
                                      "\n"
                                      R"({"id": "x", "lang": "en", "order": 4, "verdict": 7})");
    const JudgeParser ratings("strict", JudgeForm::rating);
    const ImportedReplies found = import_replies({path}, rated, ratings, JudgeForm::rating);
    EXPECT_EQ(found.replies.at(rated[0]).reply.verdict, JudgeVerdict::rating(7));
    EXPECT_EQ(found.replies.at(rated[1]).reply.verdict, JudgeVerdict::rating(10));
    EXPECT_EQ(found.replies.at(rated[2]).reply.verdict, JudgeVerdict::rating(4));
    EXPECT_EQ(found.unknown, std::vector<std::string>{"en|4|0|x"});
    const auto refused = file("r.jsonl", R"({"id": "x", "lang": "en", "order": "1", "verdict": 7.5})");
    expect_error([&] { import_replies({refused}, rated, ratings, JudgeForm::rating); }, {"r.jsonl:1", "'verdict'"});
    const auto ranked = file("k.jsonl", R"({"id": "x", "lang": "en", "order": "CBAD", "verdict": "d"})");
    const JudgeRequest request{"en", "x", 0, "CBAD"};
    const ImportedReplies ranking =
        import_replies({ranked}, {request}, JudgeParser("strict", JudgeForm::ranking), JudgeForm::ranking);
    EXPECT_EQ(ranking.replies.at(request).reply.verdict, JudgeVerdict::answer(3));
}

// Languages that the data tells apart by region, and rows that name them otherwise.
TEST_F(JudgeBatch, LanguagesAreFoundByNameCodeAndRegion) {
    const std::vector<JudgeRequest> requests = {
        {"pt-br", "x", 0, "AB"}, {"pt-pt", "x", 0, "AB"}, {"zh-hant", "x", 0, "AB"}, {"de", "x", 0, "AB"}};
    const auto path = file("w.jsonl", R"({"id": "x", "lang": "pt-BR", "verdict": "A"})"
                                      "\n"
                                      R"({"id": "x", "lang": "Portuguese", "verdict": "B"})"
                                      "\n"
                                      R"({"id": "x", "lang": "zho_Hant", "verdict": "B"})"
                                      "\n"
                                      R"({"id": "x", "lang": "de-AT", "verdict": "B"})");
    const ImportedReplies found = import_replies({path}, requests, JudgeParser("strict", JudgeForm::pair), JudgeForm::pair);
    EXPECT_EQ(found.replies.size(), 3U);
    EXPECT_EQ(found.missing, std::vector<std::string>{"pt-pt|AB|0|x"});
    EXPECT_EQ(found.unknown, std::vector<std::string>{"pt|AB|0|x"});  // which of the two is not said
}

}  // namespace
}  // namespace xlrm
