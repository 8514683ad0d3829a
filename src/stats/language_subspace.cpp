#include "xlrm/stats/language_subspace.hpp"

#include <ATen/ops/linalg_pinv.h>
#include <ATen/ops/linalg_svd.h>

#include "matrix.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm {

LanguageSubspace language_subspace(const at::Tensor& means, std::int64_t rank) {
    matrix::require_matrix(means, "a language subspace");
    if (rank < 1 || rank > means.size(0) - 1)
        fail("a language subspace of rank " + std::to_string(rank) + " from " + std::to_string(means.size(0)) +
             " languages (1 to languages − 1 can be told)");
    const at::Tensor columns = means.t();  // (d, L)
    const at::Tensor mean = columns.mean(1, true);
    const auto [u, s, vh] = at::linalg_svd(columns.sub(mean), false);
    const at::Tensor fit = mean.add(u.narrow(1, 0, rank).mul(s.narrow(0, 0, rank)).matmul(vh.narrow(0, 0, rank)));
    const at::Tensor normal = at::linalg_pinv(fit).sum(0);  // M̂⁺ᵀ 1
    const at::Tensor common = normal.div(matrix::dot(normal, normal));
    const auto [basis, s2, vh2] = at::linalg_svd(fit.sub(common.unsqueeze(1)), false);
    return {common, basis.narrow(1, 0, rank).contiguous()};
}

at::Tensor without_subspace(const at::Tensor& x, const at::Tensor& basis) {
    matrix::require_matrix(x, "a projection");
    return x.sub(x.matmul(basis).matmul(basis.t()));
}

Estimate subspace_overlap(const at::Tensor& a, const at::Tensor& b, std::int64_t k) {
    matrix::require_matrix(a, "a subspace overlap");
    matrix::require_matrix(b, "a subspace overlap");
    require(a.size(1) == b.size(1) && k > 0, "a subspace overlap needs equal numbers of features, and k > 0");
    const auto directions = [k](const at::Tensor& x) {
        return std::get<2>(at::linalg_svd(matrix::centred(x), false)).narrow(0, 0, k);
    };
    for (const at::Tensor& x : {a, b})
        if (x.size(0) - 1 < k || x.size(1) < k) return Undefined::not_identified;
    const at::Tensor cosines = directions(a).matmul(directions(b).t());
    return matrix::dot(cosines, cosines) / static_cast<double>(k);
}

}  // namespace xlrm
