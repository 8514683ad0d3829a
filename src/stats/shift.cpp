#include "xlrm/stats/shift.hpp"

#include <cmath>
#include <vector>

#include "matrix.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/stats/averages.hpp"

namespace xlrm {

namespace {

Estimate mean_cosine(const at::Tensor& x, const at::Tensor& y) {
    const std::vector<double> nx = matrix::values(matrix::row_norms(x)), ny = matrix::values(matrix::row_norms(y)),
                              products = matrix::values(x.mul(y).sum(1));
    std::vector<double> cosines;
    for (std::size_t i = 0; i < nx.size(); ++i) {
        if (nx[i] == 0.0 || ny[i] == 0.0) return Undefined::no_variation;
        cosines.push_back(std::clamp(products[i] / nx[i] / ny[i], -1.0, 1.0));
    }
    return mean(cosines);
}

}  // namespace

Shift shift(const at::Tensor& base, const at::Tensor& model) {
    matrix::require_rows(base, model, "a shift");
    require(base.size(1) == model.size(1), "a shift of a model with other features than its base");
    Shift result;
    if (base.size(0) == 0) return result;
    const at::Tensor difference = model.sub(base);
    result.cosine = mean_cosine(base, model);
    result.centred_cosine = mean_cosine(matrix::centred(base), matrix::centred(model));
    const std::vector<double> before = matrix::values(matrix::row_norms(base)), after = matrix::values(matrix::row_norms(model)),
                              moved = matrix::values(matrix::row_norms(difference));
    std::vector<double> relative, norm;
    double squares = 0.0;
    bool has_zero = false;
    for (std::size_t i = 0; i < before.size(); ++i) {
        squares += moved[i] * moved[i];
        has_zero = has_zero || before[i] == 0.0 || after[i] == 0.0;
        if (has_zero) continue;
        relative.push_back(moved[i] / before[i]);
        norm.push_back(std::log(after[i] / before[i]));
    }
    result.relative = has_zero ? Estimate(Undefined::no_variation) : Estimate(median(relative));
    result.mean_relative = has_zero ? Estimate(Undefined::no_variation) : Estimate(mean(relative));
    result.norm = has_zero ? Estimate(Undefined::no_variation) : Estimate(mean(norm));
    const at::Tensor common = difference.mean(0);
    result.coherence = squares == 0.0 ? Estimate(Undefined::no_variation)
                                      : Estimate(matrix::dot(common, common) / (squares / static_cast<double>(before.size())));
    return result;
}

Estimate direction_cosine(const at::Tensor& a, const at::Tensor& b) {
    require(a.dim() == 1 && a.sizes() == b.sizes(), "a cosine of directions of unequal lengths");
    const double aa = matrix::dot(a, a), bb = matrix::dot(b, b);
    if (aa == 0.0 || bb == 0.0) return Undefined::no_variation;
    return std::clamp(matrix::dot(a, b) / std::sqrt(aa) / std::sqrt(bb), -1.0, 1.0);
}

Estimate covariance_cosine(const at::Tensor& x, const at::Tensor& w1, const at::Tensor& w2) {
    matrix::require_matrix(x, "a covariance cosine");
    if (x.size(0) < 2) return Undefined::too_few_items;
    const at::Tensor centred = matrix::centred(x);
    return direction_cosine(centred.matmul(w1), centred.matmul(w2));
}

}  // namespace xlrm
