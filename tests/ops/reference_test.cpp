// Every op of the reference table against xlrm's own kernels. Both round once where the contract says so, so that in fp32 they
// differ by the order of sums alone.
#include "ops/device_ops.hpp"

#include <ATen/ops/empty_like.h>

#include "ops/support.hpp"
#include "xlrm/ops/attention.hpp"
#include "xlrm/ops/embedding.hpp"
#include "xlrm/ops/head.hpp"
#include "xlrm/ops/linear.hpp"
#include "xlrm/ops/rows.hpp"
#include "xlrm/ops/soft_cap.hpp"

namespace xlrm {
namespace {

double bound(at::ScalarType dtype) { return dtype == at::kDouble ? 1e-14 : dtype == at::kFloat ? 1e-6 : 6e-3; }

at::ScalarType sums(at::ScalarType dtype) { return dtype == at::kDouble ? at::kDouble : at::kFloat; }

TEST(Reference, ProductsAndTheirGradients) {
    for (const at::ScalarType dtype : test::kDtypes) {
        const at::Tensor x = test::normal({77, 96}, 1, dtype), w = test::normal({64, 96}, 2, dtype),
                         b = test::normal({64}, 3, dtype), dy = test::normal({77, 64}, 4, dtype);
        EXPECT_LT(test::difference(reference_ops().linear(x, w, {}), xlrm::linear(x, w)), bound(dtype));
        EXPECT_LT(test::difference(reference_ops().linear(x, w, b), xlrm::linear(x, w, b)), bound(dtype));
        EXPECT_LT(test::difference(reference_ops().linear_backward_input(dy, w), xlrm::linear_backward_input(dy, w)),
                  bound(dtype));
        const at::Tensor dw = test::normal({64, 96}, 5, sums(dtype)), db = test::normal({64}, 6, sums(dtype));
        const at::Tensor dw2 = dw.clone(), db2 = db.clone();
        reference_ops().linear_backward_weight(dy, x, dw, db);
        xlrm::linear_backward_weight(dy, x, dw2, db2);
        EXPECT_LT(test::difference(dw, dw2), bound(dtype));
        EXPECT_LT(test::difference(db, db2), bound(dtype));
    }
}

TEST(Reference, GatedActivations) {
    for (const at::ScalarType dtype : test::kDtypes)
        for (const Activation activation : {Activation::silu, Activation::gelu_tanh}) {
            const at::Tensor gate_up = test::normal({33, 2 * 70}, 1, dtype), dy = test::normal({33, 70}, 2, dtype);
            EXPECT_LT(test::difference(reference_ops().gated_activation(gate_up, activation),
                                       xlrm::gated_activation(gate_up, activation)),
                      bound(dtype));
            EXPECT_LT(test::difference(reference_ops().gated_activation_backward(dy, gate_up, activation),
                                       xlrm::gated_activation_backward(dy, gate_up, activation)),
                      bound(dtype));
        }
}

TEST(Reference, NormsOfRowsAndHeads) {
    for (const at::ScalarType dtype : test::kDtypes)
        for (const NormWeight kind : {NormWeight::plain, NormWeight::one_plus})
            for (const std::vector<std::int64_t>& shape : {std::vector<std::int64_t>{40, 72}, {20, 3, 72}}) {
                const at::Tensor x = test::normal(shape, 1, dtype), w = test::normal({72}, 2, dtype),
                                 dy = test::normal(shape, 3, dtype);
                const RmsNormResult own = xlrm::rms_norm(x, w, 1e-5, kind), other = reference_ops().rms_norm(x, w, 1e-5, kind);
                EXPECT_LT(test::difference(other.y, own.y), bound(dtype));
                EXPECT_EQ(other.rstd.sizes(), own.rstd.sizes());
                EXPECT_LT(test::difference(other.rstd, own.rstd), bound(sums(dtype)));
                const at::Tensor dx = test::normal(shape, 4, dtype), dw = test::normal({72}, 5, sums(dtype));
                const at::Tensor dx2 = dx.clone(), dw2 = dw.clone();
                reference_ops().rms_norm_backward(dy, x, w, own.rstd, kind, dx, dw);
                xlrm::rms_norm_backward(dy, x, w, own.rstd, kind, dx2, dw2);
                EXPECT_LT(test::difference(dx, dx2), bound(dtype));
                EXPECT_LT(test::difference(dw, dw2), bound(sums(dtype)));
            }
}

TEST(Reference, NormOfASum) {
    for (const at::ScalarType dtype : test::kDtypes)
        for (const bool keep : {false, true}) {
            const at::Tensor x = test::normal({9, 64}, 1, dtype), delta = test::normal({9, 64}, 2, dtype),
                             w = test::normal({64}, 3, dtype);
            at::Tensor own = x.clone(), other = x.clone();
            const at::Tensor given = other;
            const at::Tensor y = xlrm::add_rms_norm(own, delta, w, 1e-5, NormWeight::plain, keep).y;
            EXPECT_LT(test::difference(reference_ops().add_rms_norm(other, delta, w, 1e-5, NormWeight::plain, keep).y, y),
                      bound(dtype));
            EXPECT_TRUE(test::same_bits(other, own));
            EXPECT_TRUE(test::same_bits(given, keep ? x : own));
        }
}

TEST(Reference, RotatesHeadsOfAMergedView) {
    for (const at::ScalarType dtype : test::kDtypes)
        for (const bool inverse : {false, true}) {
            const RopeTable table = make_rope_table({}, 50, 16, dtype);
            const at::Tensor positions = test::ints({0, 7, 49, 3}), own = test::normal({4, 5, 16}, 1, dtype);
            const at::Tensor other = own.clone();
            xlrm::rope(own.narrow(1, 1, 3), positions, table, inverse);
            reference_ops().rope(other.narrow(1, 1, 3), positions, table, inverse);
            EXPECT_LT(test::difference(other, own), bound(dtype));
        }
}

//! A prompt with two answers, one of which only some rows ask for, and a text that stands alone.
Segments shared_prompt() {
    return {{{{0, 20}}, {{0, 20, 0}}},
            {{{0, 20}, {20, 9}}, {{20, 9, 20}}},
            {{{0, 20}, {29, 5}}, {{29, 2, 20}, {31, 3, 22}}},
            {{{34, 7}}, {{34, 7, 0}}}};
}

TEST(Reference, AttentionWithSharedPrefixesWindowsAndCaps) {
    for (const at::ScalarType dtype : test::kDtypes)
        for (const AttentionConfig& config : {AttentionConfig{0.2, 0, 0.0}, {0.3, 6, 0.0}, {0.25, 0, 2.0}, {0.2, 9, 3.0}}) {
            const at::Tensor q = test::normal({41, 6, 24}, 1, dtype), k = test::normal({41, 2, 24}, 2, dtype),
                             v = test::normal({41, 2, 24}, 3, dtype), dout = test::normal({41, 6, 24}, 4, dtype);
            AttentionSaved own, other;
            const at::Tensor out = xlrm::attention(q, k, v, shared_prompt(), config, &own);
            EXPECT_LT(test::difference(reference_ops().attention(q, k, v, shared_prompt(), config, &other, nullptr), out),
                      bound(dtype));
            EXPECT_LT(test::difference(other.lse, own.lse), bound(sums(dtype)));
            const AttentionGrads expected = xlrm::attention_backward(dout, q, k, v, out, own, shared_prompt(), config);
            const AttentionGrads grads{at::empty_like(q), at::empty_like(k), at::empty_like(v)};
            reference_ops().attention_backward(dout, q, k, v, out, own, shared_prompt(), config, grads);
            EXPECT_LT(test::difference(grads.dq, expected.dq), 3 * bound(dtype));
            EXPECT_LT(test::difference(grads.dk, expected.dk), 3 * bound(dtype));
            EXPECT_LT(test::difference(grads.dv, expected.dv), 3 * bound(dtype));
        }
}

TEST(Reference, EmbeddingsWithRepeatedTokens) {
    for (const at::ScalarType dtype : test::kDtypes)
        for (const double scale : {1.0, 8.48528137423857})
            for (const std::int32_t fixed : {-1, 3}) {
                const at::Tensor w = test::normal({11, 24}, 1, dtype), tokens = test::ints({3, 3, 0, 10, 3, 7});
                EXPECT_LT(test::difference(reference_ops().embedding(tokens, w, scale), xlrm::embedding(tokens, w, scale)),
                          bound(dtype));
                const at::Tensor dy = test::normal({6, 24}, 2, dtype), own = test::normal({11, 24}, 3, sums(dtype));
                const at::Tensor other = own.clone();
                xlrm::embedding_backward(dy, tokens, own, scale, fixed);
                reference_ops().embedding_backward(dy, tokens, other, scale, fixed);
                EXPECT_LT(test::difference(other, own), bound(sums(dtype)));
            }
}

TEST(Reference, RowsThatAreGatheredScatteredAndAveraged) {
    for (const at::ScalarType dtype : test::kDtypes) {
        const at::Tensor x = test::normal({20, 24}, 1, dtype), index = test::longs({19, 0, 7, 0});
        EXPECT_TRUE(test::same_bits(reference_ops().gather_rows(x, index), xlrm::gather_rows(x, index)));
        const at::Tensor own = x.clone(), other = x.clone(), dy = test::normal({4, 24}, 2, dtype);
        xlrm::scatter_add_rows(dy, index, own);
        reference_ops().scatter_add_rows(dy, index, other);
        EXPECT_LT(test::difference(other, own), bound(dtype));
        const at::Tensor begin = test::longs({0, 5, 9, 3}), end = test::longs({4, 5, 20, 12});
        EXPECT_LT(test::difference(reference_ops().segment_mean(x, begin, end), xlrm::segment_mean(x, begin, end)),
                  bound(sums(dtype)));
    }
}

TEST(Reference, RewardHead) {
    for (const at::ScalarType dtype : test::kDtypes) {
        const at::Tensor rows = test::normal({6, 130}, 1, dtype), w = test::normal({130}, 2, dtype);
        EXPECT_LT(test::difference(reference_ops().reward_head(rows, w, false), xlrm::reward_head(rows, w)), bound(sums(dtype)));
        EXPECT_LT(test::difference(reference_ops().reward_head(rows, w, true), xlrm::reward_head(rows, w, true)), bound(dtype));
        const at::Tensor slopes = test::normal({6}, 3, sums(dtype)), own = test::normal({130}, 4, sums(dtype));
        const at::Tensor other = own.clone();
        const at::Tensor drows = xlrm::reward_head_backward(slopes, rows, w, own);
        EXPECT_LT(test::difference(reference_ops().reward_head_backward(slopes, rows, w, other), drows), bound(dtype));
        EXPECT_LT(test::difference(other, own), bound(sums(dtype)));
    }
}

TEST(Reference, CrossEntropyWithUncountedRowsWeightsAndACap) {
    for (const at::ScalarType dtype : test::kDtypes)
        for (const double cap : {0.0, 3.0})
            for (const bool weighted : {false, true}) {
                const at::Tensor hidden = test::normal({23, 32}, 1, dtype), w = test::normal({64, 32}, 2, dtype) * 0.3;
                std::vector<std::int32_t> ids;
                for (int i = 0; i < 23; ++i) ids.push_back(i % 5 == 2 ? -100 : (i * 37) % 64);
                const at::Tensor weight = weighted ? test::normal({23}, 3, at::kFloat).abs() : at::Tensor();
                const auto run = [&](auto op, at::Tensor& dhidden, at::Tensor& dw) {
                    dhidden = at::empty_like(hidden);
                    dw = test::normal({64, 32}, 4, sums(dtype));
                    return op(hidden, w, test::ints(ids), weight, 0.25, dhidden, dw, 10, cap, true);
                };
                at::Tensor dh, dh2, dw, dw2;
                const CrossEntropyResult own = run(xlrm::chunked_cross_entropy, dh, dw);
                const CrossEntropyResult other = run(reference_ops().chunked_cross_entropy, dh2, dw2);
                EXPECT_NEAR(other.loss_sum(), own.loss_sum(), bound(sums(dtype)) * own.loss_sum());
                EXPECT_DOUBLE_EQ(other.weight_sum(), own.weight_sum());
                EXPECT_LT(test::difference(other.log_probs, own.log_probs), bound(sums(dtype)));
                EXPECT_LT(test::difference(dh2, dh), bound(dtype));
                EXPECT_LT(test::difference(dw2, dw), bound(dtype));
                ASSERT_EQ(other.statistics.sizes(), own.statistics.sizes());
                EXPECT_LT(test::difference(other.statistics, own.statistics), 1e-5);
                EXPECT_TRUE(test::same_bits(other.statistics.select(1, 2), own.statistics.select(1, 2)));
            }
}

TEST(Reference, SoftCapAndItsSlope) {
    for (const at::ScalarType dtype : {at::kDouble, at::kFloat}) {
        const at::Tensor own = test::normal({5, 40}, 1, dtype) * 4.0, other = own.clone();
        const at::Tensor slope = at::empty_like(own), slope2 = at::empty_like(own);
        xlrm::soft_cap(own, 3.0, slope);
        reference_ops().soft_cap(other, 3.0, slope2);
        EXPECT_LT(test::difference(other, own), bound(dtype));
        EXPECT_LT(test::difference(slope2, slope), bound(dtype));
    }
}

}  // namespace
}  // namespace xlrm
