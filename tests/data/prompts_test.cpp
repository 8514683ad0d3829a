#include "xlrm/data/prompts.hpp"

#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "support/shared_data.hpp"
#include "support/temporary_folder.hpp"
#include "xlrm/core/file.hpp"

namespace xlrm {
namespace {

class PromptRows : public testing::Test {
protected:
    PrepareOptions options_of(const std::string& rows) {
        PrepareOptions options;
        options.inputs = {folder_ / "rows.jsonl"};
        write_file_atomic(options.inputs.front(), rows);
        return options;
    }
    EncodedPrompts read(const std::string& rows, const std::string& chat = "none") {
        return read_prompts(options_of(rows), *tokenizer_, *load_chat_template(chat, model_));
    }

    TemporaryFolder folder_;
    const std::filesystem::path model_ = test::fixture("train/trl_run/model");
    const std::unique_ptr<Tokenizer> tokenizer_ = load_tokenizer(model_);
};

TEST_F(PromptRows, AreReadFromRowsOfEveryKind) {
    const EncodedPrompts prompts =
        read(R"({"id": "a", "prompt": "one"})"
             "\n"
             R"({"id": "b", "lang": "ko", "prompt": [{"role": "system", "content": "s"}, {"role": "user", "content": "둘"}]})"
             "\n"
             R"({"id": "c", "messages": [{"role": "user", "content": "three"}]})"
             "\n"
             R"({"id": "d", "messages": [{"role": "user", "content": "four"}, {"role": "assistant", "content": "no"}]})"
             "\n"
             R"({"id": "e", "prompt": "five", "response": "yes"})"
             "\n"
             R"({"id": "f", "prompt": "six", "chosen": "yes", "rejected": "no"})"
             "\n"
             R"({"id": "g", "chosen": [{"role": "user", "content": "7"}, {"role": "assistant", "content": "y"}],)"
             R"( "rejected": [{"role": "user", "content": "7"}, {"role": "assistant", "content": "n"}]})"
             "\n"
             R"({"id": "h", "prompt": "eight", "responses": ["y", "n"], "ranks": [2, 1]})"
             "\n"
             R"({"id": "i", "prompt": "nine", "response": "y", "labels": [1, null]})"
             "\n"
             R"({"id": "i", "prompt": "ten", "system": "s"})"
             "\n");
    const char* const texts[] = {"one\n", "s\n둘\n", "three\n", "four\n", "five\n",
                                 "six\n", "7\n",     "eight\n", "nine\n", "s\nten\n"};
    ASSERT_EQ(prompts.all.size(), std::size(texts));
    for (std::size_t i = 0; i < prompts.all.size(); ++i)
        EXPECT_EQ(prompts.all[i].tokens, tokenizer_->encode(texts[i], true)) << prompts.all[i].id;
    EXPECT_EQ(prompts.all[0].content, "one");
    EXPECT_EQ(prompts.all[1].content.at(1).at("content"), "둘");
    EXPECT_EQ(prompts.all[1].lang, "ko");
    EXPECT_EQ(prompts.all[6].content, "7");
    EXPECT_EQ(prompts.all[9].occurrence, 1);
    EXPECT_EQ(prompts.repeated, 1);
    EXPECT_EQ(prompts.notes.kind, "prompt");
}

TEST_F(PromptRows, HaveTheTokensThatBeginTheirTextsInTraining) {
    const std::string rows =
        R"({"id": "a", "prompt": "how?", "chosen": "so", "rejected": "not so"})"
        "\n"
        R"({"id": "b", "chosen": "\n\nHuman: hi\n\nAssistant: yes", "rejected": "\n\nHuman: hi\n\nAssistant: no"})"
        "\n";
    for (const char* chat : {"none", "chatml", "concat"}) {
        const EncodedPrompts prompts = read(rows, chat);
        const Prepared prepared = prepare(Communicator::self(), options_of(rows), *tokenizer_, *load_chat_template(chat, model_));
        ASSERT_EQ(prompts.all.size(), 2U);
        for (std::size_t i = 0; i < 2; ++i) {
            const Answer& answer = prepared.set.answers[static_cast<std::size_t>(prepared.set.items[i].first_answer)];
            const auto tokens = prepared.set.answer_tokens(answer).first(static_cast<std::size_t>(answer.prompt));
            EXPECT_EQ(prompts.all[i].tokens, std::vector<std::int32_t>(tokens.begin(), tokens.end())) << chat << " " << i;
        }
    }
}

TEST_F(PromptRows, RefuseWhatIsNoPrompt) {
    expect_error([&] { read(R"({"id": "a", "prompt": ""})"); }, {"rows.jsonl:1", "'prompt'", "is empty"});
    expect_error([&] { read(R"({"id": "a", "text": "a document"})"); }, {"rows.jsonl:1", "'prompt'", "is missing"});
    expect_error([&] { read(R"({"id": "a", "prompt": "x", "question": "y"})"); }, {"rows.jsonl:1", "'question'"});
    PrepareOptions prepared;
    prepared.inputs = {"items.h5"};
    expect_error([&] { read_prompts(prepared, *tokenizer_, *load_chat_template("none", model_)); }, {"items.h5", "texts"});
    expect_error([] { parse_row_kind("prompt"); }, {"'prompt'", "preference"});
}

}  // namespace
}  // namespace xlrm
