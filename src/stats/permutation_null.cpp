#include "xlrm/stats/permutation_null.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "matrix.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/random.hpp"

namespace xlrm {

PermutationNull permutation_null(double value, std::int64_t n, std::int64_t permutations, std::uint64_t seed, Alike alike,
                                 const std::function<double(std::span<const std::int64_t>)>& of_order) {
    require(permutations > 0, "a permutation null needs at least one permutation");
    const double sign = alike == Alike::large ? 1.0 : -1.0;
    std::vector<double> shuffled;
    std::int64_t hits = 0;
    std::vector<std::int64_t> order(static_cast<std::size_t>(n));
    for (std::int64_t r = 0; r < permutations; ++r) {
        Random random(seed, static_cast<std::uint64_t>(r));
        std::iota(order.begin(), order.end(), std::int64_t{0});
        for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
        shuffled.push_back(sign * of_order(order));
        hits += shuffled.back() >= sign * value ? 1 : 0;
    }
    std::sort(shuffled.begin(), shuffled.end());
    PermutationNull result;
    result.permutations = permutations;
    result.p = static_cast<double>(1 + hits) / static_cast<double>(1 + permutations);
    result.q95 = sign * shuffled[static_cast<std::size_t>(std::ceil(0.95 * static_cast<double>(permutations))) - 1];
    return result;
}

double lower_product(const at::Tensor& a, const at::Tensor& b, std::span<const std::int64_t> order) {
    matrix::require_rows(a, b, "a product of matrices of examples");
    require(a.is_contiguous() && b.is_contiguous() && a.size(0) == std::ssize(order),
            "a product of matrices of examples needs contiguous ones, and a place for each example");
    const std::int64_t n = a.size(0);
    const double *as = a.const_data_ptr<double>(), *bs = b.const_data_ptr<double>();
    double sum = 0.0;
    for (std::int64_t i = 1; i < n; ++i) {
        const double *row = as + i * n, *other = bs + order[static_cast<std::size_t>(i)] * n;
        double sums[4] = {};  // four that do not wait for one another
        std::int64_t j = 0;
        for (; j + 4 <= i; j += 4)
            for (std::int64_t lane = 0; lane < 4; ++lane)
                sums[lane] += row[j + lane] * other[order[static_cast<std::size_t>(j + lane)]];
        for (; j < i; ++j) sums[0] += row[j] * other[order[static_cast<std::size_t>(j)]];
        sum += (sums[0] + sums[1]) + (sums[2] + sums[3]);
    }
    return sum;
}

}  // namespace xlrm
