#include "xlrm/stats/gram_pairs.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "alignment.hpp"
#include "matrix.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm {

namespace {

constexpr std::int64_t kBlock = 128;   // rows of one product of a stripe
constexpr std::int64_t kEven = 32;     // rows that a stripe is a multiple of, so that stripes are of nearly one size
constexpr std::int64_t kDepth = 4096;  // entries that are summed in fp32

//! Calls step(first row, rows, place in the panel) for each block of the stripe.
template <class Step>
void for_blocks(const Stripe& stripe, const Step& step) {
    std::int64_t place = 0;
    for (std::int64_t begin = stripe.begin; begin < stripe.end; begin += kBlock) {
        const std::int64_t rows = std::min(kBlock, stripe.end - begin);
        step(begin, rows, place);
        place += rows * (begin + rows);
    }
}

//! Σ x_k² in fp64, as eight sums that vectors hold.
double squared_norm(std::span<const float> row) {
    constexpr std::size_t kLanes = 8;
    std::array<double, kLanes> sums{};
    std::size_t k = 0;
    for (; k + kLanes <= row.size(); k += kLanes)
        for (std::size_t j = 0; j < kLanes; ++j) sums[j] += static_cast<double>(row[k + j]) * row[k + j];
    double sum = 0.0;
    for (const double one : sums) sum += one;
    for (; k < row.size(); ++k) sum += static_cast<double>(row[k]) * row[k];
    return sum;
}

}  // namespace

ColumnMeans column_means(std::span<const float> values, std::int64_t n) {
    require(n > 0 && !values.empty() && std::ssize(values) % n == 0, "centring needs as many values in each row");
    const std::size_t width = values.size() / static_cast<std::size_t>(n);
    ColumnMeans means{std::vector<double>(width, 0.0), true};
    for (std::size_t begin = 0; begin < values.size(); begin += width) {
        const float* row = values.data() + begin;
        for (std::size_t k = 0; k < width; ++k) means.values[k] += row[k];
        means.constant = means.constant && std::equal(row, row + width, values.data());
    }
    for (double& mean : means.values) mean /= static_cast<double>(n);
    return means;
}

void centre_rows(std::span<const float> values, const ColumnMeans& means, bool norms, CentredRows& out) {
    const std::size_t width = means.values.size();
    require(width > 0 && values.size() % width == 0, "centring needs as many values in each row");
    const auto rows = static_cast<std::int64_t>(values.size() / width);
    if (!out.x.defined() || out.x.size(0) < rows || out.x.size(1) != std::ssize(means.values))
        out.x = at::empty({rows, std::ssize(means.values)}, at::kFloat);
    out.squared_norms.assign(norms ? static_cast<std::size_t>(rows) : 0, 0.0);
    if (means.constant) {
        out.x.zero_();
        return;
    }
    float* to = out.x.mutable_data_ptr<float>();
    for (std::size_t i = 0; i < static_cast<std::size_t>(rows); ++i) {
        const float* from = values.data() + i * width;
        float* row = to + i * width;
        for (std::size_t k = 0; k < width; ++k) row[k] = static_cast<float>(from[k] - means.values[k]);
        if (norms) out.squared_norms[i] = squared_norm({row, width});
    }
}

CentredRows centred_rows(std::span<const float> values, std::int64_t n) {
    CentredRows out;
    centre_rows(values, column_means(values, n), true, out);
    return out;
}

std::int64_t Stripe::entries() const {
    std::int64_t count = 0;
    for_blocks(*this, [&](std::int64_t first, std::int64_t rows, std::int64_t) { count += rows * (first + rows); });
    return count;
}

std::vector<Stripe> stripes(std::int64_t n, std::int64_t count) {
    require(n > 0 && count > 0, "stripes of no rows");
    std::vector<Stripe> all;
    std::int64_t begin = 0;
    for (std::int64_t s = 1; s <= count; ++s) {
        const double rows = static_cast<double>(n) * std::sqrt(static_cast<double>(s) / static_cast<double>(count));
        const std::int64_t end = s == count ? n : std::min(n, std::lround(rows / kEven) * kEven);
        if (end > begin) all.push_back({begin, end});
        begin = std::max(begin, end);
    }
    return all;
}

void fill_gram(const at::Tensor& x, const Stripe& stripe, const at::Tensor& out) {
    require(x.dim() == 2 && x.scalar_type() == at::kFloat && stripe.end <= x.size(0) && out.numel() == stripe.entries(),
            "a stripe of a Gram matrix needs fp32 rows and a panel of its size");
    for_blocks(stripe, [&](std::int64_t begin, std::int64_t rows, std::int64_t place) {
        at::Tensor block = out.narrow(0, place, rows * (begin + rows)).view({rows, begin + rows});
        at::mm_out(block, x.narrow(0, begin, rows), x.narrow(0, 0, begin + rows).t());
        block.narrow(1, begin, rows).tril_(-1);
    });
}

at::Tensor panel_products(const at::Tensor& a, const at::Tensor& b) {
    require(a.dim() == 2 && b.dim() == 2 && a.size(1) == b.size(1), "products of panels of unequal stripes");
    at::Tensor sum = at::zeros({a.size(0), b.size(0)}, at::kDouble);
    for (std::int64_t begin = 0; begin < a.size(1); begin += kDepth) {
        const std::int64_t depth = std::min(kDepth, a.size(1) - begin);
        sum.add_(at::mm(a.narrow(1, begin, depth), b.narrow(1, begin, depth).t()));
    }
    return sum;
}

double hsic_norm_terms(std::span<const double> a, std::span<const double> b) {
    const auto n = static_cast<double>(a.size());
    double sum_a = 0.0, sum_b = 0.0, products = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        sum_a += a[i];
        sum_b += b[i];
        products += a[i] * b[i];
    }
    return sum_a * sum_b / ((n - 1.0) * (n - 2.0)) - 2.0 / (n - 2.0) * products;
}

double feature_hsic(const CentredRows& x, const CentredRows& y) {
    const std::int64_t n = x.x.size(0);
    require(n == y.x.size(0), "HSIC of unequal numbers of examples");
    at::Tensor cross = at::zeros({x.x.size(1), y.x.size(1)}, at::kDouble);
    for (std::int64_t begin = 0; begin < n; begin += kDepth) {
        const std::int64_t rows = std::min(kDepth, n - begin);
        cross.add_(at::mm(x.x.narrow(0, begin, rows).t(), y.x.narrow(0, begin, rows)));
    }
    double products = 0.0;  // Σ a_i b_i, which the square of the cross product has besides the pairs of different examples
    for (std::size_t i = 0; i < x.squared_norms.size(); ++i) products += x.squared_norms[i] * y.squared_norms[i];
    return matrix::dot(cross, cross) - products + hsic_norm_terms(x.squared_norms, y.squared_norms);
}

Estimate cka_from_hsic(double xy, double xx, double yy, std::int64_t n) {
    if (n < 4) return Undefined::too_few_items;
    if (xx == 0.0 || yy == 0.0) return Undefined::no_variation;
    const Estimate value = alignment(xy, xx, yy, Undefined::not_positive);
    return value.defined() ? std::clamp(value.value(), -1.0, 1.0) : value;  // rounding alone is outside
}

}  // namespace xlrm
