#include "xlrm/eval/judge_prompt.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "support/expect_error.hpp"
#include "support/shared_data.hpp"
#include "support/temporary_folder.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/json.hpp"
#include "xlrm/core/sha256.hpp"

namespace xlrm {
namespace {

const std::string kHead = "name = mine\nversion = 2\nform = pair\n";

JudgePrompt shipped(const std::string& name) {
    return JudgePrompt::read(std::string(XLRM_SOURCE_DIR) + "/jobs/judges/" + name + ".txt");
}

TEST(JudgePrompt, ShippedPromptsAskForWhatTheirFormHas) {
    const std::map<std::string, JudgeForm> forms = {{"pair", JudgeForm::pair},
                                                    {"languages_pair", JudgeForm::pair},
                                                    {"ranking", JudgeForm::ranking},
                                                    {"rating", JudgeForm::rating}};
    for (const auto& [name, form] : forms) {
        const JudgePrompt prompt = shipped(name);
        EXPECT_EQ(prompt.name(), name);
        EXPECT_EQ(prompt.form(), form);
        EXPECT_EQ(prompt.names_languages(), name == "languages_pair");
        const std::vector<ChatMessage> messages = prompt.fill({{"question", "Q{x}"},
                                                               {"answer", "one"},
                                                               {"answer_a", "one"},
                                                               {"answer_b", "two"},
                                                               {"answer_c", "three"},
                                                               {"answer_d", "four"},
                                                               {"question_language", "Korean"},
                                                               {"answer_language", "Korean"}});
        ASSERT_FALSE(messages.empty());
        EXPECT_EQ(messages.back().role, "user");
        EXPECT_NE(messages.back().content.find("Q{x}"), std::string::npos) << name;
        EXPECT_NE(messages.back().content.find(form == JudgeForm::ranking ? "four" : "one"), std::string::npos) << name;
    }
}

TEST(JudgePrompt, SectionsAndBracesAreReadAsWritten) {
    const std::string text =
        "# a comment\n\n" + kHead +
        "[user]\n{question}\n# no comment\n\nA: {answer_a}{{x}} B: {answer_b}\n\n[system]\nname = no field\n\n\n";
    const JudgePrompt prompt = JudgePrompt::parse(text, "p.txt");
    EXPECT_EQ(prompt.name(), "mine");
    EXPECT_EQ(prompt.version(), 2);
    EXPECT_EQ(prompt.sha256(), sha256(text));
    EXPECT_NE(prompt.sha256(), JudgePrompt::parse(text + "\n", "p.txt").sha256());
    const auto messages = prompt.fill({{"question", "Q{answer_b}"}, {"answer_a", "1"}, {"answer_b", "2"}});
    ASSERT_EQ(messages.size(), 2U);
    EXPECT_EQ(messages[0].content, "Q{answer_b}\n# no comment\n\nA: 1{x} B: 2");
    EXPECT_EQ(messages[1].role, "system");
    EXPECT_EQ(messages[1].content, "name = no field");
    expect_error([&] { prompt.fill({{"question", "Q"}, {"answer_a", "1"}}); }, {"mine", "{answer_b}", "no value"});
    // Line ends of another system.
    const auto other =
        JudgePrompt::parse("name = n\r\nversion = 1\r\nform = rating\r\n[user]\r\n{question} {answer}\r\n", "p.txt");
    EXPECT_EQ(other.fill({{"question", "q"}, {"answer", "a"}})[0].content, "q a");
}

TEST(JudgePrompt, RefusesMistakesByFileAndLine) {
    const std::string good = "[user]\n{question} {answer_a}\n{answer_b}\n";
    const auto expect_refused = [](const std::string& text, const std::vector<std::string>& parts) {
        expect_error([&] { JudgePrompt::parse(text, "p.txt"); }, parts);
    };
    expect_refused(kHead + "[user]\n{question}\n{answer_b}\n", {"p.txt", "{answer_a}", "missing"});
    expect_refused(kHead + "[user]\n{answer_a}\n{answer_b}\n", {"p.txt", "{question}", "missing"});
    expect_refused(kHead + good + "{answr_c}\n", {"p.txt:7", "{answr_c}", "unknown", "answer_a, answer_b, question"});
    expect_refused(kHead + "[system]\n\n{rubric}\n" + good, {"p.txt:6", "{rubric}"});
    expect_refused(kHead + "[user]\n{question} {answer_a}\n{answer_b} {\n", {"p.txt:6", "'{'", "twice"});
    expect_refused(kHead + "[user]\n{question} }\n{answer_a} {answer_b}\n", {"p.txt:5", "'}'"});
    expect_refused(kHead + "[user]\n{Question} {answer_a} {answer_b}\n", {"p.txt:5"});
    expect_refused(kHead + "[user]\n{} {question} {answer_a} {answer_b}\n", {"p.txt:5"});
    expect_refused(kHead + "[user]\n{question\n} {answer_a} {answer_b}\n", {"p.txt:5"});
    expect_refused(kHead + "[system]\nx\n", {"p.txt", "[user]"});
    expect_refused(kHead + good + "[user]\nx\n", {"p.txt:7", "[user]", "twice"});
    expect_refused("version = 1\nform = pair\n" + good, {"p.txt", "name"});
    expect_refused("name = x\nform = pair\n" + good, {"p.txt", "version"});
    expect_refused("name = x\nversion = 1\n" + good, {"p.txt", "form"});
    expect_refused("name = x\nversion = one\n" + good, {"p.txt:2", "version", "'one'"});
    expect_refused("name = x\nform = triple\n" + good, {"p.txt:2", "triple", "ranking"});
    expect_refused("nam = x\n" + good, {"p.txt:1", "'nam'"});
    expect_refused("hello\n" + good, {"p.txt:1", "hello"});
    expect_refused(kHead + "[User]\n", {"p.txt:4", "[User]"});
    expect_refused("name = x\nversion = 1\nform = ranking\n" + good, {"p.txt", "{answer_c}"});
    expect_refused(kHead + "[user]\n\xFF {question} {answer_a} {answer_b}\n", {"p.txt", "UTF-8"});
    expect_refused("", {"p.txt", "name"});
    const TemporaryFolder folder;
    expect_error([&] { JudgePrompt::read(folder / "none.txt"); }, {"none.txt"});
}

}  // namespace
}  // namespace xlrm
