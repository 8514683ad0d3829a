// Goldens: `tests/fixtures/text/make_bpe.py` (Hugging Face tokenizers) and the published tokenizers with the reference
// implementations' output.
#include "xlrm/text/tokenizer.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "support/shared_data.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/json.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;
using Ids = std::vector<std::int32_t>;

std::vector<Json> rows(const fs::path& path) {
    std::ifstream file(path);
    std::vector<Json> all;
    for (std::string line; std::getline(file, line);) all.push_back(Json::parse(line));
    EXPECT_FALSE(all.empty()) << path;
    return all;
}

void expect_golden(const Tokenizer& tokenizer, const fs::path& path) {
    for (const Json& row : rows(path)) {
        const std::string text = row.at("text").get<std::string>();
        const Ids ids = row.at("ids").get<Ids>();
        EXPECT_EQ(tokenizer.encode(text, false), ids) << path << ": " << row.at("text");
        for (const char* name : {"ids_special", "ids_bos_eos"}) {
            if (!row.contains(name)) continue;
            EXPECT_EQ(tokenizer.encode(text, true), row.at(name).get<Ids>()) << path << ": " << row.at("text");
        }
        if (!row.contains("decoded")) continue;
        EXPECT_EQ(tokenizer.decode(ids), row.at("decoded").get<std::string>()) << path << ": " << row.at("text");
    }
}

fs::path scratch(const std::string& name) {
    const fs::path folder = fs::temp_directory_path() / ("xlrm_tokenizer_" + std::to_string(getpid()) + "_" + name);
    fs::remove_all(folder);
    fs::create_directories(folder);
    return folder;
}

void write(const fs::path& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

std::string error_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

class Fixture : public testing::TestWithParam<const char*> {};

TEST_P(Fixture, EqualsTheReference) {
    const std::string name = GetParam();
    expect_golden(*load_bpe(test::fixture("text/bpe_" + name + ".json")), test::fixture("text/bpe_" + name + ".golden.jsonl"));
}
INSTANTIATE_TEST_SUITE_P(Bpe, Fixture, testing::Values("special", "prefix", "digits", "whole"));

class Published : public testing::TestWithParam<const char*> {};

// The files alone, as the references read them.
TEST_P(Published, EqualsTheReference) {
    const fs::path folder = test::shared_data() / "tokenizers" / GetParam();
    if (!fs::exists(folder)) GTEST_SKIP() << "the published tokenizers are not here: " << folder;
    const bool pieces = fs::exists(folder / "tokenizer.model");
    const auto tokenizer = pieces ? load_sentencepiece(folder / "tokenizer.model") : load_bpe(folder / "tokenizer.json");
    expect_golden(*tokenizer, folder / "golden.jsonl");
    if (fs::exists(folder / "golden_llamacpp.jsonl")) expect_golden(*tokenizer, folder / "golden_llamacpp.jsonl");
    if (!pieces) return;
    const auto alone = load_tokenizer(folder);  // a folder that holds nothing else: BOS alone, as LlamaTokenizer
    Ids expected = alone->encode("a", false);
    expected.insert(expected.begin(), alone->bos.value());
    EXPECT_EQ(alone->encode("a", true), expected);
}
INSTANTIATE_TEST_SUITE_P(Tokenizers, Published,
                         testing::Values("llama2", "mistral_v3", "gpt-2", "llama3", "qwen2.5", "torchtitan_tiny",
                                         "chinese_llama_sp"));

TEST(Bpe, ReplacesEachIllFormedPartOfTheText) {
    const auto tokenizer = load_bpe(test::fixture("text/bpe_special.json"));
    EXPECT_EQ(tokenizer->encode("a\xFF\xE4\xB8 b", false), tokenizer->encode("a\uFFFD\uFFFD b", false));
    EXPECT_EQ(tokenizer->encode("\xED\xA0\x80", false), tokenizer->encode("\uFFFD\uFFFD\uFFFD", false));  // a surrogate
    const Ids han = tokenizer->encode("\u9FA5", false);
    ASSERT_GT(han.size(), 1U);  // a rare character is several tokens here
    EXPECT_EQ(tokenizer->decode({han.front()}), "\uFFFD");
}

// Ids from Hugging Face's tokenizers.
TEST(Bpe, FallsBackToBytesAndThenToTheUnknownToken) {
    const fs::path folder = scratch("fallback");
    Json vocab = {{"<unk>", 0}, {"\u2581", 1}, {"a", 2}, {"\u2581a", 3}, {"<0xC3>", 4}, {"<0xA9>", 5}};
    const Json replace = {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "\u2581"}};
    const Json file = {
        {"normalizer", {{"type", "Sequence"}, {"normalizers", {{{"type", "Prepend"}, {"prepend", "\u2581"}}, replace}}}},
        {"decoder", {{"type", "Sequence"}, {"decoders", {{{"type", "ByteFallback"}}, {{"type", "Fuse"}}}}}},
        {"model",
         {{"type", "BPE"},
          {"vocab", vocab},
          {"merges", {"\u2581 a"}},
          {"unk_token", "<unk>"},
          {"fuse_unk", true},
          {"byte_fallback", true}}}};
    write(folder / "tokenizer.json", file.dump());
    const auto tokenizer = load_tokenizer(folder);
    EXPECT_EQ(tokenizer->encode("a a", false), (Ids{3, 3}));
    EXPECT_EQ(tokenizer->encode("\u00e9xy a", false), (Ids{1, 4, 5, 0, 3}));
    EXPECT_EQ(tokenizer->encode("x\u00e9y", false), (Ids{1, 4, 5, 0})) << "bytes do not end a run of unknown characters";
    EXPECT_EQ(tokenizer->encode("a\xFF\xE4\xB8", false), tokenizer->encode("a\uFFFD\uFFFD", false));
    EXPECT_EQ(tokenizer->decode({2, 4, 5, 4}), "a\uFFFD\uFFFD\uFFFD") << "one for each byte of the run";
}

