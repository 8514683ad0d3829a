#include "xlrm/stats/representational_similarity.hpp"

#include <algorithm>
#include <numeric>
#include <set>
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

//! The k nearest others of each row by cosine, ascending indices.
std::vector<std::vector<std::int64_t>> neighbours(const at::Tensor& x, std::int64_t k) {
    const at::Tensor rows = matrix::unit_rows(x);
    const at::Tensor cosines = rows.matmul(rows.t()).contiguous();
    const std::int64_t n = cosines.size(0);
    std::vector<std::vector<std::int64_t>> result;
    for (std::int64_t i = 0; i < n; ++i) {
        const double* row = cosines.const_data_ptr<double>() + i * n;
        std::vector<std::int64_t> order;
        for (std::int64_t j = 0; j < n; ++j)
            if (j != i) order.push_back(j);
        std::partial_sort(order.begin(), order.begin() + k, order.end(),
                          [row](std::int64_t a, std::int64_t b) { return row[a] != row[b] ? row[a] > row[b] : a < b; });
        order.resize(static_cast<std::size_t>(k));
        std::sort(order.begin(), order.end());
        result.push_back(std::move(order));
    }
    return result;
}

}  // namespace

Estimate rsa(const at::Tensor& x, const at::Tensor& y, Dissimilarity dissimilarity, RdmComparison comparison) {
    matrix::require_rows(x, y, "RSA");
    if (x.size(0) < 3) return Undefined::too_few_items;
    const std::vector<double> a = upper_triangle(dissimilarities(x, dissimilarity)),
                              b = upper_triangle(dissimilarities(y, dissimilarity));
    return comparison == RdmComparison::spearman ? spearman(a, b) : pearson(a, b);
}

Estimate neighbour_jaccard(const at::Tensor& x, const at::Tensor& y, std::int64_t k) {
    matrix::require_rows(x, y, "the overlap of neighbours");
    require(k > 0, "the overlap of neighbours needs k > 0");
    if (x.size(0) <= k) return Undefined::too_few_items;
    const auto a = neighbours(x, k), b = neighbours(y, k);
    double sum = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::vector<std::int64_t> common;
        std::set_intersection(a[i].begin(), a[i].end(), b[i].begin(), b[i].end(), std::back_inserter(common));
        sum += static_cast<double>(common.size()) / static_cast<double>(2 * a[i].size() - common.size());
    }
    return sum / static_cast<double>(a.size());
}

}  // namespace xlrm
