#include "xlrm/ops/gated_activation.hpp"

#include "ops/support.hpp"

namespace xlrm {
namespace {

at::Tensor reference(const at::Tensor& gate_up, Activation activation) {
    const std::int64_t width = gate_up.size(1) / 2;
    const at::Tensor g = gate_up.narrow(1, 0, width);
    const at::Tensor act = activation == Activation::silu
                               ? g * g.sigmoid()
                               : g * 0.5 * (((g + g.pow(3) * 0.044715) * std::sqrt(2.0 / M_PI)).tanh() + 1.0);
    return act * gate_up.narrow(1, width, width);
}

TEST(GatedActivation, EqualsTheFormulaAndItsGradient) {
    for (const at::ScalarType dtype : test::kDtypes)
        for (const Activation activation : {Activation::silu, Activation::gelu_tanh}) {
            const at::Tensor x = test::normal({40, 2 * 171}, 1, dtype) * 3.0, dy = test::normal({40, 171}, 2, dtype);
            const auto f = [&](const std::vector<at::Tensor>& in) { return reference(in[0], activation); };
            const at::Tensor wide = x.to(at::kDouble);
            EXPECT_LT(test::difference(gated_activation(x, activation), f({wide})), test::tolerance(dtype));
            EXPECT_LT(
                test::difference(gated_activation_backward(dy, x, activation), test::autograd(f, {wide}, dy.to(at::kDouble))[0]),
                test::tolerance(dtype));
        }
}

TEST(GatedActivation, HoldsAtTheEndsOfTheRange) {
    for (const at::ScalarType dtype : {at::kFloat, at::kDouble}) {
        const at::Tensor x = test::zeros({1, 8}, dtype);
        for (std::int64_t i = 0; i < 4; ++i) {
            x[0][i].fill_(std::vector<double>{-1e4, -95.0, 95.0, 1e4}[std::size_t(i)]);
            x[0][4 + i].fill_(1.0);
        }
        for (const Activation activation : {Activation::silu, Activation::gelu_tanh}) {
            const at::Tensor y = gated_activation(x, activation).to(at::kDouble);
            EXPECT_NEAR(y[0][0].item<double>(), 0.0, 1e-30);
            EXPECT_NEAR(y[0][1].item<double>(), 0.0, 1e-30);
            EXPECT_EQ(y[0][2].item<double>(), 95.0);
            EXPECT_EQ(y[0][3].item<double>(), 1e4);
        }
    }
}

TEST(GatedActivation, BitsDependNeitherOnOtherRowsNorOnThreads) {
    for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
        const at::Tensor x = test::normal({400, 2 * 1001}, 1, dtype);
        const at::Tensor y = gated_activation(x, Activation::silu);
        EXPECT_TRUE(test::same_bits(y.narrow(0, 77, 1), gated_activation(x.narrow(0, 77, 1), Activation::silu)));
        test::with_threads(2, [&] { EXPECT_TRUE(test::same_bits(y, gated_activation(x, Activation::silu))); });
    }
}

TEST(GatedActivation, AValueHasTheSameBitsInAVectorsTail) {
    const at::Tensor x = test::zeros({1, 2 * 37}, at::kFloat) + 0.7;
    const at::Tensor y = gated_activation(x, Activation::gelu_tanh);
    for (std::int64_t i = 1; i < 37; ++i) EXPECT_EQ(y[0][i].item<float>(), y[0][0].item<float>());
}

}  // namespace
}  // namespace xlrm
