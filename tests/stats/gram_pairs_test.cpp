#include "xlrm/stats/gram_pairs.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "stats/matrices.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/stats/cka.hpp"

namespace xlrm {
namespace {

using test::normal_matrix;

CentredRows centred(const at::Tensor& x) {
    const at::Tensor floats = x.to(at::kFloat).contiguous();
    return centred_rows({floats.const_data_ptr<float>(), static_cast<std::size_t>(floats.numel())}, x.size(0));
}

//! HSIC_u · n(n−3) of all pairs, from `count` stripes added in their order.
at::Tensor by_stripes(const std::vector<CentredRows>& all, std::int64_t count) {
    const std::int64_t n = all.front().x.size(0), sides = std::ssize(all);
    at::Tensor sum = at::zeros({sides, sides}, at::kDouble);
    for (const Stripe& stripe : stripes(n, count)) {
        const at::Tensor panel = at::empty({sides, stripe.entries()}, at::kFloat);
        for (std::int64_t v = 0; v < sides; ++v) fill_gram(all[static_cast<std::size_t>(v)].x, stripe, panel[v]);
        sum.add_(panel_products(panel, panel), 2.0);
    }
    for (std::int64_t v = 0; v < sides; ++v)
        for (std::int64_t w = 0; w < sides; ++w)
            sum[v][w] +=
                hsic_norm_terms(all[static_cast<std::size_t>(v)].squared_norms, all[static_cast<std::size_t>(w)].squared_norms);
    return sum;
}

double cka(const at::Tensor& hsic, std::int64_t v, std::int64_t w, std::int64_t n) {
    return cka_from_hsic(hsic[v][w].item<double>(), hsic[v][v].item<double>(), hsic[w][w].item<double>(), n).value();
}

TEST(GramPairs, EqualTheEstimatorOfTwoKernels) {
    const auto [x, y, packages] = test::matrices("v1");
    const at::Tensor hsic = by_stripes({centred(x), centred(y)}, 1);
    EXPECT_NEAR(cka(hsic, 0, 1, 100), 0.513456489505526, 2e-6);
    EXPECT_NEAR(hsic[0][1].item<double>() / (100.0 * 97.0), 9.895955787045914, 1e-4);
    EXPECT_NEAR(cka(hsic, 0, 0, 100), 1.0, 1e-6);
}

TEST(GramPairs, AnyNumberOfStripesGivesTheSame) {
    std::vector<at::Tensor> sides = {normal_matrix(700, 12, 1)};
    sides.push_back(sides[0].matmul(test::rotation(12, 2)).mul(3.0).add(5.0));  // the same to CKA
    sides.push_back(sides[0].add(normal_matrix(700, 12, 3)));
    sides.push_back(normal_matrix(700, 300, 4));  // independent
    std::vector<CentredRows> all;
    for (const at::Tensor& side : sides) all.push_back(centred(side));
    for (const std::int64_t count : {1, 2, 3, 5, 50}) {
        const at::Tensor hsic = by_stripes(all, count);
        for (std::int64_t v = 0; v < 4; ++v)
            for (std::int64_t w = 0; w < 4; ++w)
                EXPECT_NEAR(cka(hsic, v, w, 700),
                            linear_cka_debiased(sides[static_cast<std::size_t>(v)], sides[static_cast<std::size_t>(w)]).value(),
                            1e-6)
                    << count << " " << v << " " << w;
        EXPECT_NEAR(cka(hsic, 0, 1, 700), 1.0, 1e-6);
        EXPECT_NEAR(cka(hsic, 0, 3, 700), 0.0, 0.02);
    }
}

TEST(GramPairs, FeaturesGiveTheSame) {
    const at::Tensor x = normal_matrix(5000, 9, 1), y = x.narrow(1, 0, 5).add(normal_matrix(5000, 5, 2)).add(100.0);
    const CentredRows a = centred(x), b = centred(y);
    const double value = cka_from_hsic(feature_hsic(a, b), feature_hsic(a, a), feature_hsic(b, b), 5000).value();
    EXPECT_NEAR(value, linear_cka_debiased(x, y).value(), 1e-6);
    EXPECT_NEAR(feature_hsic(a, b) / by_stripes({a, b}, 3)[0][1].item<double>(), 1.0, 1e-5);
}

TEST(GramPairs, StripesHoldEachRowOnce) {
    for (const std::int64_t n : {1, 127, 128, 129, 1000, 2869}) {
        for (const std::int64_t count : {1, 2, 7, 40}) {
            std::int64_t next = 0;
            for (const Stripe& stripe : stripes(n, count)) {
                EXPECT_EQ(stripe.begin, next);
                EXPECT_GT(stripe.end, stripe.begin);
                next = stripe.end;
            }
            EXPECT_EQ(next, n);
            EXPECT_LE(std::ssize(stripes(n, count)), count);
        }
    }
    const auto four = stripes(2869, 4);
    ASSERT_EQ(four.size(), 4U);
    for (const Stripe& stripe : four) EXPECT_NEAR(static_cast<double>(stripe.entries()), 1.075e6, 0.08e6);
}

TEST(GramPairs, SomeRowsAreCentredAsAllAre) {
    const at::Tensor floats = normal_matrix(50, 11, 1).to(at::kFloat).contiguous();
    const std::span<const float> values{floats.const_data_ptr<float>(), 550};
    const CentredRows all = centred_rows(values, 50);
    const ColumnMeans means = column_means(values, 50);
    EXPECT_FALSE(means.constant);
    CentredRows some;
    centre_rows(values, means, true, some);
    const void* memory = some.x.const_data_ptr();
    EXPECT_EQ(some.squared_norms, all.squared_norms);
    some.x.zero_();
    centre_rows(values.first(20 * 11), means, false, some);
    EXPECT_EQ(some.x.const_data_ptr(), memory);
    EXPECT_TRUE(some.x.narrow(0, 0, 20).equal(all.x.narrow(0, 0, 20)));
    EXPECT_TRUE(some.squared_norms.empty());
    centre_rows(values, means, true, some);
    EXPECT_EQ(some.squared_norms, all.squared_norms);
    EXPECT_NEAR(all.squared_norms[3], all.x[3].to(at::kDouble).square().sum().item<double>(), 1e-12);
}

TEST(GramPairs, WhatDoesNotVaryIsZeroAndNotRounding) {
    const at::Tensor flat = normal_matrix(1, 7, 1).expand({60, 7}).contiguous();
    const CentredRows rows = centred(flat);
    EXPECT_EQ(rows.x.abs().max().item<float>(), 0.0F);
    const double own = feature_hsic(rows, rows);
    EXPECT_EQ(cka_from_hsic(0.0, own, 1.0, 60).why(), Undefined::no_variation);
    EXPECT_EQ(cka_from_hsic(0.0, -1.0, 1.0, 60).why(), Undefined::not_positive);
    EXPECT_EQ(cka_from_hsic(1.0, 1.0, 1.0, 3).why(), Undefined::too_few_items);
    EXPECT_THROW(centred_rows(std::vector<float>(7), 2), Error);
    EXPECT_THROW(fill_gram(rows.x, {0, 60}, at::empty({5}, at::kFloat)), Error);
}

}  // namespace
}  // namespace xlrm
