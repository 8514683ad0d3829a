#include "xlrm/stats/representational_similarity.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "matrix.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/stats/rank_correlation.hpp"

namespace xlrm {

namespace {

at::Tensor dissimilarities(const at::Tensor& x, Dissimilarity kind) {
    if (kind == Dissimilarity::euclidean) return matrix::squared_distances(x).sqrt();
    const at::Tensor rows = matrix::unit_rows(kind == Dissimilarity::correlation ? x.sub(x.mean(1, true)) : x);
    return rows.matmul(rows.t()).neg().add(1.0);
}

std::vector<double> upper_triangle(const at::Tensor& matrix) {
    const at::Tensor whole = matrix.contiguous();
    const double* data = whole.const_data_ptr<double>();
    const std::int64_t n = whole.size(0);
    std::vector<double> values;
    for (std::int64_t i = 0; i < n; ++i) values.insert(values.end(), data + i * n + i + 1, data + (i + 1) * n);
    return values;
}

}  // namespace

Estimate rsa(const at::Tensor& x, const at::Tensor& y, Dissimilarity dissimilarity, RdmComparison comparison) {
    matrix::require_rows(x, y, "RSA");
    if (x.size(0) < 3) return Undefined::too_few_items;
    const std::vector<double> a = upper_triangle(dissimilarities(x, dissimilarity)),
                              b = upper_triangle(dissimilarities(y, dissimilarity));
    return comparison == RdmComparison::spearman ? spearman(a, b) : pearson(a, b);
}

at::Tensor centred_rank_matrix(const at::Tensor& x, Dissimilarity dissimilarity) {
    matrix::require_matrix(x, "RSA");
    const std::vector<double> ranks = mean_ranks(upper_triangle(dissimilarities(x, dissimilarity)));
    const std::int64_t n = x.size(0);
    const double mean = 0.5 * static_cast<double>(ranks.size() + 1);
    at::Tensor out = at::zeros({n, n}, at::kDouble);
    double* to = out.mutable_data_ptr<double>();
    std::size_t place = 0;
    for (std::int64_t i = 0; i < n; ++i) {
        for (std::int64_t j = i + 1; j < n; ++j, ++place) to[i * n + j] = to[j * n + i] = ranks[place] - mean;
    }
    return out;
}

at::Tensor nearest_others(const at::Tensor& x, std::int64_t k) {
    matrix::require_matrix(x, "neighbours");
    require(k > 0 && x.size(0) > k, "an example has fewer others than neighbours are asked for");
    const at::Tensor rows = matrix::unit_rows(x);
    const at::Tensor cosines = rows.matmul(rows.t()).contiguous();
    const std::int64_t n = cosines.size(0);
    at::Tensor result = at::empty({n, k}, at::kLong);
    std::vector<std::pair<double, std::int64_t>> best;
    for (std::int64_t i = 0; i < n; ++i) {
        matrix::find_largest({cosines.const_data_ptr<double>() + i * n, static_cast<std::size_t>(n)}, k, i, best);
        std::int64_t* to = result.mutable_data_ptr<std::int64_t>() + i * k;
        for (const auto& [value, place] : best) *to++ = place;
        std::sort(to - k, to);
    }
    return result;
}

double neighbour_overlap(const at::Tensor& a, const at::Tensor& b, std::span<const std::int64_t> order) {
    const std::int64_t n = a.size(0), k = a.size(1);
    std::vector<std::int64_t> place(static_cast<std::size_t>(n));  // where example j of the second side stands
    for (std::size_t i = 0; i < place.size(); ++i)
        place[order.empty() ? i : static_cast<std::size_t>(order[i])] = static_cast<std::int64_t>(i);
    std::vector<std::int64_t> near(static_cast<std::size_t>(n), -1);  // the last example that this one was near to
    const std::int64_t *first = a.const_data_ptr<std::int64_t>(), *second = b.const_data_ptr<std::int64_t>();
    double sum = 0.0;
    for (std::int64_t i = 0; i < n; ++i) {
        for (std::int64_t j = 0; j < k; ++j) near[static_cast<std::size_t>(first[i * k + j])] = i;
        const std::int64_t row = order.empty() ? i : order[static_cast<std::size_t>(i)];
        std::int64_t common = 0;
        for (std::int64_t j = 0; j < k; ++j) {
            const auto other = static_cast<std::size_t>(second[row * k + j]);
            common += near[static_cast<std::size_t>(place[other])] == i ? 1 : 0;
        }
        sum += static_cast<double>(common) / static_cast<double>(2 * k - common);
    }
    return sum / static_cast<double>(n);
}

Estimate neighbour_jaccard(const at::Tensor& x, const at::Tensor& y, std::int64_t k) {
    matrix::require_rows(x, y, "the overlap of neighbours");
    require(k > 0, "the overlap of neighbours needs k > 0");
    if (x.size(0) <= k) return Undefined::too_few_items;
    return neighbour_overlap(nearest_others(x, k), nearest_others(y, k));
}

}  // namespace xlrm
