// What a debiased CKA is worth: the jackknife's error, and the values of shuffled examples.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "matrix.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/stats/cka.hpp"
#include "xlrm/stats/intervals.hpp"

namespace xlrm {

namespace {

constexpr std::int64_t kFewestLeftOut = 5;

//! n(n−3) HSIC_u without each example in turn, in O(n²) for all.
std::vector<double> leave_one_out(const CkaSide& k, const CkaSide& l) {
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

//! cka_debiased from what is kept of both.
Estimate alignment(const CkaSide& k, const CkaSide& l) {
    const Estimate cross = hsic_unbiased(k.matrix, l.matrix);
    if (!cross.defined()) return cross;
    if (k.hsic.value() <= 0.0 || l.hsic.value() <= 0.0) return Undefined::not_positive;
    return cross.value() / (std::sqrt(k.hsic.value()) * std::sqrt(l.hsic.value()));
}

}  // namespace

CkaSide::CkaSide(const at::Tensor& k) : matrix(k.contiguous().clone()), hsic(hsic_unbiased(k, k)) {
    matrix.fill_diagonal_(0.0);
    rows = matrix.sum(1);
    sum = xlrm::matrix::total(rows);
    if (k.size(0) >= kFewestLeftOut) left_out = leave_one_out(*this, *this);
}

CkaJackknife cka_jackknife(const at::Tensor& k, const at::Tensor& l) { return cka_jackknife(CkaSide(k), CkaSide(l)); }

CkaJackknife cka_jackknife(const CkaSide& k, const CkaSide& l) {
    CkaJackknife result;
    result.value = alignment(k, l);
    const auto without = [&](Undefined why) {
        result.standard_error = result.low = result.high = why;
        return result;
    };
    if (!result.value.defined()) return without(result.value.why());
    if (k.left_out.empty()) return without(Undefined::too_few_items);
    const std::vector<double> cross = leave_one_out(k, l);
    std::vector<double> values;
    for (std::size_t i = 0; i < cross.size(); ++i) {
        if (k.left_out[i] <= 0.0 || l.left_out[i] <= 0.0) return without(Undefined::not_positive);
        values.push_back(cross[i] / (std::sqrt(k.left_out[i]) * std::sqrt(l.left_out[i])));
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

PermutationNull cka_null(const at::Tensor& k, const at::Tensor& l, std::int64_t permutations, std::uint64_t seed) {
    return cka_null(CkaSide(k), CkaSide(l), permutations, seed);
}

PermutationNull cka_null(const CkaSide& k, const CkaSide& l, std::int64_t permutations, std::uint64_t seed) {
    const Estimate value = alignment(k, l);
    if (!value.defined()) return {value.why(), value.why(), 0};
    const auto n = static_cast<double>(k.matrix.size(0));
    // The own terms do not change with the order, and of the cross term the sums of rows alone move.
    const double own = std::sqrt(k.hsic.value()) * std::sqrt(l.hsic.value()) * (n * (n - 3.0));
    const double sums = k.sum * l.sum / ((n - 1.0) * (n - 2.0));
    const std::vector<double> kr = matrix::values(k.rows), lr = matrix::values(l.rows);
    return permutation_null(value.value(), k.matrix.size(0), permutations, seed, Alike::large,
                            [&](std::span<const std::int64_t> order) {
                                double rows = 0.0;
                                for (std::size_t i = 0; i < kr.size(); ++i)
                                    rows += kr[i] * lr[static_cast<std::size_t>(order[i])];
                                return (2.0 * lower_product(k.matrix, l.matrix, order) + sums - 2.0 / (n - 2.0) * rows) / own;
                            });
}

}  // namespace xlrm
