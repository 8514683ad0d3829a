#include "similarity_measures.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "probe_rows.hpp"
#include "settings.hpp"
#include "state_parts.hpp"
#include "xlrm/stats/canonical_correlation.hpp"
#include "xlrm/stats/procrustes.hpp"
#include "xlrm/stats/representational_similarity.hpp"

namespace xlrm {

namespace {

constexpr std::int64_t kMostNullFeatures = 64;  // of singular values that are computed once for every permutation
constexpr double kKeptVariance = 0.99;

at::Tensor centred(const at::Tensor& x) { return x.sub(x.mean(0, true)); }

std::vector<std::int64_t> as_it_is(std::int64_t n) {
    std::vector<std::int64_t> order(static_cast<std::size_t>(n));
    std::iota(order.begin(), order.end(), std::int64_t{0});
    return order;
}

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

SimilarityForm kernel_form(const at::Tensor& kernel) {
    SimilarityForm form;
    form.side = std::make_shared<const CkaSide>(kernel);
    return form;
}

SimilarityForm linear_form(const at::Tensor& x) {
    if (const auto why = by_items(x)) return {{}, why};
    return kernel_form(linear_kernel(centred(x)));
}

SimilarityForm rbf_form(const at::Tensor& x) {
    if (const auto why = by_items(x)) return {{}, why};
    const auto kernel = find_rbf_kernel_median(x, 1.0);
    if (!kernel) return {{}, Undefined::no_variation};
    return kernel_form(*kernel);
}

SimilarityForm procrustes_form(const at::Tensor& x) {
    const auto side = is_constant(x) ? std::optional<at::Tensor>() : procrustes_side(x);
    if (!side) return {{}, Undefined::no_variation};
    return {*side};
}

SimilarityForm principal_form(const at::Tensor& x) {
    if (is_constant(x)) return {{}, Undefined::no_variation};
    return {principal_basis(x, kKeptVariance)};
}

SimilarityForm columns_form(const at::Tensor& x) {
    if (is_constant(x)) return {{}, Undefined::no_variation};
    SimilarityForm form{x};
    if (x.size(0) - 1 >= 2 * x.size(1)) form.columns = pwcca_side(x);
    return form;
}

SimilarityForm rank_form(const at::Tensor& x) {
    if (const auto why = by_items(x)) return {{}, why};
    const at::Tensor ranks = centred_rank_matrix(x, Dissimilarity::euclidean);
    const double norm = std::sqrt(lower_product(ranks, ranks, as_it_is(ranks.size(0))));
    if (norm == 0.0) return {{}, Undefined::no_variation};
    return {ranks, {}, norm};
}

SimilarityForm neighbour_form(const at::Tensor& x) {
    if (const auto why = by_items(x)) return {{}, why};
    if (x.size(0) <= kNeighbours) return {{}, Undefined::too_few_items};
    return {nearest_others(x, kNeighbours)};
}

SimilarityValue compare_debiased(const SimilarityForm& x, const SimilarityForm& y, std::int64_t permutations) {
    const CkaJackknife found = cka_jackknife(*x.side, *y.side);
    return {{found.value, found.standard_error, found.low, found.high}, cka_null(*x.side, *y.side, permutations, kStateSeed)};
}

SimilarityValue compare_biased(const SimilarityForm& x, const SimilarityForm& y, std::int64_t permutations) {
    const Estimate value = cka_biased(*x.side, *y.side);
    if (!value.defined()) return {alone(value), no_null(value.why())};
    return {alone(value), cka_biased_null(*x.side, *y.side, permutations, kStateSeed)};
}

SimilarityValue compare_procrustes(const SimilarityForm& x, const SimilarityForm& y, std::int64_t permutations) {
    const Estimate value = procrustes_of_sides(x.kept, y.kept).distance;
    if (std::max(x.kept.size(1), y.kept.size(1)) > kMostNullFeatures) return {alone(value), no_null()};
    const auto of_order = [&](std::span<const std::int64_t> order) {
        return procrustes_of_sides(x.kept, rows_at(y.kept, order)).distance.value();
    };
    return {alone(value), permutation_null(value.value(), x.kept.size(0), permutations, kStateSeed, Alike::small, of_order)};
}

SimilarityValue compare_svcca(const SimilarityForm& x, const SimilarityForm& y, std::int64_t) {
    return {alone(svcca_of_bases(x.kept, y.kept)), no_null()};
}

SimilarityValue compare_pwcca(const SimilarityForm& x, const SimilarityForm& y, std::int64_t) {
    return {alone(x.columns && y.columns ? pwcca_of_sides(*x.columns, *y.columns) : pwcca(x.kept, y.kept)), no_null()};
}

SimilarityValue compare_ranks(const SimilarityForm& x, const SimilarityForm& y, std::int64_t permutations) {
    const auto of_order = [&](std::span<const std::int64_t> order) {
        return std::clamp(lower_product(x.kept, y.kept, order) / (x.norm * y.norm), -1.0, 1.0);
    };
    const double value = of_order(as_it_is(x.kept.size(0)));
    return {alone(value), permutation_null(value, x.kept.size(0), permutations, kStateSeed, Alike::large, of_order)};
}

SimilarityValue compare_neighbours(const SimilarityForm& x, const SimilarityForm& y, std::int64_t permutations) {
    const double value = neighbour_overlap(x.kept, y.kept);
    return {alone(value),
            permutation_null(value, x.kept.size(0), permutations, kStateSeed, Alike::large,
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
         procrustes_form, compare_procrustes},
        {"svcca(0.99)", true, isometry, "columns", "none", "Raghu et al. 2017, mean correlation; 99 % of squared singular values",
         false, principal_form, compare_svcca},
        {"pwcca", true, "rotation, scale, translation of either; any invertible linear map of the second", "columns", "none",
         "Morcos et al. 2018; weights of the first side", false, columns_form, compare_pwcca},
        {"rsa.euclidean.spearman", true, isometry, "none", "none", "Kriegeskorte et al. 2008", false, rank_form, compare_ranks},
        {"knn.jaccard(10,cosine)", true, "rotation, scale", "none", "rows", "overlap of the 10 nearest; chance about 10/2n", true,
         neighbour_form, compare_neighbours},
    };
    return all;
}

}  // namespace xlrm
