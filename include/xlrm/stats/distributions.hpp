#pragma once

#include <cstdint>

namespace xlrm {

//! P(Z <= x) of the standard normal distribution.
double normal_cdf(double x);
//! The x with normal_cdf(x) = p: Acklam's rational approximation and one step of Halley's method, relative error about 1e-15.
//! −∞ and ∞ at 0 and 1. Throws Error unless 0 <= p <= 1.
double normal_quantile(double p);
//! P(X >= x) of a chi-square distribution: the regularised upper incomplete gamma function Q(df/2, x/2), by its series or its
//! continued fraction (Abramowitz and Stegun 6.5.29 and 6.5.31). Throws Error unless df >= 1 and x >= 0.
double chi_square_tail(double x, std::int64_t df);
//! P(X = k) for X ~ Bin(n, 1/2).
double fair_binomial(std::int64_t k, std::int64_t n);
//! P(X <= k) for X ~ Bin(n, 1/2).
double fair_binomial_cdf(std::int64_t k, std::int64_t n);

}  // namespace xlrm
