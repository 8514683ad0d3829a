#include <gtest/gtest.h>
#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

#include "support/shared_data.hpp"
#include "support/temporary_folder.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/random.hpp"
#include "xlrm/text/tokenizer.hpp"

namespace xlrm {
namespace {

// Words, blanks of every kind and number, and what models do not know.
std::string random_text(Random& random) {
    static const char* const parts[] = {"the", "river", "a", "stone", "rivers", " ", " ", " ", " ", "  ", "     ", "\n", "\t", "\u2581", "\u3000", "\u00a0",
                                        "é", "\u6c34", "한국", "<s>", "<0x41>", "7", "\U0001f600", "\u0301", "fi", "\ufb01", ",", "stone\u2581the", "<user>"};
    std::string text;
    for (std::uint64_t n = random.below(14); n > 0; --n) text += parts[random.below(std::size(parts))];
    return text;
}

// Twice, so that words come out of the cache too.
void expect_as_the_library(const std::filesystem::path& folder) {
    sentencepiece::SentencePieceProcessor library;
    ASSERT_TRUE(library.Load((folder / "tokenizer.model").string()).ok());
    const auto tokenizer = load_tokenizer(folder);
    for (int round = 0; round < 2; ++round) {
        Random random(3);
        for (int i = 0; i < 4000; ++i) {
            const std::string text = random_text(random);
            std::vector<int> pieces;
            ASSERT_TRUE(library.Encode(text, &pieces).ok());
            ASSERT_EQ(tokenizer->encode(text, false), pieces) << "'" << text << "'";
        }
    }
}

class Trained : public testing::TestWithParam<const char*> {};

TEST_P(Trained, ModelGivesTheLibrarysIds) {
    const TemporaryFolder folder;
    std::string lines;
    for (int i = 0; i < 300; ++i) {
        lines += "the river " + std::to_string(i * i) + " and a stone, rivers  of the <user> stone fi " + std::to_string(i) + "\n";
    }
    write_file_atomic(folder / "lines.txt", lines);
    const std::string options = "--input=" + (folder / "lines.txt").string() + " --model_prefix=" + (folder / "tokenizer").string() +
                                " --minloglevel=2 --hard_vocab_limit=false --num_threads=1 " + GetParam();
    ASSERT_TRUE(sentencepiece::SentencePieceTrainer::Train(options).ok());
    expect_as_the_library(folder.path());
}
INSTANTIATE_TEST_SUITE_P(
    Kinds, Trained,
    testing::Values("--model_type=bpe --vocab_size=90", "--model_type=bpe --vocab_size=360 --byte_fallback=true --remove_extra_whitespaces=false",
                    "--model_type=bpe --vocab_size=90 --add_dummy_prefix=false --normalization_rule_name=identity",
                    "--model_type=bpe --vocab_size=95 --user_defined_symbols=<user>,river\u2581and", "--model_type=bpe --vocab_size=90 --treat_whitespace_as_suffix=true",
                    "--model_type=bpe --vocab_size=120 --split_by_whitespace=false", "--model_type=unigram --vocab_size=60", "--model_type=word --vocab_size=60",
                    "--model_type=char --vocab_size=40"));

class PublishedModels : public testing::TestWithParam<const char*> {};

TEST_P(PublishedModels, GiveTheLibrarysIds) {
    const std::filesystem::path folder = test::shared_data() / "tokenizers" / GetParam();
    if (!std::filesystem::exists(folder)) GTEST_SKIP() << "the published tokenizers are not here: " << folder;
    expect_as_the_library(folder);
}
INSTANTIATE_TEST_SUITE_P(Tokenizers, PublishedModels, testing::Values("llama2", "mistral_v3", "chinese_llama_sp"));

}  // namespace
}  // namespace xlrm
