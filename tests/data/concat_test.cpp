#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "support/shared_data.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/json.hpp"
#include "xlrm/data/prepare.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

using Ids = std::vector<std::int32_t>;

Prepared prepare_row(const Json& row, RowKind kind, const Tokenizer& tokenizer, const ChatTemplate& chat) {
    const fs::path file = fs::temp_directory_path() / ("xlrm_concat_" + std::to_string(getpid()) + ".jsonl");
    std::ofstream(file) << row.dump() << "\n";
    PrepareOptions options;
    options.inputs = {file};
    options.kind = kind;
    return prepare(Communicator::self(), options, tokenizer, chat);
}

Ids tokens(const Prepared& prepared, std::size_t answer) {
    const auto span = prepared.set.answer_tokens(prepared.set.answers.at(answer));
    return {span.begin(), span.end()};
}

// The ids that RewardTrainer, DPOTrainer and SFTTrainer of TRL 1.16.0 train on: tests/fixtures/text/make_concat.py.
void expect_trl(const fs::path& golden, const std::function<fs::path(const Json& row)>& folder_of) {
    const auto concat = load_chat_template("concat", ".");
    std::ifstream file(golden);
    std::unique_ptr<Tokenizer> tokenizer;
    std::string loaded;
    int count = 0;
    for (std::string line; std::getline(file, line); ++count) {
        const Json row = Json::parse(line);
        if (loaded != row.at("tokenizer")) tokenizer = load_tokenizer(folder_of(row));
        loaded = row.at("tokenizer");
        const Json pair = {{"prompt", row.at("prompt")}, {"chosen", row.at("chosen")}, {"rejected", row.at("rejected")}};
        const Prepared preference = prepare_row(pair, RowKind::preference, *tokenizer, *concat);
        ASSERT_EQ(preference.set.answers.size(), 2U) << line;
        EXPECT_EQ(tokens(preference, 0), row.at("chosen_ids").get<Ids>()) << line;
        EXPECT_EQ(tokens(preference, 1), row.at("rejected_ids").get<Ids>()) << line;
        EXPECT_EQ(preference.set.answers[0].prompt, row.at("sft_prompt")) << line;
        EXPECT_EQ(std::min(preference.set.answers[0].prompt, preference.set.answers[1].prompt), row.at("dpo_prompt")) << line;
        const Prepared completion =
            prepare_row({{"prompt", row.at("prompt")}, {"completion", row.at("chosen")}}, RowKind::response, *tokenizer, *concat);
        EXPECT_EQ(tokens(completion, 0), row.at("chosen_ids").get<Ids>()) << line;
        EXPECT_EQ(completion.set.answers[0].prompt, row.at("sft_prompt")) << line;
        const Prepared text = prepare_row({{"text", row.at("text")}}, RowKind::document, *tokenizer, *concat);
        EXPECT_EQ(tokens(text, 0), row.at("text_ids").get<Ids>()) << line;
    }
    EXPECT_GE(count, 20);
}

TEST(Concat, GivesTheIdsThatTrlTrainsOn) {
    expect_trl(test::fixture("text/concat/own.golden.jsonl"),
               [](const Json& row) { return test::fixture("text/concat") / row.at("tokenizer").get<std::string>(); });
}

TEST(Concat, GivesTheIdsOfTrlWithPublishedTokenizers) {
    const fs::path shared = test::shared_data() / "tokenizers";
    if (!fs::exists(shared)) GTEST_SKIP() << "the published tokenizers are not here: " << shared;
    const fs::path folder = fs::temp_directory_path() / ("xlrm_concat_" + std::to_string(getpid()));
    expect_trl(test::fixture("text/concat/shared.golden.jsonl"), [&](const Json& row) {
        fs::remove_all(folder);
        fs::create_directories(folder);
        for (const char* name : {"tokenizer.json", "tokenizer.model"}) {
            const fs::path file = shared / row.at("tokenizer").get<std::string>() / name;
            if (fs::exists(file)) fs::copy(file, folder / name);
        }
        std::ofstream(folder / "tokenizer_config.json") << row.at("config").dump();
        return folder;
    });
}

// Chosen and rejected that hold their prompt: TRL takes them as they are written.
TEST(Concat, TakesADialogueInOneTextAsItIsWritten) {
    const auto concat = load_chat_template("concat", ".");
    std::ifstream file(test::fixture("text/concat/dialogues.golden.jsonl"));
    int count = 0;
    for (std::string line; std::getline(file, line); ++count) {
        const Json row = Json::parse(line);
        const auto tokenizer = load_tokenizer(test::fixture("text/concat") / row.at("tokenizer").get<std::string>());
        const Prepared pair = prepare_row({{"chosen", row.at("chosen")}, {"rejected", row.at("rejected")}}, RowKind::preference,
                                          *tokenizer, *concat);
        EXPECT_EQ(tokens(pair, 0), row.at("chosen_ids").get<Ids>()) << line;
        EXPECT_EQ(tokens(pair, 1), row.at("rejected_ids").get<Ids>()) << line;
        EXPECT_GT(pair.set.answers[0].prompt, 5) << line;
        EXPECT_LT(pair.set.answers[0].prompt, pair.set.answers[0].length - 1) << line;
        // What the answers have in common at their beginning is no part of DPO's completions; turns of their own are.
        for (const Answer& answer : pair.set.answers) EXPECT_EQ(answer.completion(), row.at("dpo_prompt").get<int>()) << line;
    }
    EXPECT_EQ(count, 8);
}

TEST(Concat, RefusesWhatNothingWouldSetApart) {
    const auto concat = load_chat_template("concat", ".");
    EXPECT_EQ(concat->render({{"user", "a "}, {"assistant", " b"}}, false), "a  b");
    EXPECT_EQ(concat->render({{"user", "a "}}, true), "a ");
    const std::vector<std::vector<ChatMessage>> refused = {
        {}, {{"system", "s"}, {"user", "a"}}, {{"user", "a"}, {"assistant", "b"}, {"user", "c"}}, {{"assistant", "b"}}};
    for (const auto& messages : refused) EXPECT_THROW(concat->render(messages, true), Error) << messages.size();
}

TEST(Concat, NeedsAnEosToken) {
    const auto tokenizer = load_tokenizer(test::fixture("text/concat/bare"));
    tokenizer->eos.reset();
    try {
        prepare_row({{"prompt", "a"}, {"chosen", "b"}, {"rejected", "c"}}, RowKind::preference, *tokenizer,
                    *load_chat_template("concat", "."));
        FAIL() << "it was accepted";
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("template concat ends a text with EOS"), std::string::npos) << error.what();
    }
}

}  // namespace
}  // namespace xlrm
