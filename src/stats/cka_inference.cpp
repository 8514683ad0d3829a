// What a CKA is worth: the jackknife's error, and the values of shuffled examples.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "alignment.hpp"
#include "matrix.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/stats/cka.hpp"
#include "xlrm/stats/intervals.hpp"

namespace xlrm {

namespace {

constexpr std::int64_t kFewestItems = 4;
constexpr std::int64_t kFewestLeftOut = 5;

//! What all estimators take of two kernels with zero diagonals, by example: Σ_j K_ij L_ij, Σ_j K_ij l_j and Σ_j L_ij k_j, k and l
//! the sums of rows.
struct Crossed {
    std::vector<double> products, k_of_l, l_of_k;
    double sum = 0.0;   //!< of the products
    double rows = 0.0;  //!< Σ k_i l_i
};

//! One pass over both matrices.
Crossed cross(const CkaSide& k, const CkaSide& l) {
    const std::int64_t n = k.matrix.size(0);
    const double *kr = k.rows.data(), *lr = l.rows.data();
    Crossed all;
    for (std::int64_t i = 0; i < n; ++i) {
        const double *a = k.matrix.const_data_ptr<double>() + i * n, *b = l.matrix.const_data_ptr<double>() + i * n;
        double products[4] = {}, k_of_l[4] = {}, l_of_k[4] = {};
        const auto add = [&](std::int64_t j, std::int64_t lane) {
            products[lane] += a[j] * b[j];
            k_of_l[lane] += a[j] * lr[j];
            l_of_k[lane] += b[j] * kr[j];
        };
        std::int64_t j = 0;
        for (; j + 4 <= n; j += 4)
            for (std::int64_t lane = 0; lane < 4; ++lane) add(j + lane, lane);
        for (; j < n; ++j) add(j, 0);
        const auto sum = [](const double* lanes) { return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]); };
        all.products.push_back(sum(products));
        all.k_of_l.push_back(sum(k_of_l));
        all.l_of_k.push_back(sum(l_of_k));
        all.sum += all.products.back();
        all.rows += kr[i] * lr[i];
    }
    return all;
}

//! n(n−3) HSIC_u.
double debiased(const CkaSide& k, const CkaSide& l, const Crossed& crossed) {
    const auto n = static_cast<double>(k.rows.size());
    return crossed.sum + k.sum * l.sum / ((n - 1.0) * (n - 2.0)) - 2.0 / (n - 2.0) * crossed.rows;
}

//! n(n−3) HSIC_u without each example in turn.
std::vector<double> leave_one_out(const CkaSide& k, const CkaSide& l, const Crossed& crossed) {
    const double n = static_cast<double>(k.rows.size()) - 1.0;
    std::vector<double> values;
    for (std::size_t i = 0; i < k.rows.size(); ++i) {
        const double kr = k.rows[i], lr = l.rows[i], t = crossed.products[i];
        const double rows = crossed.rows - kr * lr - crossed.k_of_l[i] - crossed.l_of_k[i] + t;
        values.push_back(crossed.sum - 2.0 * t + (k.sum - 2.0 * kr) * (l.sum - 2.0 * lr) / ((n - 1.0) * (n - 2.0)) -
                         2.0 / (n - 2.0) * rows);
    }
    return values;
}

//! tr(K H L H) from the products off the diagonal.
double biased(const CkaSide& k, const CkaSide& l, double products) {
    const auto n = static_cast<double>(k.rows.size());
    double rows = 0.0, k_sum = 0.0, l_sum = 0.0;
    for (std::size_t i = 0; i < k.rows.size(); ++i) {
        const double kr = k.rows[i] + k.diagonal[i], lr = l.rows[i] + l.diagonal[i];
        products += k.diagonal[i] * l.diagonal[i];
        rows += kr * lr;
        k_sum += kr;
        l_sum += lr;
    }
    return products - 2.0 / n * rows + k_sum / n * (l_sum / n);
}

void require_sides(const CkaSide& k, const CkaSide& l) {
    require(k.rows.size() == l.rows.size(), "CKA needs kernels of as many examples");
}

}  // namespace

CkaSide::CkaSide(const at::Tensor& k) {
    xlrm::matrix::require_matrix(k, "HSIC");
    require(k.size(0) == k.size(1), "HSIC needs square kernel matrices (example, example)");
    diagonal = xlrm::matrix::values(k.diagonal());
    matrix = k.contiguous().clone();
    matrix.fill_diagonal_(0.0);
    rows = xlrm::matrix::values(matrix.sum(1));
    for (const double row : rows) sum += row;
    const Crossed own = cross(*this, *this);
    biased = xlrm::biased(*this, *this, own.sum);
    const auto n = static_cast<double>(rows.size());
    hsic =
        k.size(0) < kFewestItems ? Estimate(Undefined::too_few_items) : Estimate(debiased(*this, *this, own) / (n * (n - 3.0)));
    if (k.size(0) >= kFewestLeftOut) left_out = leave_one_out(*this, *this, own);
}

