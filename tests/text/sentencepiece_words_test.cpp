#include <gtest/gtest.h>
#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

#include <cstring>
#include <memory>

#include "support/shared_data.hpp"
#include "support/temporary_folder.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/random.hpp"
#include "xlrm/text/tokenizer.hpp"

namespace xlrm {
namespace {

// Words, blanks of every kind and number, and what models do not know: fewer than `most` parts.
std::string random_text(Random& random, std::uint64_t most) {
    static const char* const parts[] = {
        "the", "river",  "a",      "stone",          "rivers", " ",      " ",    " ",   " ",      "  ", "     ",      "\n",
        "\t",  "\u2581", "\u3000", "\u00a0",         "é",      "\u6c34", "한국", "<s>", "<0x41>", "7",  "\U0001f600", "\u0301",
        "fi",  "\ufb01", ",",      "stone\u2581the", "<user>"};
    std::string text;
    for (std::uint64_t n = random.below(most); n > 0; --n) text += parts[random.below(std::size(parts))];
    return text;
}

// Twice, so that words come out of the cache too. In long texts rounded sums decide between ways of nearly equal scores.
void expect_as_the_library(const std::filesystem::path& folder) {
    sentencepiece::SentencePieceProcessor library;
    ASSERT_TRUE(library.Load((folder / "tokenizer.model").string()).ok());
    const auto tokenizer = load_tokenizer(folder);
    for (int round = 0; round < 2; ++round) {
        Random random(3);
        for (int i = 0; i < 4000; ++i) {
            const std::string text = random_text(random, i % 100 == 0 ? 6000 : 14);
            std::vector<int> pieces;
            ASSERT_TRUE(library.Encode(text, &pieces).ok());
            ASSERT_EQ(tokenizer->encode(text, false), pieces) << "'" << text << "'";
        }
    }
}

// A model in `folder`, trained on a few lines.
std::unique_ptr<sentencepiece::SentencePieceProcessor> trained(const TemporaryFolder& folder, const std::string& kind) {
    std::string lines;
    for (int i = 0; i < 300; ++i) {
        lines +=
            "the river " + std::to_string(i * i) + " and a stone, rivers  of the <user> stone fi " + std::to_string(i) + "\n";
    }
    write_file_atomic(folder / "lines.txt", lines);
    const std::string options = "--input=" + (folder / "lines.txt").string() +
                                " --model_prefix=" + (folder / "tokenizer").string() +
                                " --minloglevel=2 --hard_vocab_limit=false --num_threads=1 " + kind;
    EXPECT_TRUE(sentencepiece::SentencePieceTrainer::Train(options).ok());
    auto library = std::make_unique<sentencepiece::SentencePieceProcessor>();
    EXPECT_TRUE(library->Load((folder / "tokenizer.model").string()).ok());
    return library;
}

std::string utf8(char32_t code) {
    std::string out;
    if (code < 0x80) return std::string(1, static_cast<char>(code));
    if (code >= 0x10000)
        out = {static_cast<char>(0xF0U | code >> 18U), static_cast<char>(0x80U | (code >> 12U & 0x3FU))};
    else if (code >= 0x800)
        out = {static_cast<char>(0xE0U | code >> 12U)};
    else
        return {static_cast<char>(0xC0U | code >> 6U), static_cast<char>(0x80U | (code & 0x3FU))};
    return out + static_cast<char>(0x80U | (code >> 6U & 0x3FU)) + static_cast<char>(0x80U | (code & 0x3FU));
}

class Trained : public testing::TestWithParam<const char*> {};

TEST_P(Trained, ModelGivesTheLibrarysIds) {
    const TemporaryFolder folder;
    trained(folder, GetParam());
    expect_as_the_library(folder.path());
}
INSTANTIATE_TEST_SUITE_P(
    Kinds, Trained,
    testing::Values("--model_type=bpe --vocab_size=90",
                    "--model_type=bpe --vocab_size=360 --byte_fallback=true --remove_extra_whitespaces=false",
                    "--model_type=bpe --vocab_size=90 --add_dummy_prefix=false --normalization_rule_name=identity",
                    "--model_type=bpe --vocab_size=95 --user_defined_symbols=<user>,river\u2581and",
                    "--model_type=bpe --vocab_size=90 --treat_whitespace_as_suffix=true",
                    "--model_type=bpe --vocab_size=120 --split_by_whitespace=false", "--model_type=unigram --vocab_size=60",
                    "--model_type=unigram --vocab_size=360 --byte_fallback=true --remove_extra_whitespaces=false "
                    "--normalization_rule_name=identity",
                    "--model_type=unigram --vocab_size=70 --user_defined_symbols=<user>",
                    "--model_type=unigram --vocab_size=60 --treat_whitespace_as_suffix=true",
                    "--model_type=unigram --vocab_size=60 --add_dummy_prefix=false --normalization_rule_name=nfkc_cf",
                    "--model_type=word --vocab_size=60", "--model_type=char --vocab_size=40"));

// Every character before and behind letters and blanks, through the map of replacements; unknown ones come out as their bytes.
TEST(SentencepieceNormalizer, ReplacesEveryCharacterAsTheLibraryDoes) {
    for (const std::string rule : {"nmt_nfkc", "nfkc_cf"}) {
        const TemporaryFolder folder;
        const auto library =
            trained(folder, "--model_type=unigram --vocab_size=400 --byte_fallback=true --normalization_rule_name=" + rule);
        const auto tokenizer = load_tokenizer(folder.path());
        for (char32_t block = 1; block < 0x30000; block += 16) {
            std::string text;
            for (char32_t code = block; code < block + 16; ++code)
                if (code < 0xD800 || code > 0xDFFF)
                    text +=
                        "e" + utf8(code) + " " + utf8(code) + "\u0301a" + utf8(code) + utf8(code + 1 == 0xD800 ? code : code + 1);
            std::vector<int> pieces;
            ASSERT_TRUE(library->Encode(text, &pieces).ok());
            ASSERT_EQ(tokenizer->encode(text, false), pieces) << rule << " from " << static_cast<std::uint32_t>(block);
        }
    }
}

// A field of Protocol buffers' wire format that holds bytes; short ones, as all here are.
std::string field(int number, const std::string& bytes) {
    return std::string(1, static_cast<char>(number * 8 + 2)) + static_cast<char>(bytes.size()) + bytes;
}

std::string piece(const std::string& text, float score, int type) {
    std::string number(4, '\0');
    std::memcpy(number.data(), &score, 4);
    return field(1, field(1, text) + "\x15" + number + "\x18" + static_cast<char>(type));
}

// All strings of up to three of three letters, each of the score of its letters but for a few units in the last place: which way
// is the best one is decided by rounding, at every letter and anew as the sum grows.
TEST(SentencepieceUnigram, RoundsAsTheLibraryDoes) {
    const TemporaryFolder folder;
    Random random(5);
    std::string model = piece("<unk>", 0.0F, 2) + piece("\u2581", -3.0F, 1);
    std::vector<std::string> texts{""};
    for (std::size_t i = 0; i < 13; ++i)
        for (const char letter : {'a', 'b', 'c'}) texts.push_back(texts[i] + letter);
    for (std::size_t i = 1; i < texts.size(); ++i)
        model += piece(texts[i], static_cast<float>(texts[i].size()) * -7.0F + static_cast<float>(random.below(5)) * 0x1p-21F, 1);
    model += field(2, "\x18\x01") + field(3, field(1, "identity"));
    write_file_atomic(folder / "tokenizer.model", model);
    sentencepiece::SentencePieceProcessor library;
    ASSERT_TRUE(library.Load((folder / "tokenizer.model").string()).ok());
    const auto tokenizer = load_tokenizer(folder.path());
    for (int i = 0; i < 300; ++i) {
        std::string text;
        for (std::uint64_t n = random.below(3000); n > 0; --n) text += "aaabbbcccd "[random.below(11)];
        std::vector<int> pieces;
        ASSERT_TRUE(library.Encode(text, &pieces).ok());
        ASSERT_EQ(tokenizer->encode(text, false), pieces);
    }
}

class PublishedModels : public testing::TestWithParam<const char*> {};

TEST_P(PublishedModels, GiveTheLibrarysIds) {
    const std::filesystem::path folder = test::shared_data() / "tokenizers" / GetParam();
    if (!std::filesystem::exists(folder)) GTEST_SKIP() << "the published tokenizers are not here: " << folder;
    expect_as_the_library(folder);
}
INSTANTIATE_TEST_SUITE_P(Tokenizers, PublishedModels, testing::Values("llama2", "mistral_v3", "chinese_llama_sp"));

}  // namespace
}  // namespace xlrm
