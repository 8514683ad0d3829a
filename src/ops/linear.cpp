#include "xlrm/ops/linear.hpp"

#include <ATen/ops/addmm.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "ops/column_sums.hpp"
#include "ops/dispatch.hpp"

namespace xlrm {
namespace {

//! MKL's fp32 product takes other kernels, and so gives other bits, below this many rows a thread.
constexpr std::int64_t kLeastRows = 8;

//! x itself, or x with zero rows behind it when it has too few.
at::Tensor padded(const at::Tensor& x) {
    const std::int64_t least = kLeastRows * at::get_num_threads();
    if (x.size(0) >= least || x.size(0) == 0) return x;
    at::Tensor more = at::zeros({least, x.size(1)}, x.options());
    more.narrow(0, 0, x.size(0)).copy_(x);
    return more;
}

at::Tensor product(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
    const at::Tensor rows = padded(x);
    const at::Tensor y = bias.defined() ? at::addmm(bias, rows, weight) : at::mm(rows, weight);
    return y.size(0) == x.size(0) ? y : y.narrow(0, 0, x.size(0));
}

}  // namespace

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) { return product(x, weight.t(), bias); }

at::Tensor linear_backward_input(const at::Tensor& dy, const at::Tensor& weight) { return product(dy, weight, {}); }

void linear_backward_weight(const at::Tensor& dy, const at::Tensor& x, at::Tensor dweight, at::Tensor dbias) {
    if (dy.size(0) > 0) {
        if (x.scalar_type() == dweight.scalar_type())
            dweight.addmm_(dy.t(), x);
        else
            dweight.add_(at::mm(dy.t(), x));
    }
    if (dbias.defined()) add_column_sums(dy, dbias);
}

}  // namespace xlrm
