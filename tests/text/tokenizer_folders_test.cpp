// Model folders with added and special tokens of every form: the ids of transformers
// (tests/fixtures/text/make_tokenizer_folders.py), and damaged ones, which load or are refused by name.
#include <gtest/gtest.h>

#include <fstream>
#include <functional>

#include "support/shared_data.hpp"
#include "support/temporary_folder.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/json.hpp"
#include "xlrm/core/random.hpp"
#include "xlrm/text/tokenizer.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;
using Ids = std::vector<std::int32_t>;

void write(const fs::path& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

void write_folder(const Json& row, const fs::path& folder) {
    for (const auto& entry : fs::directory_iterator(folder)) fs::remove(entry);
    for (const auto& [name, base] : row.at("tokenizer").items())
        fs::copy(test::fixture("text/" + base.get<std::string>()), folder / name);
    for (const auto& [name, content] : row.at("files").items()) write(folder / name, content.dump());
}

std::vector<Json> golden_rows() {
    std::ifstream file(test::fixture("text/tokenizer_folders.golden.jsonl"));
    std::vector<Json> rows;
    for (std::string line; std::getline(file, line);) rows.push_back(Json::parse(line));
    return rows;
}

// What the header of load_tokenizer says of tokenizer.model.
bool is_declared(const std::string& error) {
    return error.find("a sentencepiece model for the tokenizer class") != std::string::npos ||
           error.find("to a unigram model, which a") != std::string::npos;
}

void expect_row(const Json& row, const fs::path& folder) {
    write_folder(row, folder);
    const std::string what = row.at("name").get<std::string>() + " " + row.at("tokenizer").dump() + " " + row.at("files").dump();
    try {
        const auto tokenizer = load_tokenizer(folder);
        for (const Json& text : row.at("texts")) {
            const auto words = text[0].get<std::string>();
            EXPECT_EQ(tokenizer->encode(words, false), text[1].get<Ids>()) << what << ": '" << words << "'";
            EXPECT_EQ(tokenizer->encode(words, true), text[2].get<Ids>()) << what << ": '" << words << "'";
        }
        const auto expect_id = [&](const char* name, const std::optional<std::int32_t>& id) {
            if (row.at(name).is_null()) return;
            // A class's default that the vocabulary lacks: a new token for transformers, for which no model has an embedding.
            if (!id && row.at(name).get<std::int32_t>() >= tokenizer->vocab_size()) return;
            EXPECT_EQ(id, row.at(name).get<std::int32_t>()) << name << " of " << what;
        };
        expect_id("bos", tokenizer->bos);
        expect_id("eos", tokenizer->eos);
    } catch (const Error& error) {
        EXPECT_TRUE(row.at("name") == "random" && is_declared(error.what())) << what << ": " << error.what();
    }
}

TEST(TokenizerFolders, HaveTheIdsOfTransformers) {
    const TemporaryFolder folder;
    const std::vector<Json> rows = golden_rows();
    ASSERT_GT(rows.size(), 150U);
    for (const Json& row : rows) expect_row(row, folder.path());
}

//! Loads and uses the folder; whatever it refuses, it names the folder.
class Damaged {
public:
    explicit Damaged(const fs::path& folder) : folder_(folder) {}

    void expect_handled(const std::string& what) {
        try {
            const auto tokenizer = load_tokenizer(folder_);
            const Ids ids = tokenizer->encode("<s>the user <|x|>\n\u4f60</s>", true);
            if (!ids.empty() && ids.back() < tokenizer->vocab_size()) tokenizer->decode({ids.back()});
            EXPECT_LT(tokenizer->vocab_size(), 1 << 20) << what;
            ++loaded;
        } catch (const Error& error) {
            const std::string text = error.what();
            const bool names = text.find(folder_.string()) != std::string::npos || text.find("token id") == 0;
            EXPECT_TRUE(names) << what << ": " << text;
            ++refused;
        } catch (const std::exception& error) {
            ADD_FAILURE() << what << ": an exception without a name: " << error.what();
        }
    }
    int loaded = 0, refused = 0;

private:
    fs::path folder_;
};

// Of every object and list in `json`, for some of the members: another value in its place, or none.
void each_mutant(Json& json, Random& random, const std::function<void()>& use) {
    static const std::vector<Json> odd = {nullptr,
                                          true,
                                          -1,
                                          1LL << 40,
                                          18446744073709551615ULL,
                                          1e300,
                                          "",
                                          "\xC3\xA9",
                                          Json::array(),
                                          Json::object(),
                                          Json::array({Json::array({1})}),
                                          {{"content", 3}},
                                          {{"content", "x"}},
                                          {{"type", "Sequence"}}};
    if (!json.is_structured()) return;
    std::vector<Json*> members;
    for (auto it = json.begin(); it != json.end(); ++it) members.push_back(&*it);
    const std::size_t step = std::max<std::size_t>(1, members.size() / 6);
    for (std::size_t i = random.below(step); i < members.size(); i += step) {
        Json kept = *members[i];
        for (int k = 0; k < 4; ++k) {
            *members[i] = odd[random.below(odd.size())];
            use();
        }
        *members[i] = std::move(kept);
        each_mutant(*members[i], random, use);
    }
}

Json decoder_config() {
    return {{"tokenizer_class", "LlamaTokenizer"},
            {"bos_token", "<s>"},
            {"eos_token", {{"__type", "AddedToken"}, {"content", "</s>"}}},
            {"legacy", false},
            {"add_bos_token", true},
            {"add_prefix_space", nullptr},
            {"split_special_tokens", false},
            {"image_token", "<image>"},
            {"extra_special_tokens", {"<x>", {{"content", "<y>"}, {"lstrip", true}}}},
            {"additional_special_tokens", {"<z>"}},
            {"model_specific_special_tokens", {{"a_token", "<a>"}}},
            {"added_tokens_decoder",
             {{"1", {{"content", "<s>"}, {"special", true}}}, {"500", {{"content", "<|x|>"}, {"rstrip", true}}}}}};
}

void mutate_json(const fs::path& folder, const char* name, Json json, std::uint64_t seed, Damaged& damaged) {
    Random random(seed);
    each_mutant(json, random, [&] {
        const std::string text = json.dump();
        write(folder / name, text);
        damaged.expect_handled(std::string(name) + ": " + text.substr(0, 3000));
    });
    const std::string whole = json.dump();
    for (int i = 0; i < 20; ++i) {
        write(folder / name, whole.substr(0, random.below(whole.size())));
        damaged.expect_handled(std::string(name) + " cut short");
    }
    write(folder / name, whole);
}

TEST(TokenizerFolders, OfOddJsonAreReadOrRefusedByName) {
    const TemporaryFolder folder;
    Damaged damaged(folder.path());
    for (const char* base : {"bytes.json", "pieces.json", "pieces.model"}) {
        const bool model = std::string(base).ends_with("model");
        write_folder({{"tokenizer", {{model ? "tokenizer.model" : "tokenizer.json", std::string("tokenizer_folders_") + base}}},
                      {"files", Json::object()}},
                     folder.path());
        mutate_json(
            folder.path(), "special_tokens_map.json",
            {{"bos_token", {{"content", "<s>"}, {"lstrip", false}}}, {"x_token", "<x>"}, {"additional_special_tokens", {"<y>"}}},
            1, damaged);
        mutate_json(folder.path(), "added_tokens.json", {{"<s>", 1}, {"<new>", 600}}, 2, damaged);
        mutate_json(folder.path(), "tokenizer_config.json", decoder_config(), 3, damaged);
        if (model) continue;
        mutate_json(folder.path(), "tokenizer.json", read_json(folder.path() / "tokenizer.json"), 4, damaged);
    }
    EXPECT_GT(damaged.loaded, 100);
    EXPECT_GT(damaged.refused, 300);
}

TEST(TokenizerFolders, OfADamagedModelFileAreReadOrRefusedByName) {
    const TemporaryFolder folder;
    Damaged damaged(folder.path());
    for (const char* base : {"tokenizer_folders_pieces.model", "tokenizer_folders_unigram.model"}) {
        const std::string whole = read_file(test::fixture(std::string("text/") + base));
        for (const bool converted : {false, true}) {
            for (const auto& entry : fs::directory_iterator(folder.path())) fs::remove(entry);
            if (converted)
                write(folder / "tokenizer_config.json",
                      R"({"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "<pad>"})");
            Random random(5);
            for (int i = 0; i < 150; ++i) {
                std::string bytes = i % 3 == 0 ? whole.substr(0, random.below(whole.size())) : whole;
                for (int k = static_cast<int>(random.below(4)); i % 3 != 0 && k >= 0; --k) {
                    bytes[i % 3 == 1 ? random.below(bytes.size()) : bytes.size() - 1 - random.below(120)] ^=
                        static_cast<char>(1U << random.below(8));
                }
                write(folder / "tokenizer.model", bytes);
                damaged.expect_handled(std::string(base) + " " + std::to_string(i));
            }
        }
    }
    EXPECT_GT(damaged.loaded, 20);
    EXPECT_GT(damaged.refused, 100);
}

