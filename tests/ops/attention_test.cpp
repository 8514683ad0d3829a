#include "xlrm/ops/attention.hpp"

#include <ATen/ops/cat.h>

#include <cmath>

#include "ops/support.hpp"

namespace xlrm {
namespace {

struct Case {
    std::int64_t heads, kv_heads, d;
    AttentionConfig config;
};

//! Rows [begin, begin + length) behind those of the ranges `before`, as queries and keys.
Segment rows(std::int64_t begin, std::int64_t length, std::vector<KeyRange> before = {}) {
    Segment s{std::move(before), {}};
    s.queries = {{begin, length, s.key_count()}};
    s.keys.push_back({begin, length});
    return s;
}

at::Tensor keys_of(const Segment& s, const at::Tensor& x) {
    std::vector<at::Tensor> parts;
    for (const KeyRange& range : s.keys) parts.push_back(x.narrow(0, range.begin, range.length));
    return at::cat(parts);
}

//! Each run of queries densely, with a mask: an independent statement of the header. Runs cover the rows of q in order.
at::Tensor reference(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Segments& segments, const Case& c) {
    std::vector<at::Tensor> outs;
    for (const Segment& s : segments) {
        const at::Tensor keys = keys_of(s, k).repeat_interleave(c.heads / c.kv_heads, 1).permute({1, 0, 2});
        const at::Tensor values = keys_of(s, v).repeat_interleave(c.heads / c.kv_heads, 1).permute({1, 0, 2});
        for (const QueryRun& run : s.queries) {
            const at::Tensor queries = q.narrow(0, run.begin, run.length).permute({1, 0, 2});
            at::Tensor scores = queries.matmul(keys.transpose(1, 2)) * c.config.scale;
            if (c.config.soft_cap > 0.0) scores = (scores / c.config.soft_cap).tanh() * c.config.soft_cap;
            const std::int64_t n = keys.size(1);
            const at::Tensor mask = test::zeros({run.length, n}, at::kDouble);
            for (std::int64_t i = 0; i < run.length; ++i)
                for (std::int64_t j = 0; j < n; ++j) {
                    const std::int64_t position = run.position + i;
                    const bool seen = j <= position && (c.config.window == 0 || position - j < c.config.window);
                    if (!seen) mask.data_ptr<double>()[i * n + j] = -INFINITY;
                }
            outs.push_back((scores + mask).softmax(-1).matmul(values).permute({1, 0, 2}));
        }
    }
    return at::cat(outs);
}

Segments mixed_segments() {
    //  alone, a prompt with three answers (one empty), a single token, a longer prompt with one answer
    const KeyRange prompt{23, 37}, longer{107, 70};
    return {rows(0, 23),  rows(23, 37),  rows(60, 5, {prompt}),  rows(65, 0, {prompt}), rows(65, 41, {prompt}),
            rows(106, 1), rows(107, 70), rows(177, 13, {longer})};
}
constexpr std::int64_t kTokens = 190;

const std::vector<Case> kCases{{6, 2, 64, {0.125, 0, 0.0}}, {4, 4, 16, {0.3, 0, 0.0}}, {3, 1, 20, {0.25, 0, 0.0}},
                               {2, 1, 8, {0.35, 9, 0.0}},   {4, 2, 32, {0.2, 0, 3.0}}, {4, 2, 128, {0.09, 17, 5.0}}};

TEST(Attention, EqualsTheDenseFormulaAndItsGradient) {
    const Segments segments = mixed_segments();
    for (const at::ScalarType dtype : test::kDtypes)
        for (const Case& c : kCases) {
            const at::Tensor q = test::normal({kTokens, c.heads, c.d}, 1, dtype),
                             k = test::normal({kTokens, c.kv_heads, c.d}, 2, dtype);
            const at::Tensor v = test::normal({kTokens, c.kv_heads, c.d}, 3, dtype),
                             dout = test::normal({kTokens, c.heads, c.d}, 4, dtype);
            AttentionSaved saved;
            const at::Tensor out = attention(q, k, v, segments, c.config, &saved);
            const auto f = [&](const std::vector<at::Tensor>& in) { return reference(in[0], in[1], in[2], segments, c); };
            const std::vector<at::Tensor> wide{q.to(at::kDouble), k.to(at::kDouble), v.to(at::kDouble)};
            const double bound = test::tolerance(dtype);
            EXPECT_LT(test::difference(out, f(wide)), bound) << c.d << " " << dtype;
            const auto expected = test::autograd(f, wide, dout.to(at::kDouble));
            const AttentionGrads grads = attention_backward(dout, q, k, v, out, saved, segments, c.config);
            EXPECT_LT(test::difference(grads.dq, expected[0]), bound) << c.d << " " << dtype;
            EXPECT_LT(test::difference(grads.dk, expected[1]), bound) << c.d << " " << dtype;
            EXPECT_LT(test::difference(grads.dv, expected[2]), bound) << c.d << " " << dtype;
        }
}

TEST(Attention, ReadsAndWritesViewsOfMergedRows) {
    const Segments segments = mixed_segments();
    const AttentionConfig config{0.125, 0, 0.0};
    for (const at::ScalarType dtype : test::kDtypes) {
        const at::Tensor merged = test::normal({kTokens, 10, 64}, 1, dtype), dout = test::normal({kTokens, 6, 64}, 2, dtype);
        const at::Tensor q = merged.narrow(1, 0, 6), k = merged.narrow(1, 6, 2), v = merged.narrow(1, 8, 2);
        AttentionSaved saved, saved2;
        const at::Tensor out = attention(q, k, v, segments, config, &saved);
        EXPECT_TRUE(test::same_bits(out, attention(q.contiguous(), k.contiguous(), v.contiguous(), segments, config, &saved2)));
        EXPECT_TRUE(test::same_bits(saved.lse, saved2.lse));
        const at::Tensor dmerged = test::zeros({kTokens, 10, 64}, dtype);
        attention_backward(dout, q, k, v, out, saved, segments, config,
                           {dmerged.narrow(1, 0, 6), dmerged.narrow(1, 6, 2), dmerged.narrow(1, 8, 2)});
        const AttentionGrads grads =
            attention_backward(dout, q.contiguous(), k.contiguous(), v.contiguous(), out, saved, segments, config);
        EXPECT_TRUE(test::same_bits(dmerged, at::cat({grads.dq, grads.dk, grads.dv}, 1)));
    }
}

TEST(Attention, BitsOfATextDependOnItAlone) {
    const Segments segments = mixed_segments();
    const AttentionConfig config{0.125, 0, 0.0};
    for (const at::ScalarType dtype : test::kDtypes) {
        const at::Tensor q = test::normal({kTokens, 6, 64}, 1, dtype), k = test::normal({kTokens, 2, 64}, 2, dtype);
        const at::Tensor v = test::normal({kTokens, 2, 64}, 3, dtype);
        const at::Tensor all = attention(q, k, v, segments, config);
        // Segment 4 (41 tokens) with its prefix, alone.
        const auto part = [](const at::Tensor& x) { return at::cat({x.narrow(0, 23, 37), x.narrow(0, 65, 41)}); };
        const at::Tensor alone = attention(part(q), part(k), part(v), {rows(0, 37), rows(37, 41, {{0, 37}})}, config);
        EXPECT_TRUE(test::same_bits(alone, part(all)));
        // Its first 11 tokens: later tokens have no influence.
        const at::Tensor shorter = attention(part(q).narrow(0, 0, 48), part(k).narrow(0, 0, 48), part(v).narrow(0, 0, 48),
                                             {rows(0, 37), rows(37, 11, {{0, 37}})}, config);
        EXPECT_TRUE(test::same_bits(shorter, alone.narrow(0, 0, 48)));
    }
}

TEST(Attention, APrefixMayHaveAPrefix) {
    const std::int64_t n = 150;
    for (const at::ScalarType dtype : test::kDtypes)
        for (const Case& c : kCases) {
            const at::Tensor q = test::normal({n, c.heads, c.d}, 1, dtype), k = test::normal({n, c.kv_heads, c.d}, 2, dtype);
            const at::Tensor v = test::normal({n, c.kv_heads, c.d}, 3, dtype);
            const at::Tensor whole = attention(q, k, v, {rows(0, n)}, c.config);
            // Ranges that share groups of keys, two of them short, and one without rows.
            const Segments chain{rows(0, 45), rows(45, 3, {{0, 45}}), rows(48, 30, {{0, 45}, {45, 3}}),
                                 rows(78, 72, {{0, 45}, {45, 3}, {48, 0}, {48, 30}})};
            EXPECT_TRUE(test::same_bits(attention(q, k, v, chain, c.config), whole)) << c.d << " " << dtype;
            // The same rows of k and v in another order.
            const auto moved = [](const at::Tensor& x) { return at::cat({x.narrow(0, 48, 102), x.narrow(0, 0, 48)}); };
            const Segments elsewhere{{{{102, 45}, {147, 3}, {0, 102}}, {{0, n, 0}}}};
            EXPECT_TRUE(test::same_bits(attention(q, moved(k), moved(v), elsewhere, c.config), whole)) << c.d << " " << dtype;
        }
}

//! The runs of `segments` without every third row and whole stretches of rows, for queries that lie one behind the other.
Segments some_queries(const Segments& segments, std::vector<std::int64_t>* kept) {
    Segments out = segments;
    for (Segment& s : out) {
        std::vector<QueryRun> runs;
        for (const QueryRun& run : s.queries)
            for (std::int64_t i = 0; i < run.length; ++i) {
                const std::int64_t row = run.begin + i;
                if (row % 3 == 1 || (row > 24 && row < 60) || row == 106) continue;
                runs.push_back({std::int64_t(kept->size()), 1, run.position + i});
                kept->push_back(row);
            }
        s.queries = runs;
    }
    return out;
}

TEST(Attention, SomeQueriesHaveTheirOwnRows) {
    const Segments segments = mixed_segments();
    std::vector<std::int64_t> kept;
    const Segments some = some_queries(segments, &kept);
    const at::Tensor index = test::longs(kept);
    for (const at::ScalarType dtype : test::kDtypes)
        for (const Case& c : kCases) {
            const at::Tensor q = test::normal({kTokens, c.heads, c.d}, 1, dtype),
                             k = test::normal({kTokens, c.kv_heads, c.d}, 2, dtype);
            const at::Tensor v = test::normal({kTokens, c.kv_heads, c.d}, 3, dtype);
            AttentionSaved all_saved, saved;
            const at::Tensor all = attention(q, k, v, segments, c.config, &all_saved);
            const at::Tensor few_q = q.index_select(0, index), few = attention(few_q, k, v, some, c.config, &saved);
            EXPECT_TRUE(test::same_bits(few, all.index_select(0, index))) << c.d << " " << dtype;
            EXPECT_TRUE(test::same_bits(saved.lse, all_saved.lse.index_select(0, index)));
            // Backward: as if the other rows' gradients were zero.
            const at::Tensor few_dout = test::normal({index.size(0), c.heads, c.d}, 4, dtype);
            const at::Tensor dout = test::zeros({kTokens, c.heads, c.d}, dtype).index_copy(0, index, few_dout);
            const AttentionGrads expected = attention_backward(dout, q, k, v, all, all_saved, segments, c.config);
            const AttentionGrads grads = attention_backward(few_dout, few_q, k, v, few, saved, some, c.config);
            EXPECT_TRUE(test::same_bits(grads.dq, expected.dq.index_select(0, index))) << c.d << " " << dtype;
            const double bound = dtype == at::kBFloat16 ? test::tolerance(dtype) : 0.0;  // tiles sum 32 rows at a time
            EXPECT_LE(test::difference(grads.dk, expected.dk), bound) << c.d << " " << dtype;
            EXPECT_LE(test::difference(grads.dv, expected.dv), bound) << c.d << " " << dtype;
        }
}

TEST(Attention, BitsDoNotDependOnThreads) {
    const Segments segments = mixed_segments();
    const AttentionConfig config{0.125, 0, 0.0};
    for (const at::ScalarType dtype : test::kDtypes) {
        const at::Tensor q = test::normal({kTokens, 6, 64}, 1, dtype), k = test::normal({kTokens, 2, 64}, 2, dtype);
        const at::Tensor v = test::normal({kTokens, 2, 64}, 3, dtype), dout = test::normal({kTokens, 6, 64}, 4, dtype);
        AttentionSaved saved;
        const at::Tensor out = attention(q, k, v, segments, config, &saved);
        const AttentionGrads grads = attention_backward(dout, q, k, v, out, saved, segments, config);
        test::with_threads(2, [&] {
            EXPECT_TRUE(test::same_bits(out, attention(q, k, v, segments, config)));
            const AttentionGrads again = attention_backward(dout, q, k, v, out, saved, segments, config);
            EXPECT_TRUE(test::same_bits(grads.dq, again.dq) && test::same_bits(grads.dk, again.dk) &&
                        test::same_bits(grads.dv, again.dv));
        });
    }
}

}  // namespace
}  // namespace xlrm
