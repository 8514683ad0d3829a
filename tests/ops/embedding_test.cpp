#include "xlrm/ops/embedding.hpp"

#include "ops/support.hpp"

namespace xlrm {
namespace {

TEST(Embedding, TakesScaledRowsAndAddsTheirGradients) {
    const at::Tensor tokens = test::ints({3, 0, 9, 3, 3});
    const at::Tensor index = tokens.to(at::kLong);
    for (const at::ScalarType dtype : test::kDtypes) {
        const at::ScalarType sums = dtype == at::kDouble ? at::kDouble : at::kFloat;
        const at::Tensor weight = test::normal({10, 131}, 1, dtype), dy = test::normal({5, 131}, 2, dtype);
        EXPECT_TRUE(test::same_bits(xlrm::embedding(tokens, weight), weight.index_select(0, index)));
        EXPECT_LT(test::difference(xlrm::embedding(tokens, weight, 2.5), weight.to(at::kDouble).index_select(0, index) * 2.5),
                  test::tolerance(dtype));
        const at::Tensor dweight = test::zeros({10, 131}, sums) + 1.0, again = dweight.clone();
        const at::Tensor expected = (test::zeros({10, 131}, at::kDouble) + 1.0).index_add(0, index, dy.to(at::kDouble) * 2.5);
        embedding_backward(dy, tokens, dweight, 2.5);
        EXPECT_LT(test::difference(dweight, expected), dtype == at::kDouble ? 1e-14 : 1e-6);
        test::with_threads(2, [&] { embedding_backward(dy, tokens, again, 2.5); });
        EXPECT_TRUE(test::same_bits(dweight, again));
        embedding_backward(dy, tokens, again, 2.5, 3);
        EXPECT_TRUE(test::same_bits(again[3], dweight[3]));
        EXPECT_FALSE(test::same_bits(again[9], dweight[9]));
    }
}

TEST(Embedding, RoundsTheScaleAsTransformersDoes) {
    // Gemma's sqrt(2304) = 48 is exact; sqrt(3072) = 55.43 becomes 55.5 in bf16.
    const at::Tensor weight = test::zeros({1, 16}, at::kBFloat16) + 1.0;
    EXPECT_EQ(xlrm::embedding(test::ints({0}), weight, 55.4256258)[0][0].item<float>(), 55.5f);
}

}  // namespace
}  // namespace xlrm
