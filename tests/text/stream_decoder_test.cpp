// The streaming decoder against decoding all ids at once, for every tokenizer of the fixtures and those of the shared data.
#include "xlrm/text/stream_decoder.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "support/shared_data.hpp"
#include "support/temporary_folder.hpp"
#include "xlrm/core/random.hpp"
#include "xlrm/core/utf8.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;
using Ids = std::vector<std::int32_t>;

const std::vector<std::string> kTexts = {
    "The quick brown fox.  Two spaces, a tab\tand\n\nlines. ",
    " leading",
    "   three leading",
    "El niño comió ¿cuándo? «sí»",
    "서울은 대한민국의 수도이다.",
    "北京是中国的首都。𠀀𠮷",
    "👩‍👩‍👧‍👦 👍🏽 e\u0301\u0327",
    "a\u00a0b\u3000c\u200dd",
    "\uFFFD in the text \uFFFD\uFFFD",
    "x",
    "мир ١٢٣ हिन्दी ไทย",
};

// After each id, the text must be that of all ids so far, and what was settled must stay.
void expect_equal_text(const Tokenizer& tokenizer, const Ids& ids, const std::string& what) {
    StreamDecoder stream(tokenizer);
    Ids so_far;
    std::string settled;
    for (const std::int32_t id : ids) {
        stream.push(id);
        so_far.push_back(id);
        const std::string whole = tokenizer.decode(so_far);
        ASSERT_EQ(stream.text(), whole) << what << " after " << so_far.size() << " ids, the last " << id;
        ASSERT_LE(stream.settled(), whole.size());
        ASSERT_LE(stream.complete(), whole.size());
        ASSERT_TRUE(is_valid_utf8(std::string_view(whole).substr(0, stream.complete()))) << what;
        ASSERT_TRUE(whole.starts_with(settled)) << what << ": settled text changed";
        settled = whole.substr(0, stream.settled());
    }
}

void check_tokenizer(const Tokenizer& tokenizer, const std::string& name, int runs) {
    for (const std::string& text : kTexts) {
        for (const bool special : {false, true})
            expect_equal_text(tokenizer, tokenizer.encode(text, special), name + ": " + text);
    }
    Random random(11);
    Ids known;
    for (std::int32_t id = 0; id < tokenizer.vocab_size(); ++id) {
        if (random.below(static_cast<std::uint64_t>(tokenizer.vocab_size())) >= 800) continue;
        try {
            tokenizer.decode({id});
            known.push_back(id);
        } catch (const std::exception&) {  // an id without a token
        }
    }
    ASSERT_FALSE(known.empty()) << name;
    Ids bytes;  // tokens that hold a part of a character, and byte tokens
    for (const std::int32_t id : known)
        if (tokenizer.decode({id}).find("\uFFFD") != std::string::npos) bytes.push_back(id);
    for (int run = 0; run < runs; ++run) {
        Ids ids;
        while (ids.size() < 40) {
            const Ids& from = !bytes.empty() && random.below(3) == 0 ? bytes : known;
            for (std::uint64_t n = 1 + random.below(4); n > 0; --n) ids.push_back(from[random.below(from.size())]);
        }
        expect_equal_text(tokenizer, ids, name + ", random ids, run " + std::to_string(run));
    }
    // Texts cut anywhere: characters that are never finished, followed by others.
    for (int run = 0; run < runs; ++run) {
        Ids ids;
        for (int part = 0; part < 4; ++part) {
            Ids text = tokenizer.encode(kTexts[random.below(kTexts.size())], false);
            text.resize(random.below(text.size() + 1));
            ids.insert(ids.end(), text.begin(), text.end());
        }
        expect_equal_text(tokenizer, ids, name + ", cut texts, run " + std::to_string(run));
    }
}

TEST(StreamDecoder, EqualsTheWholeForTheFixtures) {
    int count = 0;
    for (const char* name : {"bpe_digits.json", "bpe_prefix.json", "bpe_special.json", "bpe_whole.json",
                             "tokenizer_folders_bytes.json", "tokenizer_folders_pieces.json"}) {
        check_tokenizer(*load_bpe(test::fixture(std::string("text/") + name)), name, 15);
        ++count;
    }
    for (const char* name : {"tokenizer_folders_pieces.model", "tokenizer_folders_unigram.model"}) {
        check_tokenizer(*load_sentencepiece(test::fixture(std::string("text/") + name)), name, 15);
        ++count;
    }
    EXPECT_EQ(count, 8);
}

// Decoders that change a token for its neighbours.
TEST(StreamDecoder, EqualsTheWholeForEveryKindOfDecoder) {
    const std::string words =
        R"("[U]":0,"▁a":1,"b</w>":2,"##c":3,"▁":4,"<0xE4>":5,"<0xBD>":6,"<0xA0>":7,"<0xFF>":8,"d":9,"▁▁":10," ":11,"<0x41>":12,"n't":13)";
    const TemporaryFolder folder;
    for (
        const std::string decoder :
        {R"(null)", R"({"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":true})",
         R"({"type":"BPEDecoder","suffix":"</w>"})", R"({"type":"WordPiece","prefix":"##","cleanup":true})",
         R"({"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]})",
         R"({"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":1}]})"}) {
        std::ofstream(folder / "tokenizer.json")
            << R"({"version":"1.0","added_tokens":[],"normalizer":null,"pre_tokenizer":null,"post_processor":null,"decoder":)"
            << decoder << R"(,"model":{"type":"BPE","unk_token":"[U]","fuse_unk":false,"byte_fallback":true,"vocab":{)" << words
            << R"(},"merges":[]}})";
        const auto tokenizer = load_bpe(folder / "tokenizer.json");
        Random random(4);
        for (int run = 0; run < 300; ++run) {
            Ids ids;
            for (int i = 0; i < 14; ++i) ids.push_back(static_cast<std::int32_t>(random.below(14)));
            expect_equal_text(*tokenizer, ids, decoder);
        }
    }
}

TEST(StreamDecoder, EqualsTheWholeForPublishedTokenizers) {
    const fs::path root = test::shared_data() / "tokenizers";
    if (!fs::exists(root)) GTEST_SKIP() << root << " is not there";
    int count = 0;
    for (const char* name : {"llama2", "gpt-2", "chinese_llama_sp", "torchtitan_tiny"}) {  // those that load fast
        if (!fs::exists(root / name)) continue;
        check_tokenizer(*load_tokenizer(root / name), name, 3);
        ++count;
    }
    EXPECT_GE(count, 3);
}

TEST(StreamDecoder, SettlesACharacterOnceItIsWhole) {
    const auto tokenizer = load_bpe(test::fixture("text/bpe_whole.json"));
    const Ids ids = tokenizer->encode("a𠀀b", false);  // too rare to have a token of its own
    ASSERT_GE(ids.size(), 4U);
    StreamDecoder stream(*tokenizer);
    std::vector<std::size_t> settled;
    for (const std::int32_t id : ids) {
        stream.push(id);
        settled.push_back(stream.settled());
    }
    EXPECT_EQ(settled.front(), 1U);
    EXPECT_EQ(settled[settled.size() - 3], 1U);
    EXPECT_EQ(settled[settled.size() - 2], 5U);
    EXPECT_EQ(settled.back(), 6U);
}

}  // namespace
}  // namespace xlrm
