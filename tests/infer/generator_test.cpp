#include "xlrm/infer/generator.hpp"

#include <ATen/ops/argmax.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>

#include "model/golden.hpp"
#include "xlrm/core/random.hpp"
#include "xlrm/model/exactness.hpp"
#include "xlrm/model/model_folder.hpp"

namespace {

using namespace xlrm_test;
using Tokens = std::vector<std::int32_t>;

const char* const kFamilies[] = {"llama", "mistral", "qwen2", "qwen3", "gemma2"};

struct Model {
    Model(const std::string& family, at::ScalarType dtype)
        : loaded(xlrm::load_model(fixture(family), xlrm::HeadKind::lm, dtype)), decoder(loaded.config, loaded.parameters) {}
    xlrm::KvCache cache() const { return {loaded.config, loaded.parameters.flat.scalar_type()}; }

    xlrm::LoadedModel loaded;
    xlrm::Decoder decoder;
};

Tokens random_text(std::int64_t length, std::int64_t vocab, std::uint64_t seed) {
    xlrm::Random random(seed);
    Tokens out;
    for (std::int64_t i = 0; i < length; ++i)
        out.push_back(static_cast<std::int32_t>(random.uniform() * static_cast<double>(vocab)));
    return out;
}

//! Residual rows of a text computed in one pass without a cache.
at::Tensor one_pass(const Model& model, const Tokens& text, std::int32_t prompt = 0) {
    xlrm::ItemSet set;
    set.tokens = text;
    set.answers = {{0, static_cast<std::int32_t>(text.size()), prompt}};
    const std::int64_t only[] = {0};
    return model.decoder.forward(xlrm::pack(set, only));
}

at::Tensor feed(const Model& model, xlrm::KvCache& cache, const std::vector<xlrm::Continuation>& some,
                const at::Tensor& needed = {}) {
    return model.decoder.forward(xlrm::pack_continuations(cache, some), needed, nullptr, {}, &cache);
}

std::span<const std::int32_t> piece(const Tokens& text, std::size_t begin, std::size_t length) {
    return std::span(text).subspan(begin, std::min(length, text.size() - begin));
}

//! Residual rows of `text` in pieces; beside others: two more texts grow in the same batches at their own pace.
at::Tensor in_pieces(const Model& model, const Tokens& text, std::size_t size, bool beside_others) {
    xlrm::KvCache cache = model.cache();
    const std::int64_t vocab = model.loaded.config.vocab_size;
    const Tokens others[] = {random_text(700, vocab, 5), random_text(700, vocab, 6)};
    const std::int64_t before = cache.add(), sequence = cache.add(), behind = cache.add();
    std::vector<at::Tensor> rows;
    for (std::size_t at = 0, step = 0; at < text.size(); at += size, ++step) {
        std::vector<xlrm::Continuation> some;
        const auto own = piece(text, at, size);
        std::size_t first = 0;
        if (beside_others) {
            some.push_back({before, piece(others[0], 3 * step, 3)});
            first = some.back().tokens.size();
        }
        some.push_back({sequence, own});
        if (beside_others && step % 2 == 0) some.push_back({behind, piece(others[1], step / 2, 1)});
        rows.push_back(
            feed(model, cache, some).narrow(0, static_cast<std::int64_t>(first), static_cast<std::int64_t>(own.size())));
    }
    return at::cat(rows);
}

bool same_bits(const at::Tensor& a, const at::Tensor& b) {
    return a.sizes() == b.sizes() && std::memcmp(a.contiguous().const_data_ptr(), b.contiguous().const_data_ptr(),
                                                 static_cast<std::size_t>(a.nbytes())) == 0;
}

TEST(Generator, PiecesHaveTheBitsOfOnePass) {
    for (const char* family : kFamilies)
        for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
            const Model model(family, dtype);
            const std::string problem = xlrm::check_exactness(model.decoder, 256).problem;
            if (!problem.empty()) {
                std::printf("%s %s: bits depend on the batch here anyway: %s\n", family, c10::toString(dtype), problem.c_str());
                continue;
            }
            const Tokens text = random_text(150, model.loaded.config.vocab_size, 1);
            const at::Tensor whole = one_pass(model, text);
            EXPECT_TRUE(same_bits(one_pass(model, text, 61), whole));
            for (const std::size_t size : {1, 7, 64, 150})
                for (const bool beside_others : {false, true})
                    EXPECT_TRUE(same_bits(in_pieces(model, text, size, beside_others), whole))
                        << family << " " << dtype << " pieces of " << size << (beside_others ? " beside others" : " alone");
            // The last token's row alone, in one piece and behind another.
            xlrm::KvCache cache = model.cache();
            const std::int64_t sequence = cache.add();
            const std::int64_t last[] = {69};
            const at::Tensor needed = xlrm::needed_rows(last).rows;
            EXPECT_TRUE(same_bits(feed(model, cache, {{sequence, piece(text, 0, 80)}}, needed), whole.narrow(0, 69, 1)));
            EXPECT_TRUE(same_bits(feed(model, cache, {{sequence, piece(text, 80, 70)}}, needed), whole.narrow(0, 149, 1)));
        }
}