Estimate cka_biased(const CkaSide& k, const CkaSide& l) {
    require_sides(k, l);
    if (k.rows.size() < 2) return Undefined::too_few_items;
    return alignment(biased(k, l, matrix::dot(k.matrix, l.matrix)), k.biased, l.biased, Undefined::no_variation);
}

CkaJackknife cka_jackknife(const at::Tensor& k, const at::Tensor& l) { return cka_jackknife(CkaSide(k), CkaSide(l)); }

CkaJackknife cka_jackknife(const CkaSide& k, const CkaSide& l) {
    require_sides(k, l);
    CkaJackknife result;
    const auto without = [&](Undefined why) {
        result.standard_error = result.low = result.high = why;
        return result;
    };
    if (!k.hsic.defined()) {
        result.value = k.hsic;
        return without(k.hsic.why());
    }
    const Crossed crossed = cross(k, l);
    const auto n = static_cast<double>(k.rows.size());
    result.value = alignment(debiased(k, l, crossed) / (n * (n - 3.0)), k.hsic.value(), l.hsic.value(), Undefined::not_positive);
    if (!result.value.defined()) return without(result.value.why());
    if (k.left_out.empty()) return without(Undefined::too_few_items);
    const std::vector<double> left_out = leave_one_out(k, l, crossed);
    std::vector<double> values;
    for (std::size_t i = 0; i < left_out.size(); ++i) {
        if (k.left_out[i] <= 0.0 || l.left_out[i] <= 0.0) return without(Undefined::not_positive);
        values.push_back(left_out[i] / (std::sqrt(k.left_out[i]) * std::sqrt(l.left_out[i])));
    }
    const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
    double squares = 0.0;
    for (const double value : values) squares += (value - mean) * (value - mean);
    const double error = std::sqrt((n - 1.0) / n * squares);
    result.standard_error = error;
    result.low = result.value.value() - kZ95 * error;
    result.high = result.value.value() + kZ95 * error;
    return result;
}

namespace {

//! The null of a statistic of an order; the value is that of the order as it is, from the same sums, so that equal ones are hits.
PermutationNull null_of(std::int64_t n, std::int64_t permutations, std::uint64_t seed,
                        const std::function<double(std::span<const std::int64_t>)>& of_order) {
    std::vector<std::int64_t> same(static_cast<std::size_t>(n));
    std::iota(same.begin(), same.end(), std::int64_t{0});
    return permutation_null(of_order(same), n, permutations, seed, Alike::large, of_order);
}

//! Σ a_i b_order(i).
double product_in_order(const std::vector<double>& a, const std::vector<double>& b, std::span<const std::int64_t> order) {
    double sum = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[static_cast<std::size_t>(order[i])];
    return sum;
}

}  // namespace

PermutationNull cka_null(const at::Tensor& k, const at::Tensor& l, std::int64_t permutations, std::uint64_t seed) {
    return cka_null(CkaSide(k), CkaSide(l), permutations, seed);
}

PermutationNull cka_null(const CkaSide& k, const CkaSide& l, std::int64_t permutations, std::uint64_t seed) {
    require_sides(k, l);
    if (!k.hsic.defined()) return {k.hsic.why(), k.hsic.why(), 0};
    if (k.hsic.value() <= 0.0 || l.hsic.value() <= 0.0) return {Undefined::not_positive, Undefined::not_positive, 0};
    const auto n = static_cast<double>(k.rows.size());
    // The own terms do not change with the order, and of the cross term the sums of rows alone move.
    const double own = std::sqrt(k.hsic.value()) * std::sqrt(l.hsic.value()) * (n * (n - 3.0));
    const double sums = k.sum * l.sum / ((n - 1.0) * (n - 2.0));
    return null_of(std::ssize(k.rows), permutations, seed, [&](std::span<const std::int64_t> order) {
        const double rows = product_in_order(k.rows, l.rows, order);
        return (2.0 * lower_product(k.matrix, l.matrix, order) + sums - 2.0 / (n - 2.0) * rows) / own;
    });
}

PermutationNull cka_biased_null(const CkaSide& k, const CkaSide& l, std::int64_t permutations, std::uint64_t seed) {
    require_sides(k, l);
    require(k.biased > 0.0 && l.biased > 0.0, "a null of CKA needs kernels that vary");
    const auto n = static_cast<double>(k.rows.size());
    std::vector<double> k_rows = k.rows, l_rows = l.rows;  // with the diagonal
    for (std::size_t i = 0; i < k_rows.size(); ++i) {
        k_rows[i] += k.diagonal[i];
        l_rows[i] += l.diagonal[i];
    }
    const double sums =
        std::accumulate(k_rows.begin(), k_rows.end(), 0.0) / n * (std::accumulate(l_rows.begin(), l_rows.end(), 0.0) / n);
    const double own = std::sqrt(k.biased) * std::sqrt(l.biased);
    return null_of(std::ssize(k.rows), permutations, seed, [&](std::span<const std::int64_t> order) {
        const double products = 2.0 * lower_product(k.matrix, l.matrix, order) + product_in_order(k.diagonal, l.diagonal, order);
        return (products - 2.0 / n * product_in_order(k_rows, l_rows, order) + sums) / own;
    });
}

}  // namespace xlrm
