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

at::Tensor keys_of(const Segments& segments, const Segment& s, const at::Tensor& x) {
    const at::Tensor own = x.narrow(0, s.begin, s.length);
    if (s.prefix < 0) return own;
    const Segment& p = segments[std::size_t(s.prefix)];
    return at::cat({x.narrow(0, p.begin, p.length), own});
}

//! Each segment densely, with a mask: an independent statement of the header.
at::Tensor reference(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Segments& segments, const Case& c) {
    std::vector<at::Tensor> outs;
    for (const Segment& s : segments) {
        const at::Tensor keys = keys_of(segments, s, k).repeat_interleave(c.heads / c.kv_heads, 1).permute({1, 0, 2});
        const at::Tensor values = keys_of(segments, s, v).repeat_interleave(c.heads / c.kv_heads, 1).permute({1, 0, 2});
        const at::Tensor queries = q.narrow(0, s.begin, s.length).permute({1, 0, 2});
        at::Tensor scores = queries.matmul(keys.transpose(1, 2)) * c.config.scale;
        if (c.config.soft_cap > 0.0) scores = (scores / c.config.soft_cap).tanh() * c.config.soft_cap;
        const std::int64_t n = keys.size(1);
        const at::Tensor mask = test::zeros({s.length, n}, at::kDouble);
        for (std::int64_t i = 0; i < s.length; ++i)
            for (std::int64_t j = 0; j < n; ++j) {
                const std::int64_t position = n - s.length + i;
                const bool seen = j <= position && (c.config.window == 0 || position - j < c.config.window);
                if (!seen) mask.data_ptr<double>()[i * n + j] = -INFINITY;
            }
        outs.push_back((scores + mask).softmax(-1).matmul(values).permute({1, 0, 2}));
    }
    return at::cat(outs);
}

Segments mixed_segments() {
    //  alone, a prompt with three answers (one empty), a single token, a longer prompt with one answer
    return {{0, 23, -1}, {23, 37, -1}, {60, 5, 1}, {65, 0, 1}, {65, 41, 1}, {106, 1, -1}, {107, 70, -1}, {177, 13, 6}};
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
        const at::Tensor alone = attention(part(q), part(k), part(v), {{0, 37, -1}, {37, 41, 0}}, config);
        EXPECT_TRUE(test::same_bits(alone, part(all)));
        // Its first 11 tokens: later tokens have no influence.
        const at::Tensor shorter = attention(part(q).narrow(0, 0, 48), part(k).narrow(0, 0, 48), part(v).narrow(0, 0, 48),
                                             {{0, 37, -1}, {37, 11, 0}}, config);
        EXPECT_TRUE(test::same_bits(shorter, alone.narrow(0, 0, 48)));
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