class Refusal : public testing::Test {
protected:
    std::string message(const std::string& name, const std::string& content) {
        write_folder({{"tokenizer", {{"tokenizer.json", "tokenizer_folders_bytes.json"}}}, {"files", Json::object()}},
                     folder_.path());
        write(folder_ / name, content);
        try {
            load_tokenizer(folder_.path());
        } catch (const Error& error) {
            return error.what();
        }
        return "";
    }
    void expect(const std::string& name, const std::string& content, const std::string& reason) {
        const std::string text = message(name, content);
        EXPECT_NE(text.find(name), std::string::npos) << text;
        EXPECT_NE(text.find(reason), std::string::npos) << text;
    }
    TemporaryFolder folder_;
};

TEST_F(Refusal, OfAModelFileWithALongPiece) {
    // ModelProto: field 1 is a piece, whose field 1 is its text; lengths in groups of seven bits.
    const auto field = [](const std::string& bytes) {
        std::string out = "\x0A";
        std::size_t size = bytes.size();
        for (; size > 127; size >>= 7U) out += static_cast<char>(0x80U | (size & 127U));
        return out + static_cast<char>(size) + bytes;
    };
    for (const char* config : {"", R"({"tokenizer_class": "LlamaTokenizer"})"}) {
        for (const auto& entry : fs::directory_iterator(folder_.path())) fs::remove(entry);
        const std::string whole = read_file(test::fixture("text/tokenizer_folders_pieces.model"));
        write(folder_ / "tokenizer.model", whole + field(field(std::string(1 << 20, 'a'))));
        if (*config != '\0') write(folder_ / "tokenizer_config.json", config);
        try {
            load_tokenizer(folder_.path());
            ADD_FAILURE() << config;
        } catch (const Error& error) {
            const std::string text = error.what();
            EXPECT_NE(text.find("tokenizer.model: damaged sentencepiece model (a piece is longer than 8192 bytes)"),
                      std::string::npos)
                << text;
        }
    }
}

