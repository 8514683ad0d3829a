#include "xlrm/stats/cka.hpp"

#include <ATen/ops/zeros.h>

#include <algorithm>

#include "alignment.hpp"
#include "matrix.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm {

namespace {

constexpr std::int64_t kFewest = 4;

void require_kernels(const at::Tensor& k, const at::Tensor& l) {
    matrix::require_rows(k, l, "HSIC");
    require(k.size(0) == k.size(1) && l.size(0) == l.size(1), "HSIC needs square kernel matrices (example, example)");
}

at::Tensor without_diagonal(const at::Tensor& k) {
    at::Tensor out = k.clone();
    out.fill_diagonal_(0.0);
    return out;
}

//! Median of a symmetric matrix with zero diagonal and no entry below 0, from the entries above the diagonal.
double median_of_symmetric(const at::Tensor& matrix) {
    const std::int64_t n = matrix.size(0);
    const at::Tensor whole = matrix.contiguous();
    const double* data = whole.const_data_ptr<double>();
    std::vector<double> above;
    above.reserve(static_cast<std::size_t>(n * (n - 1) / 2));
    for (std::int64_t i = 0; i < n; ++i) above.insert(above.end(), data + i * n + i + 1, data + (i + 1) * n);
    // In the sorted matrix the zeros of the diagonal come first, then each of these twice.
    const auto at_place = [&](std::int64_t place) {
        if (place < n) return 0.0;
        const auto middle = above.begin() + (place - n) / 2;
        std::nth_element(above.begin(), middle, above.end());
        return *middle;
    };
    return 0.5 * (at_place((n * n - 1) / 2) + at_place(n * n / 2));
}

//! n(n−3) HSIC_u of centred features from q = |Yc'Xc|², Σ a_i b_i, Σ a, Σ b with a, b the squared norms of the rows.
double feature_form(double n, double q, double ab, double a, double b) {
    return q - n / (n - 2.0) * ab + a * b / ((n - 1.0) * (n - 2.0));
}

double feature_hsic(const LinearCkaSide& x, const LinearCkaSide& y) {
    const at::Tensor cross = y.centred.t().matmul(x.centred);
    return feature_form(static_cast<double>(x.centred.size(0)), matrix::dot(cross, cross), matrix::dot(x.squares, y.squares),
                        matrix::total(x.squares), matrix::total(y.squares));
}

}  // namespace

Estimate hsic_unbiased(const at::Tensor& k, const at::Tensor& l) {
    require_kernels(k, l);
    if (k.size(0) < kFewest) return Undefined::too_few_items;
    const auto n = static_cast<double>(k.size(0));
    const at::Tensor kd = without_diagonal(k), ld = without_diagonal(l);
    const at::Tensor ks = kd.sum(1), ls = ld.sum(1);
    const double sum = matrix::dot(kd, ld) + matrix::total(ks) * matrix::total(ls) / ((n - 1.0) * (n - 2.0)) -
                       2.0 / (n - 2.0) * matrix::dot(ks, ls);
    return sum / (n * (n - 3.0));
}

Estimate cka_debiased(const at::Tensor& k, const at::Tensor& l) {
    const Estimate kl = hsic_unbiased(k, l);
    if (!kl.defined()) return kl;
    return alignment(kl.value(), hsic_unbiased(k, k).value(), hsic_unbiased(l, l).value(), Undefined::not_positive);
}

Estimate cka_biased(const at::Tensor& k, const at::Tensor& l) {
    require_kernels(k, l);
    if (k.size(0) < 2) return Undefined::too_few_items;
    const auto both = [](const at::Tensor& m) { return matrix::centred(matrix::centred(m).t()); };
    const at::Tensor kc = both(k), lc = both(l);
    return alignment(matrix::dot(kc, lc), matrix::dot(kc, kc), matrix::dot(lc, lc), Undefined::no_variation);
}