TEST(Generator, ForksShareTheirPromptAndGoTheirOwnWay) {
    for (const char* family : kFamilies) {
        const Model model(family, at::kFloat);
        const std::int64_t vocab = model.loaded.config.vocab_size;
        const Tokens prompt = random_text(130, vocab, 1);
        xlrm::KvCache cache = model.cache();
        const std::int64_t first = cache.add();
        feed(model, cache, {{first, prompt}});
        const std::int64_t held = cache.bytes();
        std::vector<std::int64_t> sequences{first};
        for (int i = 0; i < 3; ++i) sequences.push_back(cache.fork(first));
        EXPECT_EQ(cache.bytes(), held);
        std::vector<Tokens> texts;
        std::vector<xlrm::Continuation> some;
        for (std::size_t i = 0; i < sequences.size(); ++i) texts.push_back(random_text(3, vocab, 10 + i));
        for (std::size_t i = 0; i < sequences.size(); ++i) some.push_back({sequences[i], texts[i]});
        const at::Tensor rows = feed(model, cache, some);
        EXPECT_LE(cache.bytes(), 2 * held);  // a page that is not full for each, of the three or (window) fewer that are held
        for (std::size_t i = 0; i < texts.size(); ++i) {
            Tokens whole = prompt;
            whole.insert(whole.end(), texts[i].begin(), texts[i].end());
            const at::Tensor expected = one_pass(model, whole).narrow(0, 130, 3);
            EXPECT_LT(relative_error(rows.narrow(0, static_cast<std::int64_t>(3 * i), 3), expected), 1e-6) << family << " " << i;
        }
    }
}

TEST(Generator, ACacheUnderAWindowStaysSmall) {
    const Model model("mistral", at::kFloat);  // a window of 4 in every layer
    const Tokens text = random_text(600, model.loaded.config.vocab_size, 1);
    xlrm::KvCache cache = model.cache();
    const std::int64_t sequence = cache.add();
    std::int64_t most = 0;
    for (std::size_t at = 0; at < text.size(); at += 10) {
        feed(model, cache, {{sequence, piece(text, at, 10)}});
        most = std::max(most, cache.bytes());
    }
    xlrm::KvCache one = model.cache();
    feed(model, one, {{one.add(), piece(text, 0, 10)}});
    EXPECT_LE(most, 2 * one.bytes());
}

//! What the model would say behind each prefix of prompt + tokens that ends in `tokens`, one token at a time.
Tokens teacher_forced(const Model& model, const Tokens& prompt, const Tokens& tokens) {
    xlrm::KvCache cache = model.cache();
    const std::int64_t sequence = cache.add();
    Tokens out;
    std::span<const std::int32_t> next = prompt;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        const at::Tensor rows = feed(model, cache, {{sequence, next}});
        const at::Tensor logits = xlrm::lm_logits(model.decoder, model.decoder.final_norm(rows.narrow(0, rows.size(0) - 1, 1)));
        out.push_back(static_cast<std::int32_t>(at::argmax(logits, 1).item<std::int64_t>()));
        next = std::span(tokens).subspan(i, 1);
    }
    return out;
}

TEST(Generator, GreedyTextIsThatOfTransformers) {
    const xlrm::Json golden =
        xlrm::read_json(std::filesystem::path(XLRM_SOURCE_DIR) / "tests/fixtures/infer/greedy.json");  // make_greedy.py
    for (const char* family : kFamilies) {
        const Model model(family, at::kFloat);
        int differing = 0;
        ASSERT_EQ(golden.at(family).size(), 20U);
        for (const xlrm::Json& text : golden.at(family)) {
            const Tokens prompt = text.at("prompt").get<Tokens>(), expected = text.at("tokens").get<Tokens>();
            const Tokens said = teacher_forced(model, prompt, expected);
            std::map<std::size_t, double> gaps;
            for (const xlrm::Json& close : text.at("close")) gaps[close.at(0).get<std::size_t>()] = close.at(1).get<double>();
            bool same = true;
            for (std::size_t i = 0; i < expected.size(); ++i) {
                if (said[i] == expected[i]) continue;
                same = false, ++differing;
                EXPECT_TRUE(gaps.contains(i) && gaps.at(i) < 1e-4)
                    << family << ": token " << i << " of a prompt of " << prompt.size();
            }
            if (same) {
                EXPECT_EQ(xlrm::generate_greedy(model.decoder, prompt, static_cast<std::int64_t>(expected.size())), expected)
                    << family << ": a prompt of " << prompt.size();
            }
        }
        std::printf("%s: %d of %d tokens differ\n", family, differing, 20 * 64);
    }
}

TEST(Generator, EndsBehindTheEndToken) {
    const Model model("llama", at::kFloat);
    const Tokens prompt = random_text(9, model.loaded.config.vocab_size, 3);
    const Tokens all = xlrm::generate_greedy(model.decoder, prompt, 30);
    ASSERT_EQ(all.size(), 30U);
    const std::int32_t eos = all[12];
    const auto end = std::ranges::find(all, eos) - all.begin() + 1;
    EXPECT_EQ(xlrm::generate_greedy(model.decoder, prompt, 30, eos), Tokens(all.begin(), all.begin() + end));
    EXPECT_TRUE(xlrm::generate_greedy(model.decoder, prompt, 0).empty());
}

}  // namespace
