#include "xlrm/ops/adamw.hpp"

#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros_like.h>

#include <nlohmann/json.hpp>

#include <cmath>
#include <fstream>

#include "ops/device_ops.hpp"
#include "ops/support.hpp"

namespace xlrm {
namespace {

at::Tensor floats_of(const nlohmann::json& values) { return at::tensor(values.get<std::vector<float>>()); }

void expect_near(const at::Tensor& x, const at::Tensor& expected, double relative, double absolute) {
    ASSERT_EQ(x.sizes(), expected.sizes());
    for (std::int64_t i = 0; i < x.numel(); ++i) {
        const double there = expected[i].item<double>();
        EXPECT_NEAR(x[i].item<double>(), there, relative * std::abs(there) + absolute);
    }
}

void expect_torchs(const DeviceOps& table) {
    const UseOps use(table);
    std::ifstream file(XLRM_SOURCE_DIR "/tests/fixtures/ops/adamw.json");
    const nlohmann::json c = nlohmann::json::parse(file);
    const at::Tensor weight = floats_of(c["start"]), first = at::zeros_like(weight), second = at::zeros_like(weight);
    AdamwConfig config{c["lr"], c["beta1"], c["beta2"], c["eps"], c["weight_decay"]};
    for (std::size_t step = 0; step < c["gradients"].size(); ++step) {
        const at::Tensor doubled = floats_of(c["gradients"][step]) * 2.0;
        config.step = std::int64_t(step) + 1;
        config.grad_scale = 0.5;
        adamw(config, weight, first, second, doubled);
        expect_near(weight, floats_of(c["weights"][step]), 3e-7, 3e-7);
        EXPECT_TRUE(at::equal(doubled, at::zeros_like(doubled)));
    }
    expect_near(first, floats_of(c["first"]), 1e-6, 1e-9);
    expect_near(second, floats_of(c["second"]), 1e-6, 0.0);
}

TEST(Adamw, EqualsTorch) { expect_torchs(cpu_ops()); }
TEST(Adamw, OfAtenEqualsTorch) { expect_torchs(reference_ops()); }

TEST(Adamw, RoundsTheComputeCopyAndDoesNotDependOnThreads) {
    const std::int64_t n = 50001;
    const at::Tensor start = test::normal({n}, 1, at::kFloat), gradient = test::normal({n}, 2, at::kFloat);
    const AdamwConfig config{1e-3, 0.9, 0.999, 1e-8, 0.01, 3, 0.7};
    for (const DeviceOps* const table : {&cpu_ops(), &reference_ops()}) {
        const UseOps use(*table);
        std::vector<at::Tensor> weights;
        const at::Tensor rounded = test::zeros({n}, at::kBFloat16);
        for (const int threads : {1, 2})
            test::with_threads(threads, [&] {
                const at::Tensor w = start.clone(), g = gradient.clone();
                adamw(config, w, at::full({n}, 0.1f), at::full({n}, 0.2f), g, rounded);
                weights.push_back(w);
                EXPECT_TRUE(at::equal(g, test::zeros({n}, at::kFloat)));
            });
        EXPECT_TRUE(test::same_bits(weights[0], weights[1]));
        EXPECT_TRUE(test::same_bits(rounded, weights[0].to(at::kBFloat16)));
    }
}

TEST(SumOfSquares, IsExactEnoughAndDoesNotDependOnThreads) {
    const at::Tensor x = test::normal({70003}, 1, at::kFloat);
    const double exact = x.to(at::kDouble).pow(2).sum().item<double>(), one = sum_of_squares(x);
    EXPECT_NEAR(one, exact, 1e-9);
    test::with_threads(2, [&] { EXPECT_EQ(one, sum_of_squares(x)); });
    EXPECT_EQ(sum_of_squares(test::zeros({0}, at::kFloat)), 0.0);
    EXPECT_NEAR(reference_ops().sum_of_squares(x), exact, 1e-9);
}

}  // namespace
}  // namespace xlrm
