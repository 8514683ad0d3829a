#include "xlrm/infer/stopping.hpp"

#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "support/shared_data.hpp"
#include "xlrm/core/random.hpp"

namespace xlrm {
namespace {

using Ids = std::vector<std::int32_t>;

class Stopping : public testing::Test {
protected:
    // Pushes ids until the text ends; returns the reason's name, or "none".
    std::string run(GeneratedText& text, const Ids& ids) {
        for (const std::int32_t id : ids)
            if (const auto reason = text.push(id)) return name_of(*reason);
        return "none";
    }
    std::unique_ptr<Tokenizer> bpe_ = load_bpe(test::fixture("text/bpe_whole.json"));
    std::unique_ptr<Tokenizer> pieces_ = load_sentencepiece(test::fixture("text/tokenizer_folders_unigram.model"));
};

TEST_F(Stopping, StopIdsEndTheTextAndAreNoPartOfIt) {
    const Ids ids = bpe_->encode("one two three", false);
    StopRules rules{.stop_ids = {ids[2], 7}, .max_new_tokens = 100};
    GeneratedText text(*bpe_, rules);
    EXPECT_EQ(run(text, ids), "stop");
    EXPECT_EQ(text.tokens(), Ids(ids.begin(), ids.begin() + 3));
    EXPECT_EQ(text.text(), bpe_->decode({ids[0], ids[1]}));
    rules.ignore_eos = true;
    GeneratedText whole(*bpe_, rules);
    EXPECT_EQ(run(whole, ids), "none");
    EXPECT_EQ(whole.text(), "one two three");
}

// Embeddings are often longer than the vocabulary of the tokenizer; transformers leaves such ids out of a text too.
TEST_F(Stopping, AnIdThatIsNoTokenHasNoText) {
    const Ids ids = bpe_->encode("one two", false);
    Ids all = ids;
    all.insert(all.begin() + 1, static_cast<std::int32_t>(bpe_->vocab_size()) + 7);
    const StopRules rules{.stop_strings = {"none of it"}, .max_new_tokens = 100};
    GeneratedText text(*bpe_, rules);
    EXPECT_EQ(run(text, all), "none");
    EXPECT_EQ(text.tokens(), all);
    EXPECT_EQ(text.text(), "one two");
    EXPECT_FALSE(pieces_->has(-1));
    EXPECT_TRUE(pieces_->has(0));
}

TEST_F(Stopping, MaxTokensCountTheLastOne) {
    const Ids ids = bpe_->encode("one two three four five", false);
    for (const std::size_t most : {std::size_t{1}, std::size_t{4}}) {
        const StopRules rules{.max_new_tokens = static_cast<std::int64_t>(most)};
        GeneratedText text(*bpe_, rules);
        EXPECT_EQ(run(text, ids), "length");
        EXPECT_EQ(text.tokens().size(), most);
        EXPECT_EQ(text.text(), bpe_->decode(Ids(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(most))));
    }
    // A stop id or stop string in the last token allowed is the reason that is given.
    const StopRules id_rules{.stop_ids = {ids[3]}, .max_new_tokens = 4};
    GeneratedText by_id(*bpe_, id_rules);
    EXPECT_EQ(run(by_id, ids), "stop");
}

// Every stop string that a text holds, at every place, in every tokenisation: the text is what precedes its first occurrence, and
// it ends with the token that completes it.
TEST_F(Stopping, StopStringsMaySpanTokensAndSplitCharacters) {
    int checked = 0;
    for (const Tokenizer* tokenizer : {bpe_.get(), pieces_.get()}) {
        for (const std::string words : {"User: hello\n\nUser: 北京是 𠀀𠮷 end", "서울은 대한민국 niño ¿cuándo? aaab"}) {
            const Ids ids = tokenizer->encode(words, false);
            const std::string decoded = tokenizer->decode(ids);
            for (std::size_t begin = 0; begin < decoded.size(); ++begin) {
                for (std::size_t size = 1; size <= 9 && begin + size <= decoded.size(); ++size) {
                    const std::string wanted = decoded.substr(begin, size);
                    StopRules rules{.stop_strings = {"not there", wanted}, .max_new_tokens = 1000};
                    try {
                        require_valid(rules);
                    } catch (const Error&) {
                        continue;  // part of a character
                    }
                    if (wanted.find("\uFFFD") != std::string::npos) continue;
                    GeneratedText text(*tokenizer, rules);
                    ASSERT_EQ(run(text, ids), "stop_string") << wanted << " in " << words;
                    EXPECT_EQ(text.text(), decoded.substr(0, decoded.find(wanted)));
                    EXPECT_EQ(text.found(), wanted);
                    Ids shorter = text.tokens();
                    EXPECT_EQ(shorter, Ids(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(shorter.size())));
                    EXPECT_NE(tokenizer->decode(shorter).find(wanted), std::string::npos);
                    shorter.pop_back();
                    EXPECT_EQ(tokenizer->decode(shorter).find(wanted), std::string::npos) << "a token too many";
                    ++checked;
                }
            }
        }
    }
    EXPECT_GT(checked, 400);
}

TEST_F(Stopping, TheFirstStopStringCounts) {
    const Ids ids = bpe_->encode("abcdef", false);
    const StopRules rules{.stop_strings = {"ef", "cde", "cd"}, .max_new_tokens = 100};
    GeneratedText text(*bpe_, rules);
    EXPECT_EQ(run(text, ids), "stop_string");
    EXPECT_EQ(text.text(), "ab");
}

// A first byte that the next token does not continue: U+FFFD then belongs to the text, and is no stop string while it may change.
TEST_F(Stopping, AnIncompleteCharacterIsNoReplacementCharacterYet) {
    const Ids rare = bpe_->encode("𠀀", false);
    ASSERT_EQ(rare.size(), 4U) << "the fixture has no token of more bytes of it";
    const StopRules rules{.stop_strings = {"\uFFFD"}, .max_new_tokens = 100};
    GeneratedText whole(*bpe_, rules);
    EXPECT_EQ(run(whole, rare), "none");
    EXPECT_EQ(whole.text(), "𠀀");
    GeneratedText broken(*bpe_, rules);
    EXPECT_EQ(run(broken, {rare[0], rare[1], bpe_->encode("b", false)[0]}), "stop_string");
    EXPECT_EQ(broken.text(), "");
    const StopRules two{.max_new_tokens = 2};
    GeneratedText cut(*bpe_, two);
    EXPECT_EQ(run(cut, rare), "length");
    EXPECT_EQ(cut.text(), "\uFFFD");
}

TEST_F(Stopping, RefusesRulesThatCannotHold) {
    expect_error([] { require_valid(StopRules{.max_new_tokens = 0}); }, {"--max-new-tokens"});
    expect_error([] { require_valid(StopRules{.stop_strings = {"a", ""}, .max_new_tokens = 1}); }, {"--stop", "empty"});
    expect_error([] { require_valid(StopRules{.stop_strings = {"\xE4\xBD"}, .max_new_tokens = 1}); }, {"--stop", "UTF-8"});
    EXPECT_EQ(parse_finish_reason("stop_string", "f:1"), FinishReason::stop_string);
    expect_error([] { parse_finish_reason("eos", "f.jsonl:3"); }, {"f.jsonl:3", "eos", "length"});
}

}  // namespace
}  // namespace xlrm