at::Tensor linear_kernel(const at::Tensor& x) {
    matrix::require_matrix(x, "a linear kernel");
    return x.matmul(x.t());
}

at::Tensor rbf_kernel(const at::Tensor& x, double sigma) {
    matrix::require_matrix(x, "an RBF kernel");
    require(sigma > 0.0, "an RBF kernel needs sigma > 0");
    return matrix::squared_distances(x).div(-2.0 * sigma * sigma).exp();
}

std::optional<at::Tensor> find_rbf_kernel_median(const at::Tensor& x, double t) {
    matrix::require_matrix(x, "an RBF kernel");
    require(t > 0.0 && x.size(0) > 0, "an RBF kernel needs t > 0 and an example");
    at::Tensor distances = matrix::squared_distances(x);
    const double median = median_of_symmetric(distances);
    if (median == 0.0) return {};
    return distances.div_(-2.0 * t * t * median).exp_();
}

at::Tensor rbf_kernel_median(const at::Tensor& x, double t) {
    const auto kernel = find_rbf_kernel_median(x, t);
    require(kernel.has_value(), "an RBF kernel needs examples that differ (their median distance is 0)");
    return *kernel;
}

LinearCkaSide::LinearCkaSide(const at::Tensor& x) {
    matrix::require_matrix(x, "CKA");
    centred = matrix::centred(x);
    squares = centred.mul(centred).sum(1);
    if (x.size(0) >= kFewest) own = feature_hsic(*this, *this);
}

Estimate linear_cka_debiased(const LinearCkaSide& x, const LinearCkaSide& y) {
    matrix::require_rows(x.centred, y.centred, "CKA");
    if (x.centred.size(0) < kFewest) return Undefined::too_few_items;
    return alignment(feature_hsic(x, y), x.own, y.own, Undefined::not_positive);
}

Estimate linear_cka_debiased(const at::Tensor& x, const at::Tensor& y) {
    matrix::require_rows(x, y, "CKA");
    return linear_cka_debiased(LinearCkaSide(x), LinearCkaSide(y));
}

Estimate linear_cka_biased(const at::Tensor& x, const at::Tensor& y) {
    matrix::require_rows(x, y, "CKA");
    if (x.size(0) < 2) return Undefined::too_few_items;
    const at::Tensor xc = matrix::centred(x), yc = matrix::centred(y);
    const auto squared = [](const at::Tensor& a, const at::Tensor& b) {
        const at::Tensor cross = a.t().matmul(b);
        return matrix::dot(cross, cross);
    };
    return alignment(squared(yc, xc), squared(xc, xc), squared(yc, yc), Undefined::no_variation);
}

Estimate linear_cka_minibatch(const at::Tensor& x, const at::Tensor& y, std::int64_t batch) {
    matrix::require_rows(x, y, "CKA");
    require(batch >= kFewest, "minibatch CKA needs batches of at least four examples");
    double kl = 0.0, kk = 0.0, ll = 0.0;
    for (std::int64_t begin = 0; begin + kFewest <= x.size(0); begin += batch) {
        const std::int64_t size = std::min(batch, x.size(0) - begin);
        const at::Tensor k = linear_kernel(x.narrow(0, begin, size)), l = linear_kernel(y.narrow(0, begin, size));
        kl += hsic_unbiased(k, l).value();
        kk += hsic_unbiased(k, k).value();
        ll += hsic_unbiased(l, l).value();
    }
    if (x.size(0) < kFewest) return Undefined::too_few_items;
    return alignment(kl, kk, ll, Undefined::not_positive);
}

