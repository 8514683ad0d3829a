#include "xlrm/stats/permutation_null.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "stats/matrices.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/stats/cka.hpp"

namespace xlrm {
namespace {

at::Tensor as_tensor(std::span<const std::int64_t> order) {
    at::Tensor out = at::empty({std::ssize(order)}, at::kLong);
    std::copy(order.begin(), order.end(), out.mutable_data_ptr<std::int64_t>());
    return out;
}

TEST(PermutationNull, CountsWhatIsAtLeastAsAlike) {
    std::vector<double> values;
    const PermutationNull null = permutation_null(7.0, 3, 19, 1, Alike::large, [&](std::span<const std::int64_t>) {
        values.push_back(static_cast<double>(values.size()));
        return values.back();
    });
    EXPECT_DOUBLE_EQ(null.p.value(), 13.0 / 20.0);  // 7 … 18 are as large
    EXPECT_DOUBLE_EQ(null.q95.value(), 18.0);
    EXPECT_EQ(null.permutations, 19);
    double next = 0.0;
    const PermutationNull small =
        permutation_null(0.0, 3, 19, 1, Alike::small, [&](std::span<const std::int64_t>) { return next++; });
    EXPECT_DOUBLE_EQ(small.p.value(), 2.0 / 20.0);
    EXPECT_DOUBLE_EQ(small.q95.value(), 0.0);
    EXPECT_THROW(permutation_null(0.0, 3, 0, 1, Alike::large, {}), Error);
}

TEST(PermutationNull, ShufflesAllExamplesAndAlwaysAlike) {
    std::vector<std::vector<std::int64_t>> first, second;
    for (auto* orders : {&first, &second})
        permutation_null(0.0, 20, 5, 3, Alike::large, [&](std::span<const std::int64_t> order) {
            orders->emplace_back(order.begin(), order.end());
            return 0.0;
        });
    EXPECT_EQ(first, second);
    for (const auto& order : first) EXPECT_EQ(std::set<std::int64_t>(order.begin(), order.end()).size(), 20U);
    EXPECT_NE(first[0], first[1]);
}

TEST(CkaNull, EqualsTheEstimatorOfShuffledKernels) {
    const auto [x, y, packages] = test::matrices("v1");
    const at::Tensor k = linear_kernel(x), l = linear_kernel(y);
    const PermutationNull naive =
        permutation_null(cka_debiased(k, l).value(), 100, 39, 5, Alike::large, [&](std::span<const std::int64_t> order) {
            const at::Tensor places = as_tensor(order);
            return cka_debiased(k, l.index_select(0, places).index_select(1, places)).value();
        });
    const PermutationNull fast = cka_null(k, l, 39, 5);
    EXPECT_NEAR(fast.q95.value(), naive.q95.value(), 1e-12);
    EXPECT_EQ(fast.p.value(), naive.p.value());
}

TEST(CkaNull, OfTheBiasedEstimatorEqualsThatOfShuffledKernels) {
    const auto [x, y, packages] = test::matrices("v1");
    const at::Tensor k = rbf_kernel_median(x, 1.0), l = rbf_kernel_median(y, 1.0);
    const PermutationNull naive =
        permutation_null(cka_biased(k, l).value(), 100, 39, 5, Alike::large, [&](std::span<const std::int64_t> order) {
            const at::Tensor places = as_tensor(order);
            return cka_biased(k, l.index_select(0, places).index_select(1, places)).value();
        });
    const PermutationNull fast = cka_biased_null(CkaSide(k), CkaSide(l), 39, 5);
    EXPECT_NEAR(fast.q95.value(), naive.q95.value(), 1e-12);
    EXPECT_EQ(fast.p.value(), naive.p.value());
}

TEST(LowerProduct, IsTheSumBelowTheDiagonal) {
    const at::Tensor x = test::normal_matrix(30, 30, 1), y = test::normal_matrix(30, 30, 2);
    const at::Tensor a = x.add(x.t()), b = y.add(y.t());
    std::vector<std::int64_t> order(30);
    std::iota(order.begin(), order.end(), std::int64_t{0});
    std::reverse(order.begin(), order.end());
    const at::Tensor places = as_tensor(order);
    const double expected = a.mul(b.index_select(0, places).index_select(1, places)).tril(-1).sum().item<double>();
    EXPECT_NEAR(lower_product(a, b, order), expected, 1e-10);
    EXPECT_THROW(lower_product(a, b, std::vector<std::int64_t>(3)), Error);
}

}  // namespace
}  // namespace xlrm
