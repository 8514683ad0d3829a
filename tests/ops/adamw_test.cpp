#include "xlrm/ops/adamw.hpp"

#include <nlohmann/json.hpp>

#include <cmath>
#include <fstream>

#include "ops/support.hpp"

namespace xlrm {
namespace {

using Floats = std::vector<float>;

TEST(Adamw, EqualsTorch) {
    std::ifstream file(XLRM_SOURCE_DIR "/tests/fixtures/ops/adamw.json");
    const nlohmann::json c = nlohmann::json::parse(file);
    Floats weight = c["start"];
    Floats first(weight.size()), second(weight.size());
    AdamwConfig config{c["lr"], c["beta1"], c["beta2"], c["eps"], c["weight_decay"]};
    for (std::size_t step = 0; step < c["gradients"].size(); ++step) {
        Floats doubled = c["gradients"][step];
        for (float& g : doubled) g *= 2.0f;
        config.step = std::int64_t(step) + 1;
        config.grad_scale = 0.5;
        adamw(config, weight, first, second, doubled);
        const Floats expected = c["weights"][step];
        for (std::size_t i = 0; i < weight.size(); ++i) EXPECT_NEAR(weight[i], expected[i], 3e-7 * (1.0 + std::abs(expected[i])));
    }
    const Floats first_expected = c["first"], second_expected = c["second"];
    for (std::size_t i = 0; i < weight.size(); ++i) {
        EXPECT_NEAR(first[i], first_expected[i], 1e-6 * std::abs(first_expected[i]) + 1e-9);
        EXPECT_NEAR(second[i], second_expected[i], 1e-6 * second_expected[i]);
    }
}

TEST(Adamw, RoundsTheComputeCopyAndDoesNotDependOnThreads) {
    const std::size_t n = 50001;
    const at::Tensor start = test::normal({std::int64_t(n)}, 1, at::kFloat),
                     gradient = test::normal({std::int64_t(n)}, 2, at::kFloat);
    const AdamwConfig config{1e-3, 0.9, 0.999, 1e-8, 0.01, 3, 0.7};
    std::vector<Floats> weights;
    std::vector<std::uint16_t> rounded(n);
    for (const int threads : {1, 2})
        test::with_threads(threads, [&] {
            Floats w(start.data_ptr<float>(), start.data_ptr<float>() + n), first(n, 0.1f), second(n, 0.2f);
            Floats g(gradient.data_ptr<float>(), gradient.data_ptr<float>() + n);
            adamw(config, w, first, second, g, rounded);
            weights.push_back(w);
            EXPECT_EQ(g, Floats(n, 0.0f));
        });
    EXPECT_EQ(weights[0], weights[1]);
    for (std::size_t i = 0; i < n; ++i) EXPECT_EQ(rounded[i], c10::BFloat16(weights[0][i]).x);
}

TEST(SumOfSquares, IsExactEnoughAndDoesNotDependOnThreads) {
    const at::Tensor x = test::normal({70003}, 1, at::kFloat);
    const std::span<const float> values(x.data_ptr<float>(), 70003);
    const double one = sum_of_squares(values);
    EXPECT_NEAR(one, x.to(at::kDouble).pow(2).sum().item<double>(), 1e-9);
    test::with_threads(2, [&] { EXPECT_EQ(one, sum_of_squares(values)); });
    EXPECT_EQ(sum_of_squares({}), 0.0);
}

}  // namespace
}  // namespace xlrm
