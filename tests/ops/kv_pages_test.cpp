#include "xlrm/ops/kv_pages.hpp"

#include <ATen/ops/cat.h>

#include "ops/support.hpp"
#include "xlrm/ops/attention.hpp"

namespace xlrm {
namespace {

struct Case {
    std::int64_t heads, kv_heads, d;
    AttentionConfig config;
};
const std::vector<Case> kCases{{6, 2, 64, {0.125, 0, 0.0}}, {3, 1, 20, {0.25, 0, 0.0}}, {2, 1, 8, {0.35, 9, 0.0}},
                               {4, 2, 32, {0.2, 0, 3.0}},   {4, 2, 48, {0.1, 70, 5.0}}, {2, 2, 16, {0.3, 64, 0.0}}};

//! A text's queries, keys and values.
struct Text {
    at::Tensor q, k, v;
};
Text text(const Case& c, std::int64_t length, std::uint64_t seed, at::ScalarType dtype) {
    return {test::normal({length, c.heads, c.d}, seed, dtype), test::normal({length, c.kv_heads, c.d}, seed + 1, dtype),
            test::normal({length, c.kv_heads, c.d}, seed + 2, dtype)};
}
Text part(const Text& t, std::int64_t begin, std::int64_t length) {
    return {t.q.narrow(0, begin, length), t.k.narrow(0, begin, length), t.v.narrow(0, begin, length)};
}
Text behind(const Text& a, const Text& b) { return {at::cat({a.q, b.q}), at::cat({a.k, b.k}), at::cat({a.v, b.v})}; }

at::Tensor whole(const Text& t, const AttentionConfig& config, AttentionSaved* saved = nullptr) {
    const std::int64_t n = t.q.size(0);
    return attention(t.q, t.k, t.v, {{{{0, n}}, {{0, n, 0}}}}, config, saved);
}

//! Appends a piece of a text and attends to what the cache then holds.
at::Tensor piece(const Text& t, KvPages& pages, std::int64_t sequence, const AttentionConfig& config,
                 AttentionSaved* saved = nullptr) {
    const std::int64_t before = pages.length(sequence), n = t.q.size(0);
    pages.append(sequence, t.k, t.v);
    return attention(t.q, t.k, t.v, {{{{0, before + n, sequence}}, {{0, n, before}}}}, config, saved, &pages);
}

TEST(KvPages, PiecesHaveTheBitsOfTheWholeText) {
    for (const at::ScalarType dtype : test::kDtypes)
        for (const Case& c : kCases) {
            const Text all = text(c, 203, 1, dtype);
            AttentionSaved expected;
            const at::Tensor out = whole(all, c.config, &expected);
            for (const std::int64_t size : {1, 7, 64, 100, 203}) {
                KvPages pages(dtype, c.kv_heads, c.d, c.config.window);
                const std::int64_t sequence = pages.add();
                std::vector<at::Tensor> outs, lse;
                for (std::int64_t at = 0; at < 203; at += size) {
                    AttentionSaved saved;
                    outs.push_back(
                        piece(part(all, at, std::min<std::int64_t>(size, 203 - at)), pages, sequence, c.config, &saved));
                    lse.push_back(saved.lse);
                }
                EXPECT_TRUE(test::same_bits(at::cat(outs), out)) << dtype << " " << c.d << " pieces of " << size;
                EXPECT_TRUE(test::same_bits(at::cat(lse), expected.lse)) << dtype << " " << c.d << " pieces of " << size;
            }
        }
}

TEST(KvPages, ForkedSequencesGoTheirOwnWay) {
    for (const at::ScalarType dtype : test::kDtypes)
        for (const Case& c : kCases) {
            const Text prompt = text(c, 150, 1, dtype);
            KvPages pages(dtype, c.kv_heads, c.d, c.config.window);
            const std::int64_t first = pages.add();
            piece(prompt, pages, first, c.config);
            const std::int64_t second = pages.fork(first), held = pages.bytes();
            EXPECT_EQ(pages.length(second), 150);
            const Text a = text(c, 5, 4, dtype), b = text(c, 5, 7, dtype);
            // In one call, beside each other.
            const Text both = behind(a, b);
            const KvPages::Rows rows[] = {{first, 0, 5}, {second, 5, 5}};
            pages.append(rows, both.k, both.v);
            const at::Tensor out =
                attention(both.q, both.k, both.v, {{{{0, 155, first}}, {{0, 5, 150}}}, {{{0, 155, second}}, {{5, 5, 150}}}},
                          c.config, nullptr, &pages);
            EXPECT_TRUE(test::same_bits(out.narrow(0, 0, 5), whole(behind(prompt, a), c.config).narrow(0, 150, 5)));
            EXPECT_TRUE(test::same_bits(out.narrow(0, 5, 5), whole(behind(prompt, b), c.config).narrow(0, 150, 5)));
            const std::int64_t page = held / (c.config.window > 0 && c.config.window < 64 ? 2 : 3);
            EXPECT_LE(pages.bytes(), held + page) << "only the page that is not full was copied";
            pages.remove(first);
            EXPECT_LE(pages.bytes(), held);
            const Text more = text(c, 1, 10, dtype);
            EXPECT_TRUE(test::same_bits(piece(more, pages, second, c.config),
                                        whole(behind(behind(prompt, b), more), c.config).narrow(0, 155, 1)));
            EXPECT_EQ(pages.add(), first);
            EXPECT_EQ(pages.length(first), 0);
        }
}

TEST(KvPages, AWindowKeepsItsOwnPagesAlone) {
    const Case c{2, 1, 16, {0.25, 100, 0.0}};
    KvPages pages(at::kFloat, c.kv_heads, c.d, c.config.window), all(at::kFloat, c.kv_heads, c.d, 0);
    const std::int64_t sequence = pages.add(), other = all.add();
    std::int64_t most = 0;
    for (std::int64_t at = 0; at < 1000; at += 10) {
        const Text t = text(c, 10, 1, at::kFloat);
        pages.append(sequence, t.k, t.v);
        all.append(other, t.k, t.v);
        most = std::max(most, pages.bytes());
    }
    const std::int64_t page = all.bytes() / 16;  // 1,000 keys are 16 pages of 64
    EXPECT_EQ(all.bytes() % 16, 0);
    EXPECT_LE(most, 4 * page);  // 109 keys touch three pages at most, and the next one begins
}

TEST(KvPages, TakesAnyMixtureOfRowsAndSequences) {
    const Case c{6, 2, 64, {0.125, 0, 0.0}};
    for (const at::ScalarType dtype : test::kDtypes) {
        const Text cached = text(c, 90, 1, dtype), alone = text(c, 70, 4, dtype);
        KvPages pages(dtype, c.kv_heads, c.d, 0);
        const std::int64_t sequence = pages.add();
        piece(part(cached, 0, 60), pages, sequence, c.config);
        const Text both = behind(part(cached, 60, 30), alone);
        pages.append(sequence, both.k.narrow(0, 0, 30), both.v.narrow(0, 0, 30));
        const at::Tensor out =
            attention(both.q, both.k, both.v, {{{{0, 90, sequence}}, {{0, 30, 60}}}, {{{30, 70}}, {{30, 70, 0}}}}, c.config,
                      nullptr, &pages);
        EXPECT_TRUE(test::same_bits(out.narrow(0, 0, 30), whole(cached, c.config).narrow(0, 60, 30)));
        EXPECT_TRUE(test::same_bits(out.narrow(0, 30, 70), whole(alone, c.config)));
    }
}

}  // namespace
}  // namespace xlrm
