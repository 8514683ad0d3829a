#include "xlrm/ops/gated_linear.hpp"

#include "ops/support.hpp"
#include "xlrm/ops/linear.hpp"

namespace xlrm {
namespace {

TEST(GatedLinear, IsTheActivationOfTheProductToTheBit) {
    for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16})
        for (const Activation activation : {Activation::silu, Activation::gelu_tanh})
            for (const std::int64_t width : {16, 24, 208, 1024})
                for (const std::int64_t k : {64, 333, 768})
                    for (const std::int64_t rows : {1, 31, 300})
                        for (const bool has_bias : {false, true}) {
                            const at::Tensor x = test::normal({rows, k}, 1, dtype), w = test::normal({2 * width, k}, 2, dtype);
                            const at::Tensor bias = has_bias ? test::normal({2 * width}, 3, dtype) : at::Tensor();
                            GatedSaved saved, cheap;
                            const at::Tensor y = gated_linear(x, w, bias, activation, &saved);
                            const at::Tensor product = linear(x, w, bias), expected = gated_activation(product, activation);
                            EXPECT_TRUE(test::same_bits(saved.gate_up, product)) << width << ' ' << k << ' ' << rows;
                            // Kept, or made again by the backward pass.
                            EXPECT_TRUE(!saved.activated.defined() || test::same_bits(saved.activated, y));
                            EXPECT_TRUE(test::same_bits(y, expected)) << width << ' ' << k << ' ' << rows;
                            EXPECT_TRUE(test::same_bits(gated_linear(x, w, bias, activation), expected));
                            gated_linear(x, w, bias, activation, &cheap, false);
                            EXPECT_TRUE(test::same_bits(cheap.gate_up, product));
                            EXPECT_FALSE(cheap.activated.defined());
                        }
}

TEST(GatedLinear, BackwardIsThatOfItsPartsToTheBit) {
    for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16})
        for (const Activation activation : {Activation::silu, Activation::gelu_tanh})
            for (const std::int64_t width : {16, 24, 208, 1024})
                for (const std::int64_t n : {64, 333})
                    for (const std::int64_t rows : {1, 31, 300}) {
                        const at::Tensor dout = test::normal({rows, n}, 1, dtype), down = test::normal({n, width}, 2, dtype);
                        const at::Tensor gate_up = test::normal({rows, 2 * width}, 3, dtype) * 3.0;
                        const at::Tensor y = gated_activation(gate_up, activation);
                        at::Tensor activated, kept;
                        const at::Tensor dgate_up = gated_linear_backward(dout, down, {gate_up, {}}, activation, &activated);
                        const at::Tensor expected =
                            gated_activation_backward(linear_backward_input(dout, down), gate_up, activation);
                        EXPECT_TRUE(test::same_bits(dgate_up, expected)) << width << ' ' << n << ' ' << rows;
                        EXPECT_TRUE(test::same_bits(activated, y));
                        EXPECT_TRUE(test::same_bits(gated_linear_backward(dout, down, {gate_up, {}}, activation), expected));
                        EXPECT_TRUE(
                            test::same_bits(gated_linear_backward(dout, down, {gate_up, y}, activation, &kept), expected));
                        EXPECT_TRUE(kept.is_same(y));
                    }
}

TEST(GatedLinear, BitsOfARowDependOnItAlone) {
    const at::Tensor x = test::normal({203, 384}, 1, at::kBFloat16), w = test::normal({2048, 384}, 2, at::kBFloat16);
    const at::Tensor all = gated_linear(x, w, {}, Activation::silu);
    for (const int threads : {1, 2})
        test::with_threads(threads, [&] {
            for (const std::int64_t rows : {1, 3, 32, 100})
                EXPECT_TRUE(test::same_bits(gated_linear(x.narrow(0, 7, rows), w, {}, Activation::silu), all.narrow(0, 7, rows)));
        });
}

}  // namespace
}  // namespace xlrm
