#include "matrix.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/linalg_qr.h>
#include <ATen/ops/linalg_svdvals.h>

#include <algorithm>
#include <iterator>

#include "xlrm/core/error.hpp"

namespace xlrm::matrix {

void require_matrix(const at::Tensor& x, const std::string& what) {
    if (!x.defined() || x.dim() != 2 || x.scalar_type() != at::kDouble || !x.device().is_cpu())
        fail(what + " needs fp64 matrices (example, feature) on the CPU");
}

void require_rows(const at::Tensor& x, const at::Tensor& y, const std::string& what) {
    require_matrix(x, what);
    require_matrix(y, what);
    if (x.size(0) != y.size(0))
        fail(what + " of " + std::to_string(x.size(0)) + " and " + std::to_string(y.size(0)) +
             " examples (row i must be the same example in both)");
}

double total(const at::Tensor& x) {
    if (x.numel() == 0) return 0.0;
    const at::Tensor rows = x.dim() < 2 ? x.contiguous() : x.reshape({x.size(0), -1}).sum(1).contiguous();
    const double* data = rows.const_data_ptr<double>();
    double sum = 0.0;
    for (std::int64_t i = 0; i < rows.numel(); ++i) sum += data[i];
    return sum;
}

double dot(const at::Tensor& x, const at::Tensor& y) { return total(x.mul(y)); }

std::vector<double> values(const at::Tensor& x) {
    const at::Tensor flat = x.contiguous();
    const double* data = flat.const_data_ptr<double>();
    return {data, data + flat.numel()};
}

at::Tensor vector(std::span<const double> values) {
    at::Tensor out = at::empty({static_cast<std::int64_t>(values.size())}, at::kDouble);
    std::copy(values.begin(), values.end(), out.mutable_data_ptr<double>());
    return out;
}

at::Tensor centred(const at::Tensor& x) { return x.sub(x.mean(0, true)); }

at::Tensor row_norms(const at::Tensor& x) { return x.mul(x).sum(1).sqrt(); }

at::Tensor unit_rows(const at::Tensor& x) {
    const at::Tensor norms = row_norms(x);
    return x.div(norms.masked_fill(norms.eq(0.0), 1.0).unsqueeze(1));
}

at::Tensor squared_distances(const at::Tensor& x) {
    const at::Tensor moved = centred(x);  // distances stay; a common offset no longer cancels
    const at::Tensor gram = moved.matmul(moved.t());
    const at::Tensor norms = gram.diagonal();
    at::Tensor distances = norms.unsqueeze(1).add(norms.unsqueeze(0)).sub(gram, 2.0).clamp_min(0.0);
    distances.fill_diagonal_(0.0);
    return distances;
}

std::vector<double> singular_values(const at::Tensor& x) { return values(at::linalg_svdvals(x)); }

at::Tensor narrowed(const at::Tensor& x) {
    if (x.size(1) <= x.size(0)) return x;
    return std::get<1>(at::linalg_qr(x.t(), "r")).t().contiguous();
}

void find_largest(std::span<const double> values, std::int64_t k, std::int64_t skip,
                  std::vector<std::pair<double, std::int64_t>>& best) {
    best.clear();
    for (std::int64_t i = 0; i < std::ssize(values); ++i) {
        const double value = values[static_cast<std::size_t>(i)];
        const bool full = std::ssize(best) == k;
        if (i == skip || (full && value <= best.back().first)) continue;
        if (full) best.pop_back();
        auto place = best.end();
        while (place != best.begin() && std::prev(place)->first < value) --place;
        best.insert(place, {value, i});
    }
}

}  // namespace xlrm::matrix