TEST(Bpe, LongWordsMergeAsShortOnesDo) {
    // A run of one letter has ties of rank everywhere, and 40 symbols take the scan, 200 the heap.
    const fs::path folder = scratch("long");
    Json file = Json::parse(std::ifstream(test::fixture("text/bpe_prefix.json")));
    file["added_tokens"] = Json::array();
    file["pre_tokenizer"] = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}};
    Json vocab = {{"a", 0}, {"b", 1}, {"aa", 2}, {"aaaa", 3}, {"ab", 4}, {"aab", 5}};
    file["model"] = {{"type", "BPE"}, {"vocab", vocab}, {"merges", {"a a", "aa aa", "a b", "aa b"}}};
    write(folder / "tokenizer.json", file.dump());
    const auto tokenizer = load_tokenizer(folder);
    EXPECT_EQ(tokenizer->encode(std::string(7, 'a') + "b", false), (Ids{3, 2, 4}));
    for (const int quads : {1, 9, 30, 500}) {
        Ids expected(static_cast<std::size_t>(quads), 3);
        expected.insert(expected.end(), {2, 4});
        EXPECT_EQ(tokenizer->encode(std::string(static_cast<std::size_t>(4 * quads + 3), 'a') + "b", false), expected) << quads;
    }
}

TEST(Bpe, NamesWhatItDoesNotSupport) {
    const fs::path folder = scratch("unsupported");
    const Json good = Json::parse(std::ifstream(test::fixture("text/bpe_prefix.json")));
    const auto message = [&](const std::function<void(Json&)>& change) {
        Json file = good;
        change(file);
        write(folder / "tokenizer.json", file.dump());
        return error_of([&] { load_tokenizer(folder); });
    };
    EXPECT_EQ(message([](Json&) {}), "");
    EXPECT_NE(message([](Json& f) {
                  f["normalizer"] = {{"type", "BertNormalizer"}};
              }).find("normalizer: BertNormalizer"),
              std::string::npos);
    EXPECT_NE(message([](Json& f) {
                  f["pre_tokenizer"] = {{"type", "UnicodeScripts"}};
              }).find("pre_tokenizer: UnicodeScripts"),
              std::string::npos);
    EXPECT_NE(message([](Json& f) {
                  f["post_processor"] = {{"type", "Other"}};
              }).find("post_processor: Other"),
              std::string::npos);
    EXPECT_NE(message([](Json& f) { f["decoder"] = {{"type", "CTC"}}; }).find("decoder: CTC"), std::string::npos);
    EXPECT_NE(message([](Json& f) { f["model"]["dropout"] = 0.1; }).find("dropout"), std::string::npos);
    EXPECT_NE(message([](Json& f) { f["model"]["type"] = "WordPiece"; }).find("WordPiece"), std::string::npos);
    EXPECT_NE(message([](Json& f) { f["model"]["merges"].push_back("zzz q"); }).find("is not in the vocabulary"),
              std::string::npos);
    const auto split = [](const std::string& regex) {
        return Json{{"type", "Sequence"},
                    {"pretokenizers",
                     {{{"type", "Split"}, {"pattern", {{"Regex", regex}}}, {"behavior", "Isolated"}},
                      {{"type", "ByteLevel"}, {"use_regex", false}}}}};
    };
    EXPECT_NE(message([&](Json& f) { f["pre_tokenizer"] = split("[a-z\\W]"); }).find("'\\W' inside a class"), std::string::npos);
    EXPECT_NE(message([&](Json& f) { f["pre_tokenizer"] = split("a(b"); }).find("PCRE2 refuses"), std::string::npos);
    write(folder / "tokenizer.json", good.dump().substr(0, 500));
    EXPECT_NE(error_of([&] { load_tokenizer(folder); }).find("damaged tokenizer file"), std::string::npos);
}

