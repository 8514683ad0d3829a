#include "xlrm/ops/rms_norm.hpp"

#include "ops/support.hpp"

namespace xlrm {
namespace {

constexpr double kEps = 1e-5;

at::Tensor reference(const at::Tensor& x, const at::Tensor& w, NormWeight kind) {
    const at::Tensor normed = x * (x.pow(2).mean(-1, true) + kEps).rsqrt();
    return kind == NormWeight::plain ? normed * w : normed * (w + 1.0);
}

TEST(RmsNorm, EqualsTheFormulaAndItsGradient) {
    for (const at::ScalarType dtype : test::kDtypes)
        for (const NormWeight kind : {NormWeight::plain, NormWeight::one_plus})
            for (const std::int64_t d : {3, 64, 389}) {
                const at::Tensor x = test::normal({150, d}, 1, dtype), w = test::normal({d}, 2, dtype),
                                 dy = test::normal({150, d}, 3, dtype);
                const RmsNormResult result = rms_norm(x, w, kEps, kind);
                const auto f = [&](const std::vector<at::Tensor>& in) { return reference(in[0], in[1], kind); };
                EXPECT_LT(test::difference(result.y, f({x.to(at::kDouble), w.to(at::kDouble)})), test::tolerance(dtype));
                const auto grads = test::autograd(f, {x.to(at::kDouble), w.to(at::kDouble)}, dy.to(at::kDouble));
                const at::Tensor before = test::normal({150, d}, 4, dtype);
                const at::Tensor dx = before.clone();
                const at::Tensor dw = test::zeros({d}, dtype == at::kDouble ? at::kDouble : at::kFloat);
                rms_norm_backward(dy, x, w, result.rstd, kind, dx, dw);
                EXPECT_LT(test::difference(dx, before.to(at::kDouble) + grads[0]), test::tolerance(dtype));
                EXPECT_LT(test::difference(dw, grads[1]), test::tolerance(dtype));
            }
}

TEST(RmsNorm, AddsTheDeltaFirst) {
    for (const at::ScalarType dtype : test::kDtypes) {
        const at::Tensor x = test::normal({7, 96}, 1, dtype), delta = test::normal({7, 96}, 2, dtype),
                         w = test::normal({96}, 3, dtype);
        const at::Tensor sum = x + delta;
        for (const bool keep : {false, true}) {
            const at::Tensor before = x.clone();
            at::Tensor residual = before;
            const RmsNormResult fused = add_rms_norm(residual, delta, w, kEps, NormWeight::plain, keep);
            EXPECT_TRUE(test::same_bits(residual, sum));
            EXPECT_TRUE(test::same_bits(fused.y, rms_norm(sum, w, kEps).y));
            EXPECT_TRUE(test::same_bits(before, keep ? x : sum));
        }
    }
}

TEST(RmsNorm, NormsHeadsOfAMergedView) {
    const at::Tensor merged = test::normal({9, 5, 64}, 1, at::kFloat), w = test::normal({64}, 2, at::kFloat);
    const at::Tensor view = merged.narrow(1, 1, 3);
    const RmsNormResult result = rms_norm(view, w, kEps);
    EXPECT_TRUE(test::same_bits(result.y, rms_norm(view.contiguous(), w, kEps).y));
    EXPECT_EQ(result.rstd.sizes(), (std::vector<std::int64_t>{9, 3}));
    const at::Tensor dy = test::normal({9, 5, 64}, 3, at::kFloat).narrow(1, 2, 3);
    const at::Tensor dmerged = test::zeros({9, 5, 64}, at::kFloat), dx = test::zeros({9, 3, 64}, at::kFloat);
    const at::Tensor dw = test::zeros({64}, at::kFloat), dw2 = test::zeros({64}, at::kFloat);
    rms_norm_backward(dy, view, w, result.rstd, NormWeight::plain, dmerged.narrow(1, 1, 3), dw);
    rms_norm_backward(dy.contiguous(), view.contiguous(), w, result.rstd, NormWeight::plain, dx, dw2);
    EXPECT_TRUE(test::same_bits(dmerged.narrow(1, 1, 3), dx));
    EXPECT_TRUE(test::same_bits(dw, dw2));
    EXPECT_EQ(dmerged.narrow(1, 0, 1).abs().max().item<float>(), 0.0f);
}

TEST(RmsNorm, BitsDependNeitherOnOtherRowsNorOnThreads) {
    const at::Tensor x = test::normal({1000, 384}, 1, at::kBFloat16), w = test::normal({384}, 2, at::kBFloat16);
    const RmsNormResult one = rms_norm(x, w, kEps);
    EXPECT_TRUE(test::same_bits(one.y.narrow(0, 333, 1), rms_norm(x.narrow(0, 333, 1), w, kEps).y));
    const at::Tensor dx = test::zeros({1000, 384}, at::kBFloat16), dx2 = dx.clone();
    const at::Tensor dw = test::zeros({384}, at::kFloat), dw2 = dw.clone();
    rms_norm_backward(x, x, w, one.rstd, NormWeight::plain, dx, dw);
    test::with_threads(2, [&] {
        EXPECT_TRUE(test::same_bits(one.y, rms_norm(x, w, kEps).y));
        rms_norm_backward(x, x, w, one.rstd, NormWeight::plain, dx2, dw2);
    });
    EXPECT_TRUE(test::same_bits(dx, dx2));
    EXPECT_TRUE(test::same_bits(dw, dw2));
}

}  // namespace
}  // namespace xlrm
