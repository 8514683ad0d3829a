// Procrustes, canonical correlation, representational similarity, neighbours.
#include <ATen/ops/arange.h>
#include <ATen/ops/linalg_svd.h>
#include <ATen/ops/linalg_svdvals.h>
#include <ATen/ops/stack.h>
#include <gtest/gtest.h>

#include <cmath>

#include "stats/matrices.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/stats/canonical_correlation.hpp"
#include "xlrm/stats/procrustes.hpp"
#include "xlrm/stats/representational_similarity.hpp"

namespace xlrm {
namespace {

using test::matrices;
using test::normal_matrix;

TEST(Similarity, EqualsOtherPackages) {
    for (const std::string name : {"v1", "v2", "v3"}) {
        const auto [x, y, packages] = matrices(name);
        const double s = procrustes(x, y).similarity.value();
        EXPECT_NEAR(1.0 - s * s, packages.at("procrustes_disparity").get<double>(), 1e-10) << name;
        if (packages.contains("cca_mean")) {
            EXPECT_NEAR(canonical_correlation(x, y).mean.value(), packages.at("cca_mean").get<double>(), 1e-10) << name;
        }
        for (const auto& [kind, key] :
             {std::pair{Dissimilarity::correlation, "rsa_correlation"}, std::pair{Dissimilarity::euclidean, "rsa_euclidean"}})
            EXPECT_NEAR(rsa(x, y, kind, RdmComparison::spearman).value(), packages.at(key).get<double>(), 1e-10) << name << key;
        EXPECT_NEAR(neighbour_jaccard(x, y, 5).value(), packages.at("jaccard_5").get<double>(), 1e-12) << name;
        if (packages.contains("pwcca")) {
            EXPECT_NEAR(pwcca(x, y).value(), packages.at("pwcca")[0].get<double>(), 1e-10) << name;
            EXPECT_NEAR(pwcca(y, x).value(), packages.at("pwcca")[1].get<double>(), 1e-10) << name;
        }
    }
}

TEST(Similarity, EqualsReferenceValues) {
    const auto [x, y, packages] = matrices("v1");
    const Procrustes p = procrustes(x, y);
    EXPECT_NEAR(p.similarity.value(), 0.736255310605828, 1e-10);
    EXPECT_NEAR(p.angle.value(), 0.743276476120809, 1e-10);
    EXPECT_NEAR(p.distance.value(), 0.726284640336241, 1e-10);
    EXPECT_NEAR(canonical_correlation(x, y).mean.value(), 0.731013958783659, 1e-10);
    EXPECT_NEAR(canonical_correlation(x, y).mean_squared.value(), 0.545396332190833, 1e-10);
    EXPECT_NEAR(svcca(x, y, 0.90).value(), 0.705764808142514, 1e-10);
    EXPECT_NEAR(pwcca(x, y).value(), 0.734667719617403, 1e-10);
    EXPECT_NEAR(pwcca(y, x).value(), 0.736840567524663, 1e-10);
    EXPECT_NEAR(rsa(x, y, Dissimilarity::correlation, RdmComparison::spearman).value(), 0.472439673763047, 1e-10);
    EXPECT_NEAR(rsa(x, y, Dissimilarity::euclidean, RdmComparison::spearman).value(), 0.492964696698030, 1e-10);
    EXPECT_NEAR(rsa(x, y, Dissimilarity::cosine, RdmComparison::pearson).value(), 0.493616188062736, 1e-10);
    EXPECT_NEAR(neighbour_jaccard(x, y).value(), 0.170124774606199, 1e-10);
}

// As collected from several repositories in nacloos/similarity-repository.
TEST(Similarity, EqualsValuesOfManyRepositories) {
    const auto [x, y, packages] = matrices("v2");
    EXPECT_NEAR(procrustes(x, y).similarity.value(), 0.7227787175993360, 1e-10);
    EXPECT_NEAR(procrustes(x, y).angle.value(), 0.7629815799340974, 1e-10);
    EXPECT_NEAR(canonical_correlation(x, y, false).mean.value(), 0.8901049738157812, 1e-10);
    EXPECT_NEAR(canonical_correlation(x, y, false).mean_squared.value(), 0.8583001426315535, 1e-10);
    EXPECT_NEAR(svcca(x, y, 0.99, false).value(), 0.783181412265043, 1e-10);
    EXPECT_NEAR(rsa(x, y, Dissimilarity::correlation, RdmComparison::spearman).value(), -0.0040927956940652, 1e-10);
    EXPECT_NEAR(rsa(x, y, Dissimilarity::euclidean, RdmComparison::spearman).value(), 0.0266521561017994, 1e-10);
}

TEST(Similarity, CcaIgnoresALinearMapAndProcrustesDoesNot) {
    const auto [x, y, packages] = matrices("v1");
    const at::Tensor mapped = x.matmul(normal_matrix(10, 10, 5));
    EXPECT_NEAR(canonical_correlation(mapped, y).mean.value(), canonical_correlation(x, y).mean.value(), 1e-9);
    EXPECT_GT(std::abs(procrustes(mapped, y).similarity.value() - procrustes(x, y).similarity.value()), 1e-2);
    const at::Tensor turned = x.matmul(test::rotation(10, 3)).mul(2.0).add(1.0);
    EXPECT_NEAR(procrustes(x, turned).similarity.value(), 1.0, 1e-12);
    EXPECT_NEAR(procrustes(x, turned).distance.value(), 0.0, 1e-6);
    EXPECT_NEAR(procrustes(y, turned).similarity.value(), procrustes(x, y).similarity.value(), 1e-10);
}

TEST(Similarity, PwccaIgnoresALinearMapOfTheSecondSideAlone) {
    const auto [x, y, packages] = matrices("v1");
    const at::Tensor map = normal_matrix(10, 10, 5);
    EXPECT_NEAR(pwcca(x, y.matmul(map)).value(), pwcca(x, y).value(), 1e-9);
    EXPECT_GT(std::abs(pwcca(x.matmul(map), y).value() - pwcca(x, y).value()), 1e-4);
    EXPECT_NEAR(pwcca(x, x).value(), 1.0, 1e-12);
    EXPECT_NEAR(pwcca(x.matmul(test::rotation(10, 3)).mul(2.0).add(1.0), y).value(), pwcca(x, y).value(), 5e-2);
}

TEST(Similarity, RanksAndNeighboursGiveTheSameWhenKept) {
    const auto [x, y, packages] = matrices("v3");
    for (const Dissimilarity kind : {Dissimilarity::euclidean, Dissimilarity::cosine}) {
        const at::Tensor a = centred_rank_matrix(x, kind), b = centred_rank_matrix(y, kind);
        const auto sum = [](const at::Tensor& p, const at::Tensor& q) { return p.mul(q).tril(-1).sum().item<double>(); };
        EXPECT_NEAR(sum(a, b) / std::sqrt(sum(a, a) * sum(b, b)), rsa(x, y, kind, RdmComparison::spearman).value(), 1e-12);
    }
    const at::Tensor a = nearest_others(x, 5), b = nearest_others(y, 5);
    EXPECT_EQ(neighbour_overlap(a, b), neighbour_jaccard(x, y, 5).value());
    // With the second side's examples in another order: the overlap of the data in that order.
    std::vector<std::int64_t> order(60);
    for (std::size_t i = 0; i < 60; ++i) order[i] = static_cast<std::int64_t>((7 * i + 3) % 60);
    std::vector<at::Tensor> rows;
    for (const std::int64_t i : order) rows.push_back(y[i]);
    EXPECT_NEAR(neighbour_overlap(a, b, order), neighbour_jaccard(x, at::stack(rows), 5).value(), 1e-12);
}

// More features than examples: sides in as many columns as examples, and eigenvectors of X X'.
TEST(Similarity, OfWideMatricesEqualsTheDefinition) {
    const at::Tensor x = normal_matrix(40, 150, 1), y = x.add(normal_matrix(40, 150, 2), 0.5).narrow(1, 0, 90).contiguous();
    const at::Tensor xc = x.sub(x.mean(0)), yc = y.sub(y.mean(0));
    const double nuclear = at::linalg_svdvals(xc.t().matmul(yc)).sum().item<double>();
    const double s = nuclear / std::sqrt(xc.square().sum().item<double>() * yc.square().sum().item<double>());
    EXPECT_NEAR(procrustes(x, y).similarity.value(), s, 1e-12);
    EXPECT_EQ(procrustes_side(x)->size(1), 40);
    EXPECT_NEAR(procrustes(x, x.matmul(test::rotation(150, 3)).add(1.0)).distance.value(), 0.0, 1e-6);
    EXPECT_EQ(canonical_correlation(x, y).mean.why(), Undefined::fewer_items_than_features);
    EXPECT_EQ(svcca(x, y, 0.99).why(), Undefined::fewer_items_than_features);
    EXPECT_TRUE(svcca(x, y, 0.2).defined());
}

TEST(Similarity, PrincipalBasesSpanWhatSingularVectorsDo) {
    for (const auto& [n, d] : {std::pair{60, 20}, std::pair{20, 60}}) {
        const at::Tensor x = normal_matrix(n, d, 7).mul(at::arange(1, d + 1, at::kDouble).reciprocal()).add(3.0);
        for (const double kept : {0.5, 0.9, 0.99, 0.9999, 1.0}) {
            const at::Tensor basis = principal_basis(x, kept);
            const auto [u, sigma, vh] = at::linalg_svd(x.sub(x.mean(0)), false);
            const at::Tensor shares = sigma.square().cumsum(0).div(sigma.square().sum());
            const auto fewer = shares.lt(kept).sum().item<std::int64_t>();
            if (kept < 1.0) {
                ASSERT_EQ(basis.size(1), fewer + 1) << n << " " << kept;
            }
            const at::Tensor first = u.narrow(1, 0, basis.size(1));
            EXPECT_LT(basis.matmul(basis.t()).sub(first.matmul(first.t())).abs().max().item<double>(), 1e-8) << n << " " << kept;
        }
    }
    EXPECT_THROW(principal_basis(normal_matrix(9, 3, 1), 0.0), Error);
}

TEST(Similarity, SidesThatAreKeptGiveTheSame) {
    const auto [x, y, packages] = matrices("v1");
    EXPECT_EQ(procrustes_of_sides(*procrustes_side(x), *procrustes_side(y)).distance.value(), procrustes(x, y).distance.value());
    EXPECT_FALSE(procrustes_side(x.mul(0.0)).has_value());
    EXPECT_EQ(svcca_of_bases(principal_basis(x, 0.9), principal_basis(y, 0.9)).value(), svcca(x, y, 0.9).value());
    EXPECT_EQ(pwcca_of_sides(pwcca_side(x), pwcca_side(y)).value(), pwcca(x, y).value());
}

TEST(Similarity, SaysWhyThereIsNone) {
    const auto [x, y, packages] = matrices("v2");  // 30 examples of 25 and 25 features
    EXPECT_EQ(canonical_correlation(x, y).mean.why(), Undefined::fewer_items_than_features);
    EXPECT_EQ(pwcca(x, y).why(), Undefined::fewer_items_than_features);
    EXPECT_EQ(procrustes(x.mul(0.0), y).similarity.why(), Undefined::no_variation);
    EXPECT_EQ(neighbour_jaccard(x, y, 30).why(), Undefined::too_few_items);
    EXPECT_EQ(rsa(x.narrow(0, 0, 2), y.narrow(0, 0, 2), Dissimilarity::cosine, RdmComparison::pearson).why(),
              Undefined::too_few_items);
    EXPECT_THROW(procrustes(x.narrow(0, 0, 5), y), Error);
    EXPECT_THROW(svcca(x, y, 1.5), Error);
}

}  // namespace
}  // namespace xlrm
