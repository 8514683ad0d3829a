// What a debiased CKA is worth: the jackknife's error, and the values of shuffled examples.
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "matrix.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/random.hpp"
#include "xlrm/stats/cka.hpp"
#include "xlrm/stats/intervals.hpp"

namespace xlrm {

namespace {

//! A kernel with zero diagonal and its row sums.
struct Kernel {
    at::Tensor matrix, rows;
    double sum = 0.0;
    explicit Kernel(const at::Tensor& k) : matrix(k.clone()) {
        matrix.fill_diagonal_(0.0);
        rows = matrix.sum(1);
        sum = xlrm::matrix::total(rows);
    }
};

//! n(n−3) HSIC_u without each example in turn, in O(n²) for all.
std::vector<double> leave_one_out(const Kernel& k, const Kernel& l) {
    const at::Tensor products = k.matrix.mul(l.matrix).sum(1);
    const std::vector<double> t = matrix::values(products), kr = matrix::values(k.rows), lr = matrix::values(l.rows),
                              u = matrix::values(k.matrix.matmul(l.rows)), v = matrix::values(l.matrix.matmul(k.rows));
    const double trace = matrix::total(products), sums = matrix::dot(k.rows, l.rows);
    const double n = static_cast<double>(t.size()) - 1.0;
    std::vector<double> values;
    for (std::size_t i = 0; i < t.size(); ++i) {
        const double rows = sums - kr[i] * lr[i] - u[i] - v[i] + t[i];
        values.push_back(trace - 2.0 * t[i] + (k.sum - 2.0 * kr[i]) * (l.sum - 2.0 * lr[i]) / ((n - 1.0) * (n - 2.0)) -
                         2.0 / (n - 2.0) * rows);
    }
    return values;
}

}  // namespace

CkaJackknife cka_jackknife(const at::Tensor& k, const at::Tensor& l) {
    CkaJackknife result;
    result.value = cka_debiased(k, l);
    const auto without = [&](Undefined why) {
        result.standard_error = result.low = result.high = why;
        return result;
    };
    if (!result.value.defined()) return without(result.value.why());
    if (k.size(0) < 5) return without(Undefined::too_few_items);
    const Kernel kk(k), ll(l);
    const std::vector<double> cross = leave_one_out(kk, ll), own_k = leave_one_out(kk, kk), own_l = leave_one_out(ll, ll);
    std::vector<double> values;
    for (std::size_t i = 0; i < cross.size(); ++i) {
        if (own_k[i] <= 0.0 || own_l[i] <= 0.0) return without(Undefined::not_positive);
        values.push_back(cross[i] / (std::sqrt(own_k[i]) * std::sqrt(own_l[i])));
    }
    const auto n = static_cast<double>(values.size());
    const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
    double squares = 0.0;
    for (const double value : values) squares += (value - mean) * (value - mean);
    const double error = std::sqrt((n - 1.0) / n * squares);
    result.standard_error = error;
    result.low = result.value.value() - kZ95 * error;
    result.high = result.value.value() + kZ95 * error;
    return result;
}

CkaNull cka_null(const at::Tensor& k, const at::Tensor& l, std::int64_t permutations, std::uint64_t seed) {
    require(permutations > 0, "a permutation null needs at least one permutation");
    CkaNull result;
    const Estimate value = cka_debiased(k, l);
    if (!value.defined()) {
        result.p = result.q95 = value.why();
        return result;
    }
    std::vector<double> shuffled;
    std::int64_t hits = 0;
    const std::int64_t n = k.size(0);
    for (std::int64_t r = 0; r < permutations; ++r) {
        Random random(seed, static_cast<std::uint64_t>(r));
        at::Tensor order = at::empty({n}, at::kLong);
        std::int64_t* places = order.mutable_data_ptr<std::int64_t>();
        std::iota(places, places + n, std::int64_t{0});
        for (std::int64_t i = n; i > 1; --i) std::swap(places[i - 1], places[random.below(static_cast<std::uint64_t>(i))]);
        shuffled.push_back(cka_debiased(k, l.index_select(0, order).index_select(1, order)).value_or(0.0));
        hits += shuffled.back() >= value.value() ? 1 : 0;
    }
    std::sort(shuffled.begin(), shuffled.end());
    result.permutations = permutations;
    result.p = static_cast<double>(1 + hits) / static_cast<double>(1 + permutations);
    const auto place = static_cast<std::size_t>(std::ceil(0.95 * static_cast<double>(permutations))) - 1;
    result.q95 = shuffled[place];
    return result;
}

}  // namespace xlrm