TEST(Tokenizer, ReadsTheSpecialTokensOfTheFolder) {
    const fs::path folder = scratch("special");
    fs::copy(test::fixture("text/bpe_special.json"), folder / "tokenizer.json");
    write(folder / "tokenizer_config.json", R"({"bos_token": null, "eos_token": {"content": "<|end|>"}})");
    write(folder / "config.json", R"({"bos_token_id": 5, "pad_token_id": 7})");
    const auto tokenizer = load_tokenizer(folder);
    EXPECT_EQ(tokenizer->eos, tokenizer->id_of("<|end|>"));
    EXPECT_EQ(tokenizer->bos, 5);
    EXPECT_EQ(tokenizer->pad, 7);
    EXPECT_EQ(tokenizer->id_of("no such token"), std::nullopt);
    EXPECT_EQ(tokenizer->files.size(), 2U);
    write(folder / "tokenizer_config.json", R"({"eos_token": "</s>"})");
    const auto added = load_tokenizer(folder);
    EXPECT_EQ(added->eos, tokenizer->vocab_size()) << "a token that the vocabulary lacks is a new one";
    EXPECT_NE(added->sha256, tokenizer->sha256);
    EXPECT_NE(
        error_of([&] { require_tokenizer_fits(*added, tokenizer->vocab_size(), folder); }).find("tokenizer_config.json adds"),
        std::string::npos);
}

TEST(Tokenizer, IsRefusedWhereTheModelHasFewerTokens) {
    const auto tokenizer = load_bpe(test::fixture("text/bpe_special.json"));
    const std::int64_t size = tokenizer->vocab_size();
    EXPECT_EQ(error_of([&] { require_tokenizer_fits(*tokenizer, size, "m"); }), "");
    EXPECT_NE(error_of([&] { require_tokenizer_fits(*tokenizer, size - 1, "m"); }).find("does not fit"), std::string::npos);
    EXPECT_THROW(tokenizer->decode({static_cast<std::int32_t>(size)}), Error);
    EXPECT_THROW(tokenizer->decode({-1}), Error);
}

TEST(Tokenizer, SaysThatAFolderHasNone) {
    EXPECT_NE(error_of([&] { load_tokenizer(scratch("none")); }).find("no tokenizer"), std::string::npos);
    const fs::path folder = scratch("broken");
    write(folder / "tokenizer.model", "not a model");
    EXPECT_NE(error_of([&] { load_tokenizer(folder); }).find("damaged sentencepiece model"), std::string::npos);
}

std::vector<std::string> sentences() {
    const std::vector<std::string> syllables = {"ka", "re", "mi", "to", "lu", "sa", "지", "수", "明", "茶"};
    std::vector<std::string> texts;
    std::uint32_t state = 1;
    for (int i = 0; i < 400; ++i) {
        std::string text;
        for (int k = 0; k < 12; ++k) {
            state = state * 1664525U + 1013904223U;
            text += syllables[(state >> 16U) % syllables.size()];
            if (k % 3 == 2) text += ' ';
        }
        texts.push_back(text + std::to_string(i) + ".\n");
    }
    return texts;
}

TEST(TrainSentencepiece, GivesAModelThatLoadsAndReturnsEveryText) {
    const fs::path folder = scratch("train");
    train_sentencepiece(sentences(), 330, folder);
    const auto tokenizer = load_tokenizer(folder);
    EXPECT_EQ(tokenizer->vocab_size(), 330);
    EXPECT_EQ(tokenizer->bos, 1);
    EXPECT_EQ(tokenizer->eos, 2);
    EXPECT_EQ(tokenizer->pad, 3);
    EXPECT_EQ(tokenizer->prefix, Ids{1});
    EXPECT_TRUE(tokenizer->suffix.empty());
    for (const std::string text : {"karemi  toluka 17.\n지수", " leading", "ひらがな\t!", "trailing ", "a\n\nb"}) {
        EXPECT_EQ(tokenizer->decode(tokenizer->encode(text, false)), text);
    }
    const Ids prompt = tokenizer->encode("karemi?\n", true);
    const Ids whole = tokenizer->encode("karemi?\ntolu", true);
    EXPECT_TRUE(std::equal(prompt.begin(), prompt.end(), whole.begin())) << "a prompt's tokens are a prefix of prompt and answer";
}