TEST_F(Refusal, IsNotNeededForWhatNobodyReads) {
    const std::string deep = std::string(100000, '[') + std::string(100000, ']');
    EXPECT_EQ(message("tokenizer_config.json", R"({"init_inputs": )" + deep + "}"), "");
}

TEST_F(Refusal, NamesFileAndMember) {
    expect("tokenizer_config.json", "[]", "an object is expected");
    expect("tokenizer_config.json", R"({"bos_token": 3})", "bos_token: a token is expected");
    expect("tokenizer_config.json", R"({"extra_special_tokens": "<x>"})", "extra_special_tokens: a list of tokens");
    expect("tokenizer_config.json", R"({"extra_special_tokens": {"x_token": 1}})",
           "extra_special_tokens.x_token: a token is expected");
    expect("tokenizer_config.json", R"({"additional_special_tokens": ["<x>", 1]})",
           "additional_special_tokens[1]: a token is expected");
    expect("tokenizer_config.json", R"({"added_tokens_decoder": {"x": {"content": "a"}}})", "added_tokens_decoder: 'x' is no id");
    expect("tokenizer_config.json", R"({"added_tokens_decoder": {"-1": {"content": "a"}}})",
           "added_tokens_decoder: '-1' is no id");
    expect("tokenizer_config.json", R"({"added_tokens_decoder": {"1000000000": {"content": "a"}}})",
           "added_tokens_decoder: the id 1000000000 is not in 0 … 16777215");
    expect("tokenizer_config.json", R"({"added_tokens_decoder": {"1": "a"}})", "added_tokens_decoder.1: an object");
    expect("tokenizer_config.json", R"({"added_tokens_decoder": {"1": {"content": "a", "lstrip": "no"}}})",
           "added_tokens_decoder.1.lstrip: true or false");
    expect("tokenizer_config.json", R"({"split_special_tokens": "yes"})", "split_special_tokens: true or false");
    expect("added_tokens.json", R"({"a": 1099511627776})", "a: the id 1099511627776 is not in 0");
    expect("added_tokens.json", R"({"a": "1"})", "a: an id is expected");
    expect("special_tokens_map.json", R"({"pad_token": []})", "pad_token: a token is expected");
    expect("tokenizer.json", R"({"model": {"type": "BPE", "vocab": {"a": 1e999}, "merges": []}})", "damaged tokenizer file");
    expect("tokenizer.json", R"({"model": {"type": "BPE", "vocab": {"a": 1000000000}, "merges": []}})", "is far behind");
    expect("tokenizer.json", R"({"model": {"type": "Unigram", "unk_id": -1, "vocab": [["a", 0.5]]}})", "unk_id: -1");
    expect(
        "tokenizer.json",
        R"({"model": {"type": "Unigram", "vocab": [["a", 0.5]]}, "post_processor": {"type": "BertProcessing", "cls": ["a", 1099511627776], "sep": ["a", 0]}})",
        "post_processor: an id is expected");
    expect(
        "tokenizer.json",
        R"({"model": {"type": "Unigram", "vocab": [["a", 0.5]]}, "post_processor": {"type": "BertProcessing", "cls": ["a", 7], "sep": ["a", 0]}})",
        "the id 7 is not in the vocabulary");
    expect("tokenizer.json",
           R"({"model": {"type": "Unigram", "vocab": [["a", 0.5]]}, "decoder": {"type": "BPEDecoder", "suffix": ""}})",
           "suffix is empty");
    expect("tokenizer.json", R"({"model": {"type": "Unigram", "vocab": [[")" + std::string(10000, 'a') + R"(", 0.5]]}})",
           "longer than 8192 bytes");
    expect("tokenizer.json", R"({"normalizer": )" + std::string(100000, '[') + std::string(100000, ']') + "}",
           "nested deeper than 64");
    EXPECT_EQ(message("tokenizer_config.json", R"({"extra_special_tokens": null, "bos_token": null, "image_token": 5})"), "")
        << "other things may have such names";
}

}  // namespace
}  // namespace xlrm
