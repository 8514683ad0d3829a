#include "xlrm/stats/distributions.hpp"

#include <cmath>
#include <limits>
#include <numbers>

#include "xlrm/core/error.hpp"

namespace xlrm {

namespace {

double polynomial(std::initializer_list<double> coefficients, double x) {
    double value = 0.0;
    for (const double c : coefficients) value = value * x + c;
    return value;
}

//! REQUIRES: 0 < p <= 1/2.
double acklam(double p) {
    constexpr double low = 0.02425;
    const auto tail = [](double q) {
        return polynomial({-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00, -2.549732539343734e+00,
                           4.374664141464968e+00, 2.938163982698783e+00},
                          q) /
               polynomial({7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00, 3.754408661907416e+00, 1.0}, q);
    };
    if (p < low) return tail(std::sqrt(-2.0 * std::log(p)));
    const double q = p - 0.5;
    const double r = q * q;
    return q *
           polynomial({-3.969683028665376e+01, 2.209460984245205e+02, -2.759285104469687e+02, 1.383577518672690e+02,
                       -3.066479806614716e+01, 2.506628277459239e+00},
                      r) /
           polynomial({-5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02, 6.680131188771972e+01,
                       -1.328068155288572e+01, 1.0},
                      r);
}

}  // namespace

double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

double normal_quantile(double p) {
    require(p >= 0.0 && p <= 1.0, "a normal quantile of a share outside [0, 1]");
    if (p == 0.0) return -std::numeric_limits<double>::infinity();
    if (p == 1.0) return std::numeric_limits<double>::infinity();
    if (p > 0.5) return -normal_quantile(1.0 - p);  // the difference below would lose the digits of 1 − p
    const double x = acklam(p);
    const double error = normal_cdf(x) - p;
    const double u = error * std::sqrt(2.0 * std::numbers::pi) * std::exp(0.5 * x * x);
    return x - u / (1.0 + 0.5 * x * u);
}

double chi_square_tail(double x, std::int64_t df) {
    require(df >= 1 && x >= 0.0, "a chi-square tail needs x >= 0 and at least one degree of freedom");
    const double a = 0.5 * static_cast<double>(df);
    const double z = 0.5 * x;
    if (z == 0.0) return 1.0;
    const double scale = std::exp(a * std::log(z) - z - std::lgamma(a));
    if (z < a + 1.0) {  // series of the lower function
        double term = 1.0 / a;
        double sum = term;
        for (int k = 1; k < 10000 && term > sum * 1e-17; ++k) {
            term *= z / (a + k);
            sum += term;
        }
        return 1.0 - scale * sum;
    }
    constexpr double tiny = 1e-300;  // modified Lentz
    double b = z + 1.0 - a;
    double c = 1.0 / tiny;
    double d = 1.0 / b;
    double h = d;
    for (int k = 1; k < 10000; ++k) {
        const double an = -k * (k - a);
        b += 2.0;
        d = an * d + b;
        if (std::abs(d) < tiny) d = tiny;
        c = b + an / c;
        if (std::abs(c) < tiny) c = tiny;
        d = 1.0 / d;
        h *= d * c;
        if (std::abs(d * c - 1.0) < 1e-16) break;
    }
    return scale * h;
}

double fair_binomial(std::int64_t k, std::int64_t n) {
    if (k < 0 || k > n) return 0.0;
    const auto count = static_cast<double>(n);
    const auto hits = static_cast<double>(k);
    return std::exp(std::lgamma(count + 1.0) - std::lgamma(hits + 1.0) - std::lgamma(count - hits + 1.0) -
                    count * std::numbers::ln2);
}

double fair_binomial_cdf(std::int64_t k, std::int64_t n) {
    double sum = 0.0;
    for (std::int64_t i = 0; i <= k && i <= n; ++i) sum += fair_binomial(i, n);
    return sum < 1.0 ? sum : 1.0;
}

}  // namespace xlrm
