#include "xlrm/ops/head.hpp"

#include "ops/support.hpp"

namespace xlrm {
namespace {

TEST(RewardHead, EqualsTheProductAndItsGradient) {
    for (const at::ScalarType dtype : test::kDtypes) {
        const at::ScalarType sums = dtype == at::kDouble ? at::kDouble : at::kFloat;
        const at::Tensor rows = test::normal({9, 389}, 1, dtype), weight = test::normal({389}, 2, dtype),
                         ds = test::normal({9}, 3, sums);
        const auto f = [](const std::vector<at::Tensor>& in) { return in[0].matmul(in[1]); };
        const std::vector<at::Tensor> wide{rows.to(at::kDouble), weight.to(at::kDouble)};
        // Products of bf16 values are exact in fp32, so here bf16 rounds no more than fp32 does.
        const double bound = dtype == at::kDouble ? 1e-13 : 2e-6;
        EXPECT_LT(test::difference(reward_head(rows, weight), f(wide)), bound);
        EXPECT_EQ(reward_head(rows, weight).scalar_type(), sums);
        const auto grads = test::autograd(f, wide, ds.to(at::kDouble));
        const at::Tensor dweight = test::zeros({389}, sums) + 1.0;
        EXPECT_LT(test::difference(reward_head_backward(ds, rows, weight, dweight), grads[0]), test::tolerance(dtype));
        EXPECT_LT(test::difference(dweight, grads[1] + 1.0), bound);
    }
}

TEST(RewardHead, BitsOfAScoreDependOnItsRowAlone) {
    const at::Tensor rows = test::normal({50, 384}, 1, at::kFloat), weight = test::normal({384}, 2, at::kFloat);
    const at::Tensor all = reward_head(rows, weight);
    EXPECT_TRUE(test::same_bits(all.narrow(0, 17, 1), reward_head(rows.narrow(0, 17, 1), weight)));
}

TEST(RewardHead, RoundsToTheRowsTypeWhenAsked) {
    const at::Tensor wide = test::normal({20, 64}, 1, at::kFloat), head = test::normal({64}, 2, at::kFloat);
    EXPECT_TRUE(test::same_bits(reward_head(wide, head, true), reward_head(wide, head)));
    const at::Tensor rows = test::normal({20, 64}, 1, at::kBFloat16), weight = test::normal({64}, 2, at::kBFloat16);
    EXPECT_TRUE(test::same_bits(reward_head(rows, weight, true), reward_head(rows, weight).to(at::kBFloat16).to(at::kFloat)));
}

}  // namespace
}  // namespace xlrm