LinearCkaSums::LinearCkaSums(at::Tensor shift_x, at::Tensor shift_y) {
    const auto begin = [](Side& side, at::Tensor shift) {
        require(shift.defined() && shift.dim() == 1 && shift.scalar_type() == at::kDouble,
                "the shift of a one-pass CKA is an fp64 vector (feature)");
        const std::int64_t d = shift.size(0);
        side.shift = std::move(shift);
        side.sum = at::zeros({d}, at::kDouble);
        side.products = at::zeros({d, d}, at::kDouble);
        side.norm_sum_own = at::zeros({d}, at::kDouble);
        side.norm_sum_other = at::zeros({d}, at::kDouble);
    };
    begin(x_, std::move(shift_x));
    begin(y_, std::move(shift_y));
    cross_ = at::zeros({x_.shift.size(0), y_.shift.size(0)}, at::kDouble);
}

void LinearCkaSums::add(const at::Tensor& x, const at::Tensor& y) {
    matrix::require_rows(x, y, "CKA");
    require(x.size(1) == x_.shift.size(0) && y.size(1) == y_.shift.size(0), "one-pass CKA: rows of another number of features");
    const at::Tensor xs = x.sub(x_.shift), ys = y.sub(y_.shift);
    const at::Tensor nx = xs.mul(xs).sum(1), ny = ys.mul(ys).sum(1);
    const auto take = [](Side& side, const at::Tensor& rows, const at::Tensor& own, const at::Tensor& other) {
        side.sum.add_(rows.sum(0));
        side.products.add_(rows.t().matmul(rows));
        side.norm_sum_own.add_(rows.t().matmul(own));
        side.norm_sum_other.add_(rows.t().matmul(other));
        side.norms += matrix::total(own);
        side.squared_norms += matrix::dot(own, own);
    };
    take(x_, xs, nx, ny);
    take(y_, ys, ny, nx);
    cross_.add_(xs.t().matmul(ys));
    norm_products_ += matrix::dot(nx, ny);
    n_ += x.size(0);
}

void LinearCkaSums::merge(const LinearCkaSums& other) {
    const auto take = [](Side& side, const Side& more) {
        require(side.shift.equal(more.shift), "one-pass CKA: sums of different shifts do not add up");
        side.sum.add_(more.sum);
        side.products.add_(more.products);
        side.norm_sum_own.add_(more.norm_sum_own);
        side.norm_sum_other.add_(more.norm_sum_other);
        side.norms += more.norms;
        side.squared_norms += more.squared_norms;
    };
    take(x_, other.x_);
    take(y_, other.y_);
    cross_.add_(other.cross_);
    norm_products_ += other.norm_products_;
    n_ += other.n_;
}

Estimate LinearCkaSums::debiased() const {
    if (n_ < kFewest) return Undefined::too_few_items;
    const auto n = static_cast<double>(n_);
    // `a_by_b`: Σ |x|² y; `b_by_a`: Σ |y|² x; products of the rows' norms in `norm_products`.
    const auto hsic = [n](const Side& a, const Side& b, const at::Tensor& cross, double norm_products, const at::Tensor& a_by_b,
                          const at::Tensor& b_by_a) {
        const at::Tensor ma = a.sum.div(n), mb = b.sum.div(n);
        const double aa = matrix::dot(ma, ma), bb = matrix::dot(mb, mb);
        const at::Tensor centred = cross.sub(ma.outer(mb), n);
        const double ab = norm_products - 2.0 * matrix::dot(mb, a_by_b) - 2.0 * matrix::dot(ma, b_by_a) +
                          4.0 * matrix::dot(ma, cross.matmul(mb)) + bb * a.norms + aa * b.norms - 3.0 * n * aa * bb;
        return feature_form(n, matrix::dot(centred, centred), ab, a.norms - n * aa, b.norms - n * bb);
    };
    const double xy = hsic(x_, y_, cross_, norm_products_, y_.norm_sum_other, x_.norm_sum_other);
    const double xx = hsic(x_, x_, x_.products, x_.squared_norms, x_.norm_sum_own, x_.norm_sum_own);
    const double yy = hsic(y_, y_, y_.products, y_.squared_norms, y_.norm_sum_own, y_.norm_sum_own);
    return alignment(xy, xx, yy, Undefined::not_positive);
}

}  // namespace xlrm