// In runs such as "mimimi" two ways to cut have one sum of scores, and rounding decides.
TEST(TrainSentencepiece, GivesTheSamePiecesByEitherFile) {
    const fs::path folder = scratch("companion");
    train_sentencepiece(sentences(), 320, folder);
    const auto tokenizer = load_tokenizer(folder);
    EXPECT_EQ(tokenizer->files.front().filename(), "tokenizer.json");
    EXPECT_EQ(tokenizer->files.size(), 3U);
    fs::remove(folder / "tokenizer.json");
    const auto converted = load_tokenizer(folder);
    fs::remove(folder / "tokenizer_config.json");
    const auto library = load_tokenizer(folder);
    EXPECT_EQ(library->files.front().filename(), "tokenizer.model");
    EXPECT_EQ(library->prefix, Ids{1}) << "the model alone adds BOS";
    EXPECT_TRUE(library->suffix.empty()) << "and nothing else";
    EXPECT_NE(converted->sha256, library->sha256);
    EXPECT_EQ(library->vocab_size(), tokenizer->vocab_size());
    int same = 0;
    for (const std::string& text : sentences()) {
        Ids ids = tokenizer->encode(text, true);
        Ids others = library->encode(text, true);
        EXPECT_EQ(converted->encode(text, true), ids) << text;
        same += ids == others ? 1 : 0;
        std::sort(ids.begin(), ids.end());
        std::sort(others.begin(), others.end());
        EXPECT_EQ(ids, others) << text;
        EXPECT_EQ(tokenizer->decode(tokenizer->encode(text, false)), text);
    }
    EXPECT_GT(same, 380) << "of 400";
    EXPECT_EQ(tokenizer->encode("ひ</s>\t", false).at(3), 2) << "bytes, then the special token that the text spells out";
}

TEST(TrainSentencepiece, IsDeterministic) {
    const fs::path first = scratch("first");
    const fs::path second = scratch("second");
    train_sentencepiece(sentences(), 320, first);
    train_sentencepiece(sentences(), 320, second);
    EXPECT_EQ(load_tokenizer(first)->sha256, load_tokenizer(second)->sha256);
}

TEST(TrainSentencepiece, SaysWhyItCannot) {
    EXPECT_NE(error_of([&] { train_sentencepiece(sentences(), 100000, scratch("large")); }).find("100000 pieces"),
              std::string::npos);
    EXPECT_NE(error_of([&] { train_sentencepiece({"\n"}, 400, scratch("empty")); }).find("no text"), std::string::npos);
}

TEST(Tokenizer, CountsTheTokensThatAFolderAddsToSentencepiece) {
    const fs::path folder = scratch("added");
    train_sentencepiece(sentences(), 320, folder);
    write(
        folder / "tokenizer_config.json",
        R"({"bos_token": "<s>", "pad_token": "[PAD]", "add_bos_token": false, "add_eos_token": true, "added_tokens_decoder": {"320": {"content": "[PAD]", "special": true}}})");
    {
        const auto tokenizer = load_tokenizer(folder);
        EXPECT_EQ(tokenizer->vocab_size(), 321);
        EXPECT_EQ(tokenizer->pad, 320);
        EXPECT_EQ(tokenizer->prefix, Ids{1}) << "the post-processor of tokenizer.json counts, not the flags";
        EXPECT_TRUE(tokenizer->suffix.empty());
        EXPECT_EQ(tokenizer->encode("[PAD]", false), Ids{320});
    }
    fs::remove(folder / "tokenizer.json");
    const auto tokenizer = load_tokenizer(folder);
    EXPECT_EQ(tokenizer->vocab_size(), 321);
    EXPECT_EQ(tokenizer->pad, 320);
    EXPECT_TRUE(tokenizer->prefix.empty());
    EXPECT_EQ(tokenizer->suffix, Ids{2});
    Ids ids = tokenizer->encode("kare", false);
    ids.push_back(320);
    EXPECT_EQ(tokenizer->encode("kare[PAD]", false), ids);
    EXPECT_EQ(tokenizer->decode(ids), "kare[PAD]");
}

}  // namespace
}  // namespace xlrm
