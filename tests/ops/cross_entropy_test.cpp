#include "xlrm/ops/cross_entropy.hpp"

#include "ops/support.hpp"

namespace xlrm {
namespace {

TEST(CrossEntropy, EqualsLogSoftmaxAndItsGradient) {
    const std::int64_t rows = 45, d = 32, vocabulary = 203;
    std::vector<std::int32_t> ids;
    for (std::int32_t i = 0; i < rows; ++i) ids.push_back(i % 7 == 3 ? -100 : (i * 37) % std::int32_t(vocabulary));
    ids[0] = 0, ids[1] = std::int32_t(vocabulary) - 1;
    for (const at::ScalarType dtype : test::kDtypes)
        for (const auto& [weighted, cap] : {std::pair{false, 0.0}, std::pair{true, 0.0}, std::pair{true, 3.0}}) {
            const at::Tensor hidden = test::normal({rows, d}, 1, dtype), weight = test::normal({vocabulary, d}, 2, dtype);
            const at::Tensor row_weight = weighted ? test::normal({rows}, 3, at::kFloat).abs() : at::Tensor();
            const at::Tensor onehot = test::zeros({rows, vocabulary}, at::kDouble);
            double weights = 0.0;
            for (std::int64_t i = 0; i < rows; ++i)
                if (ids[std::size_t(i)] >= 0) {
                    const double w = weighted ? row_weight[i].item<double>() : 1.0;
                    onehot[i][ids[std::size_t(i)]] = w;
                    weights += w;
                }
            const auto logits = [bound = cap](const at::Tensor& h, const at::Tensor& w) {
                const at::Tensor plain = h.matmul(w.t());
                return bound > 0 ? (plain / bound).tanh() * bound : plain;
            };
            const auto f = [&](const std::vector<at::Tensor>& in) {
                return -(logits(in[0], in[1]).log_softmax(-1) * onehot).sum();
            };
            const std::vector<at::Tensor> wide{hidden.to(at::kDouble), weight.to(at::kDouble)};
            const auto grads = test::autograd(f, wide, test::zeros({}, at::kDouble) + 0.25);
            const at::Tensor dhidden = test::zeros({rows, d}, dtype);
            const at::Tensor dweight = test::zeros({vocabulary, d}, dtype == at::kDouble ? at::kDouble : at::kFloat);
            const CrossEntropyResult result =
                chunked_cross_entropy(hidden, weight, test::ints(ids), row_weight, 0.25, dhidden, dweight, 16, cap);
            const double bound = dtype == at::kDouble ? 1e-13 : (dtype == at::kFloat ? 2e-6 : 2e-2);
            EXPECT_NEAR(result.loss_sum(), f(wide).item<double>(), bound * f(wide).item<double>());
            EXPECT_NEAR(result.weight_sum(), weights, 1e-6 * weights);
            EXPECT_LT(test::difference(dhidden, grads[0]), bound);
            EXPECT_LT(test::difference(dweight, grads[1]), bound);
            const at::Tensor log_probs = logits(wide[0], wide[1]).log_softmax(-1);
            for (std::int64_t i = 0; i < rows; ++i) {
                const std::int32_t id = ids[std::size_t(i)];
                const double expected = id < 0 ? 0.0 : log_probs[i][id].item<double>();
                EXPECT_NEAR(result.log_probs[i].item<double>(), expected, 5.0 * bound * (1.0 + std::abs(expected)));
            }
        }
}

TEST(CrossEntropy, TheChunkChangesNoLogProbability) {
    const at::Tensor hidden = test::normal({40, 64}, 1, at::kFloat), weight = test::normal({300, 64}, 2, at::kFloat);
    const at::Tensor targets = test::ints(std::vector<std::int32_t>(40, 7));
    const at::Tensor whole = chunked_cross_entropy(hidden, weight, targets, {}, 1.0, {}, {}, 512).log_probs;
    EXPECT_TRUE(test::same_bits(whole, chunked_cross_entropy(hidden, weight, targets, {}, 1.0, {}, {}, 7).log_probs));
}

TEST(CrossEntropy, LargeLogitsDoNotOverflow) {
    const at::Tensor hidden = test::zeros({1, 1}, at::kFloat) + 1.0, weight = test::zeros({20, 1}, at::kFloat);
    weight[3].fill_(1e4);
    const CrossEntropyResult result = chunked_cross_entropy(hidden, weight, test::ints({3}), {}, 1.0, {}, {});
    EXPECT_EQ(result.loss_sum(), 0.0);
    EXPECT_EQ(chunked_cross_entropy(hidden, weight, test::ints({4}), {}, 1.0, {}, {}).loss_sum(), 1e4);
}

}  // namespace
}  // namespace xlrm
