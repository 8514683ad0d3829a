#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "xlrm/stats/estimate.hpp"
#include "xlrm/stats/permutation_null.hpp"

namespace xlrm {

//! Centred kernel alignment of two representations of the same n examples: X (n, d_x), Y (n, d_y), fp64 on the CPU, rows in the
//! same order. Invariant to orthogonal maps, isotropic scale and translation of either (Kornblith et al. 2019). All functions
//! throw Error for matrices of unequal row counts or another type. The biased estimator grows with d/n (independent data of 2,869
//! examples and 2,048 features give 0.42), so the debiased one is what is reported; it may be below 0.

//! Unbiased HSIC of two symmetric kernel matrices (n, n), diagonals not read (Song et al. 2012, eq. 5):
//! [tr(KL) + 1'K1 1'L1 / ((n−1)(n−2)) − 2/(n−2) 1'KL1] / (n(n−3)). too_few_items below four examples.
Estimate hsic_unbiased(const at::Tensor& k, const at::Tensor& l);
//! HSIC_u(K, L) / sqrt(HSIC_u(K, K) HSIC_u(L, L)); not_positive where a denominator is not.
Estimate cka_debiased(const at::Tensor& k, const at::Tensor& l);
//! The same with the biased HSIC tr(K H L H), H the centring matrix. no_variation where a kernel is constant.
Estimate cka_biased(const at::Tensor& k, const at::Tensor& l);

//! Kernels: X X'; exp(−D/(2 t² median D)) with D the squared distances and the median over the whole matrix, its zero diagonal
//! included (the convention of google-research's demo); exp(−D/(2 σ²)).
at::Tensor linear_kernel(const at::Tensor& x);
at::Tensor rbf_kernel_median(const at::Tensor& x, double t);
//! It throws Error where the median is 0; the second gives no kernel then.
std::optional<at::Tensor> find_rbf_kernel_median(const at::Tensor& x, double t);
at::Tensor rbf_kernel(const at::Tensor& x, double sigma);

//! Linear CKA from the features, O(n d²): for n above d. Equal to that of the kernels up to rounding.
Estimate linear_cka_debiased(const at::Tensor& x, const at::Tensor& y);
Estimate linear_cka_biased(const at::Tensor& x, const at::Tensor& y);

//! What the debiased one takes of one side, for sides that are compared with many.
struct LinearCkaSide {
    explicit LinearCkaSide(const at::Tensor& x);
    at::Tensor centred;  //!< (n, d)
    at::Tensor squares;  //!< (n) squared norms of its rows
    double own = 0.0;    //!< n(n−3) HSIC_u with itself
};
Estimate linear_cka_debiased(const LinearCkaSide& x, const LinearCkaSide& y);

//! Ratio of the sums of HSIC_u over consecutive batches of `batch` examples; a last one of fewer than four is left out. An
//! approximation, for data of which no kernel matrix can be held.
Estimate linear_cka_minibatch(const at::Tensor& x, const at::Tensor& y, std::int64_t batch);

//! Debiased linear CKA of examples that come in pieces, exactly: sums of products of rows from which a fixed `shift` was
//! subtracted. Without the shift a common offset of 10⁵ in one feature destroys the result even in fp64; the first row of each
//! side does. Sums add up (merge), so pieces may be computed anywhere; adding fixed pieces in a fixed order gives the same bits.
class LinearCkaSums {
public:
    //! Throws Error unless (d_x) and (d_y) fp64 vectors.
    LinearCkaSums(at::Tensor shift_x, at::Tensor shift_y);
    void add(const at::Tensor& x, const at::Tensor& y);
    //! Throws Error for another shift.
    void merge(const LinearCkaSums& other);
    std::int64_t examples() const { return n_; }
    Estimate debiased() const;

private:
    //! n(n−3) HSIC_u from the sums of one pair of sides.
    struct Side {
        at::Tensor shift, sum, products, norm_sum_own, norm_sum_other;  //!< Σx, Σxx', Σ|x|²x, Σ|y|²x
        double norms = 0.0, squared_norms = 0.0;                        //!< Σ|x|², Σ|x|⁴
    };
    Side x_, y_;
    at::Tensor cross_;            //!< Σ x y'
    double norm_products_ = 0.0;  //!< Σ|x|²|y|²
    std::int64_t n_ = 0;
};

//! Leave-one-out values of the debiased CKA of two kernels, all in O(n²), and their jackknife standard error
//! sqrt((n−1)/n Σ (θ_i − mean)²). A bootstrap must not be used: duplicated rows break the estimator (independent data give 0.2).
struct CkaJackknife {
    Estimate value = Undefined::no_items;
    Estimate standard_error = Undefined::no_items;
    Estimate low = Undefined::no_items, high = Undefined::no_items;  //!< value ± 1.96 standard errors
};
CkaJackknife cka_jackknife(const at::Tensor& k, const at::Tensor& l);

//! A kernel with what an alignment takes of it alone, for kernels that are compared with many: a pair then takes one pass over
//! both.
struct CkaSide {
    explicit CkaSide(const at::Tensor& k);
    at::Tensor matrix;                    //!< with zero diagonal, contiguous
    std::vector<double> rows, diagonal;   //!< sums of the matrix's rows; the kernel's own diagonal
    double sum = 0.0;                     //!< of the matrix
    double biased = 0.0;                  //!< tr(K H K H)
    Estimate hsic = Undefined::no_items;  //!< HSIC_u with itself
    std::vector<double> left_out;         //!< n(n−3) HSIC_u with itself without each example; empty below five
};
Estimate cka_biased(const CkaSide& k, const CkaSide& l);
CkaJackknife cka_jackknife(const CkaSide& k, const CkaSide& l);

//! The debiased CKA of K with L's examples shuffled, `permutations` times from `seed`: what independent representations give.
PermutationNull cka_null(const at::Tensor& k, const at::Tensor& l, std::int64_t permutations, std::uint64_t seed);
PermutationNull cka_null(const CkaSide& k, const CkaSide& l, std::int64_t permutations, std::uint64_t seed);
//! The same of the biased CKA. Throws Error where one has no value.
PermutationNull cka_biased_null(const CkaSide& k, const CkaSide& l, std::int64_t permutations, std::uint64_t seed);

}  // namespace xlrm
