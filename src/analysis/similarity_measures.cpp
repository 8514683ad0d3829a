#include "similarity_measures.hpp"

#include <algorithm>
#include <cmath>

#include "probe_rows.hpp"
#include "state_parts.hpp"
#include "xlrm/stats/canonical_correlation.hpp"
#include "xlrm/stats/procrustes.hpp"
#include "xlrm/stats/representational_similarity.hpp"

namespace xlrm {

namespace {

constexpr std::int64_t kMostItems = 5000;       // of a matrix of items with items: 200 MB
constexpr std::int64_t kMostFeatures = 1024;    // of singular values of features with features
constexpr std::int64_t kMostNullFeatures = 64;  // … once for every permutation
constexpr std::int64_t kNeighbours = 10;
constexpr double kKeptVariance = 0.99;
constexpr std::uint64_t kSeed = 1;

at::Tensor centred(const at::Tensor& x) { return x.sub(x.mean(0, true)); }

EstimateWithInterval alone(const Estimate& value) {
    return {value, Undefined::not_estimated, Undefined::not_estimated, Undefined::not_estimated};
}

PermutationNull no_null(Undefined why = Undefined::not_estimated) { return {why, why, 0}; }

//! Why nothing is made of all items with all items, if so.
std::optional<Undefined> by_items(const at::Tensor& x) {
    if (x.size(0) < 4) return Undefined::too_few_items;
    if (x.size(0) > kMostItems) return Undefined::too_many_items;
    if (is_constant(x)) return Undefined::no_variation;
    return {};
}

std::optional<Undefined> by_features(const at::Tensor& x) {
    if (x.size(1) > kMostFeatures) return Undefined::too_many_features;
    if (is_constant(x)) return Undefined::no_variation;
    return {};
}

SimilarityForm kernel_form(const at::Tensor& kernel) { return {kernel, {}, std::make_shared<const CkaSide>(kernel)}; }

SimilarityForm linear_form(const at::Tensor& x) {
    if (const auto why = by_items(x)) return {{}, why};
    return kernel_form(linear_kernel(centred(x)));
}

SimilarityForm rbf_form(const at::Tensor& x) {
    if (const auto why = by_items(x)) return {{}, why};
    const double median = median_squared_distance(x);
    if (median == 0.0) return {{}, Undefined::no_variation};
    return kernel_form(rbf_kernel(x, std::sqrt(median)));
}

SimilarityForm rows_form(const at::Tensor& x) {
    if (const auto why = by_features(x)) return {{}, why};
    return {x};
}

SimilarityForm rank_form(const at::Tensor& x) {
    if (const auto why = by_items(x)) return {{}, why};
    at::Tensor ranks = centred_rank_matrix(x, Dissimilarity::euclidean);
    if (ranks.eq(0.0).all().item<bool>()) return {{}, Undefined::no_variation};
    return {ranks};
}

SimilarityForm neighbour_form(const at::Tensor& x) {
    if (const auto why = by_items(x)) return {{}, why};
    if (x.size(0) <= kNeighbours) return {{}, Undefined::too_few_items};
    return {nearest_others(x, kNeighbours)};
}

SimilarityValue compare_debiased(const SimilarityForm& x, const SimilarityForm& y, std::int64_t permutations) {
    const CkaJackknife found = cka_jackknife(*x.side, *y.side);
    return {{found.value, found.standard_error, found.low, found.high}, cka_null(*x.side, *y.side, permutations, kSeed)};
}

//! Kernels of centred rows have centred rows, so the biased HSIC is the sum of products of their entries.
SimilarityValue compare_biased(const SimilarityForm& x, const SimilarityForm& y, std::int64_t permutations) {
    const Estimate value = cka_biased(x.kept, y.kept);
    if (!value.defined()) return {alone(value), no_null(value.why())};
    const double norms =
        std::sqrt(x.kept.mul(x.kept).sum(1).sum().item<double>() * y.kept.mul(y.kept).sum(1).sum().item<double>());
    const at::Tensor a = x.kept.diagonal().contiguous(), b = y.kept.diagonal().contiguous();
    const auto of_order = [&](std::span<const std::int64_t> order) {
        double diagonal = 0.0;
        for (std::size_t i = 0; i < order.size(); ++i)
            diagonal += a.const_data_ptr<double>()[i] * b.const_data_ptr<double>()[order[i]];
        return (2.0 * lower_product(x.kept, y.kept, order) + diagonal) / norms;
    };
    return {alone(value), permutation_null(value.value(), x.kept.size(0), permutations, kSeed, Alike::large, of_order)};
}

SimilarityValue compare_procrustes(const SimilarityForm& x, const SimilarityForm& y, std::int64_t permutations) {
    const Estimate value = procrustes(x.kept, y.kept).distance;
    if (!value.defined()) return {alone(value), no_null(value.why())};
    if (std::max(x.kept.size(1), y.kept.size(1)) > kMostNullFeatures) return {alone(value), no_null()};
    const auto of_order = [&](std::span<const std::int64_t> order) {
        return procrustes(x.kept, rows_at(y.kept, order)).distance.value();
    };
    return {alone(value), permutation_null(value.value(), x.kept.size(0), permutations, kSeed, Alike::small, of_order)};
}

SimilarityValue compare_svcca(const SimilarityForm& x, const SimilarityForm& y, std::int64_t) {
    return {alone(svcca(x.kept, y.kept, kKeptVariance)), no_null()};
}

SimilarityValue compare_pwcca(const SimilarityForm& x, const SimilarityForm& y, std::int64_t) {
    return {alone(pwcca(x.kept, y.kept)), no_null()};
}

SimilarityValue compare_ranks(const SimilarityForm& x, const SimilarityForm& y, std::int64_t permutations) {
    std::vector<std::int64_t> same(static_cast<std::size_t>(x.kept.size(0)));
    for (std::size_t i = 0; i < same.size(); ++i) same[i] = static_cast<std::int64_t>(i);
    const double norms = std::sqrt(lower_product(x.kept, x.kept, same)) * std::sqrt(lower_product(y.kept, y.kept, same));
    const auto of_order = [&](std::span<const std::int64_t> order) {
        return std::clamp(lower_product(x.kept, y.kept, order) / norms, -1.0, 1.0);
    };
    const double value = of_order(same);
    return {alone(value), permutation_null(value, x.kept.size(0), permutations, kSeed, Alike::large, of_order)};
}

SimilarityValue compare_neighbours(const SimilarityForm& x, const SimilarityForm& y, std::int64_t permutations) {
    const double value = neighbour_overlap(x.kept, y.kept);
    return {alone(value),
            permutation_null(value, x.kept.size(0), permutations, kSeed, Alike::large,
                             [&](std::span<const std::int64_t> order) { return neighbour_overlap(x.kept, y.kept, order); })};
}

}  // namespace

const std::vector<SimilarityMeasure>& similarity_measures() {
    static const std::string isometry = "rotation, scale, translation";
    static const std::vector<SimilarityMeasure> all = {
        {"cka.linear.debiased", true, isometry, "columns", "none", "Kornblith et al. 2019; Song et al. 2012", true, linear_form,
         compare_debiased},
        {"cka.linear.biased", true, isometry, "columns", "none",
         "Kornblith et al. 2019; grows with features/items: compare it with its null alone", false, linear_form, compare_biased},
        {"cka.rbf.debiased(median)", true, "rotation, scale, translation (the bandwidth is the median squared distance)",
         "columns", "none", "Kornblith et al. 2019; Song et al. 2012", false, rbf_form, compare_debiased},
        {"procrustes.distance", false, isometry, "columns", "Frobenius norm 1", "Schönemann 1966; sqrt(2 − 2 |Xn'Yn|_*)", true,
         rows_form, compare_procrustes},
        {"svcca(0.99)", true, isometry, "columns", "none", "Raghu et al. 2017, mean correlation; 99 % of squared singular values",
         false, rows_form, compare_svcca},
        {"pwcca", true, "rotation, scale, translation of either; any invertible linear map of the second", "columns", "none",
         "Morcos et al. 2018; weights of the first side", false, rows_form, compare_pwcca},
        {"rsa.euclidean.spearman", true, isometry, "none", "none", "Kriegeskorte et al. 2008", false, rank_form, compare_ranks},
        {"knn.jaccard(10,cosine)", true, "rotation, scale", "none", "rows", "overlap of the 10 nearest; chance about 10/2n", true,
         neighbour_form, compare_neighbours},
    };
    return all;
}

}  // namespace xlrm
