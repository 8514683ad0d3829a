// Shifts, spectra, retrieval, language subspaces.
#include <ATen/ops/cat.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/stack.h>
#include <gtest/gtest.h>

#include <cmath>

#include "stats/matrices.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/stats/language_subspace.hpp"
#include "xlrm/stats/retrieval.hpp"
#include "xlrm/stats/shift.hpp"
#include "xlrm/stats/singular_ratio.hpp"
#include "xlrm/stats/spectrum.hpp"

namespace xlrm {
namespace {

using test::matrices;
using test::normal_matrix;

TEST(Spectrum, EqualsReferenceValues) {
    const auto [x, y, packages] = matrices("v1");
    const Spectrum centred = spectrum(x);
    EXPECT_NEAR(centred.effective_rank.value(), 9.875502967635413, 1e-10);
    EXPECT_NEAR(spectrum(x, false).effective_rank.value(), 9.874080118097663, 1e-10);
    EXPECT_NEAR(centred.effective_rank_squared.value(), 9.536129891117056, 1e-10);
    EXPECT_NEAR(centred.participation_ratio.value(), 9.150791356338450, 1e-10);
    EXPECT_NEAR(centred.stable_rank.value(), 6.753436788087360, 1e-10);
    EXPECT_NEAR(centred.variance_shares[0], 0.14807276, 1e-8);
    EXPECT_NEAR(centred.variance_shares[1], 0.13401782, 1e-8);
    EXPECT_NEAR(centred.variance_shares[2], 0.12792099, 1e-8);
    EXPECT_NEAR(anisotropy(x).value(), -0.005179571792486, 1e-10);
    EXPECT_NEAR(anisotropy(y).value(), 0.003459900617833, 1e-10);
}

TEST(Spectrum, AFewFeaturesMayHoldTheNorm) {
    at::Tensor x = normal_matrix(50, 20, 1);
    EXPECT_NEAR(top_feature_share(x, 20).value(), 1.0, 1e-12);
    x.select(1, 7).mul_(100.0);
    EXPECT_GT(top_feature_share(x, 1).value(), 0.99);
    EXPECT_EQ(spectrum(x.mul(0.0)).stable_rank.why(), Undefined::no_variation);
    EXPECT_EQ(top_feature_share(x.mul(0.0)).why(), Undefined::no_variation);
    EXPECT_EQ(anisotropy(x.narrow(0, 0, 1)).why(), Undefined::too_few_items);
    EXPECT_NEAR(anisotropy(at::ones({5, 3}, at::kDouble)).value(), 1.0, 1e-12);
    EXPECT_NEAR(spectrum(at::eye(6, at::kDouble), false).participation_ratio.value(), 6.0, 1e-12);
}

TEST(SingularRatio, EqualsReferenceValues) {
    const auto [x, y, packages] = matrices("v1");
    const at::Tensor rows = x.narrow(0, 0, 5).contiguous();
    const std::span<const double> values(rows.const_data_ptr<double>(), 50);
    EXPECT_NEAR(singular_ratio(values, 5, 10).value(), 0.274676196305975, 1e-10);
    const at::Tensor unit = rows.div(rows.mul(rows).sum(1, true).sqrt());
    EXPECT_NEAR(singular_ratio(std::span<const double>(unit.const_data_ptr<double>(), 50), 5, 10).value(), 0.270855418511653,
                1e-10);
}

TEST(Shift, EqualsReferenceValues) {
    const auto [x, y, packages] = matrices("v1");
    const Shift moved = shift(x, y);
    EXPECT_NEAR(moved.cosine.value(), 0.706042041856966, 1e-10);
    EXPECT_NEAR(moved.mean_relative.value(), 1.033227105121233, 1e-10);
}

TEST(Shift, OfPlantedMoves) {
    const at::Tensor base = normal_matrix(40, 8, 1);
    const Shift none = shift(base, base);
    EXPECT_NEAR(none.cosine.value(), 1.0, 1e-12);
    EXPECT_EQ(none.relative.value(), 0.0);
    EXPECT_EQ(none.norm.value(), 0.0);
    EXPECT_EQ(none.coherence.why(), Undefined::no_variation);
    EXPECT_NEAR(shift(base, base.add(0.3)).coherence.value(), 1.0, 1e-12);  // one common translation
    EXPECT_NEAR(shift(base, base.add(0.3)).centred_cosine.value(), 1.0, 1e-12);
    EXPECT_NEAR(shift(base, base.mul(2.0)).norm.value(), std::log(2.0), 1e-12);
    EXPECT_NEAR(shift(base, base.mul(2.0)).relative.value(), 1.0, 1e-12);
    EXPECT_LT(shift(base, base.add(normal_matrix(40, 8, 2))).coherence.value(), 0.15);
    EXPECT_EQ(shift(base.mul(0.0), base).cosine.why(), Undefined::no_variation);
    EXPECT_THROW(shift(base, normal_matrix(40, 7, 1)), Error);
}

TEST(CovarianceCosine, EqualsReferenceValuesAndTheCorrelationOfRewards) {
    const auto [x, y, packages] = matrices("v1");
    std::vector<double> tenths;
    for (int i = 1; i <= 10; ++i) tenths.push_back(0.1 * i);
    const at::Tensor w1 = test::matrix_of(tenths, 10, 1).reshape({10}), w2 = at::ones({10}, at::kDouble);
    EXPECT_NEAR(direction_cosine(w1, w2).value(), 0.886405260427918, 1e-10);
    EXPECT_NEAR(covariance_cosine(x, w1, w2).value(), 0.903043904758596, 1e-10);
    EXPECT_EQ(direction_cosine(w1, w2.mul(0.0)).why(), Undefined::no_variation);
}

TEST(Retrieval, EqualsReferenceValues) {
    const auto [x, y, packages] = matrices("v1");
    const Retrieval result = retrieval(x, y);
    EXPECT_NEAR(result.x_to_y.value(), 0.58, 1e-12);
    EXPECT_NEAR(result.y_to_x.value(), 0.56, 1e-12);
    EXPECT_NEAR(result.mexa.value(), 0.50, 1e-12);
    EXPECT_NEAR(result.csls.value(), 0.59, 1e-12);
    EXPECT_NEAR(retrieval(without_mean(x), without_mean(y)).x_to_y.value(), 0.57, 1e-12);
    EXPECT_NEAR(result.margin.value(), 0.708606954140929, 1e-10);
    const Retrieval units = retrieval_of_units(at_unit_length(x), at_unit_length(y), 0);
    EXPECT_EQ(units.csls.why(), Undefined::not_estimated);
    EXPECT_EQ(units.mexa.value(), result.mexa.value());
    EXPECT_EQ(units.margin.value(), result.margin.value());
    EXPECT_THROW(retrieval(x, y, 0), Error);
}

TEST(Retrieval, EqualRowsAreNotFound) {
    const at::Tensor same = at::ones({5, 3}, at::kDouble);
    EXPECT_EQ(retrieval(same, same).x_to_y.value(), 0.0);  // a tie is wrong
    EXPECT_EQ(retrieval(same.narrow(0, 0, 1), same.narrow(0, 0, 1)).mexa.why(), Undefined::too_few_items);
    EXPECT_NEAR(retrieval(at::eye(5, at::kDouble), at::eye(5, at::kDouble)).mexa.value(), 1.0, 1e-12);
}

//! `languages` times the same latent rows with an offset of their own and noise.
std::vector<at::Tensor> planted(std::int64_t languages, double offset, double noise) {
    const at::Tensor latent = normal_matrix(200, 30, 1), offsets = normal_matrix(languages, 30, 2).mul(offset);
    std::vector<at::Tensor> all;
    for (std::int64_t l = 0; l < languages; ++l)
        all.push_back(latent.add(offsets[l]).add(normal_matrix(200, 30, 10 + static_cast<std::uint64_t>(l)).mul(noise)));
    return all;
}

TEST(LanguageSubspace, RecoversPlantedOffsetsAndItsRemovalHelpsRetrieval) {
    const auto languages = planted(4, 3.0, 0.7);
    std::vector<at::Tensor> means;
    for (const at::Tensor& x : languages) means.push_back(x.mean(0));
    const at::Tensor stacked = at::stack(means);
    const LanguageSubspace subspace = language_subspace(stacked, 3);
    const at::Tensor offsets = stacked.sub(stacked.mean(0, true));
    const at::Tensor rest = without_subspace(offsets, subspace.basis);
    EXPECT_LT(rest.mul(rest).sum().item<double>(), 1e-18 * offsets.mul(offsets).sum().item<double>());
    const at::Tensor identity = subspace.basis.t().matmul(subspace.basis);
    EXPECT_LT(identity.sub(at::eye(3, at::kDouble)).abs().max().item<double>(), 1e-12);
    EXPECT_LT(subspace.basis.t().matmul(subspace.common).abs().max().item<double>(), 1e-10);  // what they share is orthogonal
    const double raw = retrieval(languages[0], languages[1]).x_to_y.value();
    const double centred = retrieval(without_mean(languages[0]), without_mean(languages[1])).x_to_y.value();
    const double removed =
        retrieval(without_subspace(languages[0], subspace.basis), without_subspace(languages[1], subspace.basis)).x_to_y.value();
    EXPECT_GT(centred, raw + 0.1);
    EXPECT_GT(removed, raw + 0.1);
    EXPECT_THROW(language_subspace(stacked, 4), Error);
    EXPECT_THROW(language_subspace(stacked, 0), Error);
}

TEST(SubspaceOverlap, IsOneForEqualAndByChanceForIndependentData) {
    const at::Tensor x = normal_matrix(300, 40, 1), y = normal_matrix(300, 40, 2);
    EXPECT_NEAR(subspace_overlap(x, x.add(5.0), 5).value(), 1.0, 1e-10);
    EXPECT_LT(subspace_overlap(x, y, 5).value(), 0.35);  // chance 5/40
    EXPECT_EQ(subspace_overlap(x.narrow(0, 0, 5), y, 5).why(), Undefined::not_identified);
}

}  // namespace
}  // namespace xlrm
