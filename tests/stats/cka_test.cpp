#include "xlrm/stats/cka.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <gtest/gtest.h>

#include <cmath>

#include "stats/matrices.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"

namespace xlrm {
namespace {

using test::matrices;
using test::normal_matrix;

TEST(Cka, EqualsOtherPackages) {
    for (const std::string name : {"v1", "v2", "v3"}) {
        const auto [x, y, packages] = matrices(name);
        EXPECT_NEAR(linear_cka_biased(x, y).value(), packages.at("cka_biased").get<double>(), 1e-10) << name;
        EXPECT_NEAR(linear_cka_debiased(x, y).value(), packages.at("cka_debiased").get<double>(), 1e-10) << name;
        EXPECT_NEAR(cka_debiased(rbf_kernel(x, 1.0), rbf_kernel(y, 1.0)).value(),
                    packages.at("rbf_debiased_sigma_1").get<double>(), 1e-10)
            << name;
    }
}

// Five decimals: printed by google-research's representation_similarity/Demo.ipynb.
TEST(Cka, EqualsGooglesDemo) {
    const auto [x, y, packages] = matrices("v1");
    EXPECT_NEAR(linear_cka_biased(x, y).value(), 0.55761, 5e-6);
    EXPECT_NEAR(linear_cka_debiased(x, y).value(), 0.51346, 5e-6);
    EXPECT_NEAR(cka_biased(rbf_kernel_median(x, 0.5), rbf_kernel_median(y, 0.5)).value(), 0.65483, 5e-6);
    EXPECT_NEAR(linear_cka_biased(x, y).value(), 0.557613256611759, 1e-10);
    EXPECT_NEAR(linear_cka_debiased(x, y).value(), 0.513456489505526, 1e-10);
    const at::Tensor kx = rbf_kernel_median(x, 0.5), ky = rbf_kernel_median(y, 0.5);
    EXPECT_NEAR(cka_biased(kx, ky).value(), 0.654831182261498, 1e-10);
    EXPECT_NEAR(cka_debiased(kx, ky).value(), 0.419276751022052, 1e-10);
}

TEST(Cka, EqualsGooglesDemoFiles) {
    const auto folder = test::shared_data() / "reference_values" / "cka_google_demo";
    if (!std::filesystem::exists(folder / "X.csv")) GTEST_SKIP() << "no " << folder;
    const auto read = [&](const char* name) {
        std::vector<double> values;
        for_each_line(folder / name, [&](std::int64_t, std::string_view line) {
            std::string text(line);
            for (char& c : text) c = c == ',' ? ' ' : c;
            const char* at = text.c_str();
            for (char* end = nullptr;; at = end) {
                const double value = std::strtod(at, &end);
                if (end == at) break;
                values.push_back(value);
            }
        });
        return test::matrix_of(values, 100, 10);
    };
    const at::Tensor x = read("X.csv"), y = read("Y.csv");
    EXPECT_TRUE(x.sub(matrices("v1").x).abs().max().item<double>() < 1e-12);
    EXPECT_NEAR(linear_cka_debiased(x, y).value(), 0.51346, 5e-6);
}

// scikit-bio, netrep and others, as collected in nacloos/similarity-repository.
TEST(Cka, EqualsValuesOfManyRepositories) {
    const auto [x, y, packages] = matrices("v2");
    EXPECT_NEAR(linear_cka_biased(x, y).value(), 0.4893427391044154, 1e-10);
    EXPECT_NEAR(linear_cka_debiased(x, y).value(), 0.0235986985805571, 1e-10);
    EXPECT_NEAR(cka_biased(rbf_kernel(x, 1.0), rbf_kernel(y, 1.0)).value(), 0.8940267986288915, 1e-10);
    EXPECT_NEAR(cka_debiased(rbf_kernel(x, 1.0), rbf_kernel(y, 1.0)).value(), 0.0676394158408, 1e-10);
}

TEST(Hsic, EqualsWorkedValues) {
    const auto [x, y, packages] = matrices("v1");
    const at::Tensor k = linear_kernel(x), l = linear_kernel(y);
    EXPECT_NEAR(hsic_unbiased(k, l).value(), 9.895955787045914, 1e-10);
    EXPECT_NEAR(hsic_unbiased(k, k).value(), 9.246603703545466, 1e-10);
    EXPECT_NEAR(hsic_unbiased(l, l).value(), 40.172231189885025, 1e-10);
}

TEST(Cka, MinibatchesAreARatioOfSums) {
    const auto [x, y, packages] = matrices("v1");
    const std::vector<std::pair<std::int64_t, double>> expected = {
        {10, 0.543730811961904}, {20, 0.533718363365444}, {25, 0.513267506359059}, {50, 0.530843952832182}};
    for (const auto& [batch, value] : expected) EXPECT_NEAR(linear_cka_minibatch(x, y, batch).value(), value, 1e-10) << batch;
    EXPECT_NEAR(linear_cka_minibatch(x, y, 100).value(), linear_cka_debiased(x, y).value(), 1e-12);
}

TEST(Cka, AllFormsAreOne) {
    for (const std::string name : {"v1", "v2", "v3"}) {
        const auto [x, y, packages] = matrices(name);
        const double value = linear_cka_debiased(x, y).value();
        EXPECT_NEAR(cka_debiased(linear_kernel(x), linear_kernel(y)).value(), value, 1e-12) << name;
        for (const std::int64_t piece : {7, 16, 100}) {
            LinearCkaSums sums(x[0], y[0]);
            for (std::int64_t begin = 0; begin < x.size(0); begin += piece) {
                LinearCkaSums part(x[0], y[0]);
                const std::int64_t size = std::min(piece, x.size(0) - begin);
                part.add(x.narrow(0, begin, size), y.narrow(0, begin, size));
                sums.merge(part);
            }
            EXPECT_EQ(sums.examples(), x.size(0));
            EXPECT_NEAR(sums.debiased().value(), value, 1e-12) << name;
        }
    }
}

TEST(LinearCkaSums, TheShiftSavesThemFromACommonOffset) {
    const auto [x, y, packages] = matrices("v1");
    at::Tensor far_x = x.clone(), far_y = y.clone();
    far_x.select(1, 3).add_(1e5);
    far_y.select(1, 0).sub_(1e5);
    LinearCkaSums shifted(far_x[0], far_y[0]), bare(far_x[0].mul(0.0), far_y[0].mul(0.0));
    shifted.add(far_x, far_y);
    bare.add(far_x, far_y);
    const double value = linear_cka_debiased(x, y).value();
    EXPECT_NEAR(shifted.debiased().value(), value, 1e-9);
    EXPECT_GT(std::abs(bare.debiased().value_or(0.0) - value), 1e-3);
    EXPECT_THROW(shifted.merge(bare), Error);
}

TEST(Cka, IsInvariantToRotationScaleAndTranslationAlone) {
    const auto [x, y, packages] = matrices("v1");
    const double value = linear_cka_debiased(x, y).value();
    EXPECT_NEAR(linear_cka_debiased(x, x).value(), 1.0, 1e-12);
    EXPECT_EQ(linear_cka_debiased(LinearCkaSide(x), LinearCkaSide(y)).value(), value);
    EXPECT_NEAR(linear_cka_debiased(y, x).value(), value, 1e-12);
    EXPECT_NEAR(linear_cka_debiased(x.matmul(test::rotation(10, 1)).mul(3.0).add(2.0), y).value(), value, 1e-10);
    const at::Tensor order = at::arange(99, -1, -1, at::kLong);
    EXPECT_NEAR(linear_cka_debiased(x.index_select(0, order), y.index_select(0, order)).value(), value, 1e-12);
    EXPECT_GT(std::abs(linear_cka_debiased(x.matmul(normal_matrix(10, 10, 2)), y).value() - value), 1e-2);
}

TEST(Cka, OfIndependentDataIsZeroDebiasedAndLargeBiased) {
    double sum = 0.0, squares = 0.0, biased = 0.0;
    constexpr int kTrials = 1000;
    for (int t = 0; t < kTrials; ++t) {
        const at::Tensor x = normal_matrix(40, 20, 2 * t), y = normal_matrix(40, 20, 2 * t + 1);
        const double value = linear_cka_debiased(x, y).value();
        sum += value;
        squares += value * value;
        biased += linear_cka_biased(x, y).value() / kTrials;
    }
    const double mean = sum / kTrials, error = std::sqrt((squares / kTrials - mean * mean) / kTrials);
    EXPECT_LT(std::abs(mean), 3.0 * error);
    EXPECT_GT(biased, 0.3);
}

// Two populations moved apart in both sides, otherwise independent, look alike until each is centred.
TEST(Cka, MixedPopulationsFakeSimilarity) {
    const auto shifted = [](std::uint64_t seed, double by) {
        return at::cat({normal_matrix(100, 20, seed).add(by), normal_matrix(100, 20, seed + 1).sub(by)});
    };
    const at::Tensor x = shifted(10, 1.0), y = shifted(20, 1.0);
    EXPECT_GT(linear_cka_debiased(x, y).value(), 0.7);
    const auto within = [](const at::Tensor& m) {
        return at::cat(
            {m.narrow(0, 0, 100).sub(m.narrow(0, 0, 100).mean(0)), m.narrow(0, 100, 100).sub(m.narrow(0, 100, 100).mean(0))});
    };
    EXPECT_LT(std::abs(linear_cka_debiased(within(x), within(y)).value()), 0.05);
}

TEST(CkaJackknife, EqualsLeavingEachExampleOut) {
    const auto [x, y, packages] = matrices("v1");
    const CkaJackknife result = cka_jackknife(linear_kernel(x), linear_kernel(y));
    EXPECT_NEAR(result.standard_error.value(), 0.02515948607548, 1e-10);
    std::vector<double> values;
    for (std::int64_t i = 0; i < 100; ++i) {
        const auto without = [i](const at::Tensor& m) { return at::cat({m.narrow(0, 0, i), m.narrow(0, i + 1, 99 - i)}); };
        values.push_back(linear_cka_debiased(without(x), without(y)).value());
    }
    double mean = 0.0, squares = 0.0;
    for (const double value : values) mean += value / 100;
    for (const double value : values) squares += (value - mean) * (value - mean);
    EXPECT_NEAR(result.standard_error.value(), std::sqrt(0.99 * squares), 1e-10);
    EXPECT_LT(result.low.value(), 0.5134);
    EXPECT_GT(result.high.value(), 0.5135);
}

TEST(CkaSide, GivesWhatWholeKernelsGive) {
    const auto [x, y, packages] = matrices("v1");
    for (const auto& [k, l] :
         {std::pair{linear_kernel(x), linear_kernel(y)}, std::pair{rbf_kernel_median(x, 1.0), rbf_kernel_median(y, 1.0)}}) {
        const CkaSide a(k), b(l);
        EXPECT_NEAR(a.hsic.value(), hsic_unbiased(k, k).value(), 1e-12 * std::abs(a.hsic.value()));
        EXPECT_NEAR(cka_jackknife(a, b).value.value(), cka_debiased(k, l).value(), 1e-12);
        EXPECT_NEAR(cka_biased(a, b).value(), cka_biased(k, l).value(), 1e-12);
    }
    const CkaSide flat(linear_kernel(x.mul(0.0))), three(linear_kernel(x.narrow(0, 0, 3)));
    EXPECT_EQ(cka_biased(flat, CkaSide(linear_kernel(y))).why(), Undefined::no_variation);
    EXPECT_EQ(cka_jackknife(three, three).value.why(), Undefined::too_few_items);
    EXPECT_EQ(cka_null(three, three, 9, 1).p.why(), Undefined::too_few_items);
    EXPECT_EQ(cka_null(flat, flat, 9, 1).p.why(), Undefined::not_positive);
    EXPECT_THROW(cka_biased_null(flat, flat, 9, 1), Error);
    EXPECT_THROW(cka_jackknife(flat, three), Error);
}

// Every order of four examples comes up: the order as it is must count as a hit, whatever rounding says.
TEST(CkaNull, CountsTheOrderAsItIsAsAHit) {
    const at::Tensor x = normal_matrix(4, 3, 5);
    std::int64_t same = 0;
    permutation_null(0.0, 4, 999, 1, Alike::large, [&](std::span<const std::int64_t> order) {
        same += std::ranges::is_sorted(order) ? 1 : 0;
        return 0.0;
    });
    ASSERT_GT(same, 10);
    const CkaSide side(linear_kernel(x.sub(x.mean(0))));
    EXPECT_GE(cka_null(side, side, 999, 1).p.value(), static_cast<double>(1 + same) / 1000.0);
    EXPECT_GE(cka_biased_null(side, side, 999, 1).p.value(), static_cast<double>(1 + same) / 1000.0);
}

TEST(CkaNull, TellsDependentDataFromIndependent) {
    const auto [x, y, packages] = matrices("v1");
    const PermutationNull planted = cka_null(linear_kernel(x), linear_kernel(y), 99, 1);
    EXPECT_NEAR(planted.p.value(), 0.01, 1e-12);
    EXPECT_LT(planted.q95.value(), 0.1);
    const at::Tensor a = linear_kernel(normal_matrix(60, 10, 1)), b = linear_kernel(normal_matrix(60, 10, 2));
    EXPECT_GT(cka_null(a, b, 99, 1).p.value(), 0.05);
    EXPECT_EQ(cka_null(a, b, 99, 1).q95.value(), cka_null(a, b, 99, 1).q95.value());
}

TEST(Cka, SaysWhyThereIsNone) {
    const at::Tensor three = normal_matrix(3, 2, 1), flat = normal_matrix(6, 2, 1).mul(0.0), six = normal_matrix(6, 2, 2);
    EXPECT_EQ(linear_cka_debiased(three, three).why(), Undefined::too_few_items);
    EXPECT_EQ(cka_debiased(linear_kernel(three), linear_kernel(three)).why(), Undefined::too_few_items);
    EXPECT_EQ(LinearCkaSums(three[0], three[0]).debiased().why(), Undefined::too_few_items);
    EXPECT_EQ(linear_cka_debiased(flat, six).why(), Undefined::not_positive);
    EXPECT_EQ(linear_cka_biased(flat, six).why(), Undefined::no_variation);
    EXPECT_EQ(cka_jackknife(linear_kernel(six.narrow(0, 0, 4)), linear_kernel(six.narrow(0, 0, 4))).standard_error.why(),
              Undefined::too_few_items);
    EXPECT_THROW(linear_cka_debiased(three, six), Error);
    EXPECT_THROW(linear_cka_debiased(six.to(at::kFloat), six), Error);
    EXPECT_THROW(linear_cka_minibatch(six, six, 3), Error);
    EXPECT_THROW(rbf_kernel_median(flat, 0.5), Error);
    EXPECT_FALSE(find_rbf_kernel_median(flat, 0.5).has_value());
}

}  // namespace
}  // namespace xlrm
