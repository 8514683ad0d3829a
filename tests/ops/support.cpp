#include "ops/support.hpp"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <cstring>
#include <random>

namespace xlrm::test {

at::Tensor normal(at::IntArrayRef shape, std::uint64_t seed, at::ScalarType dtype) {
    const at::Tensor x = at::empty(shape, at::kDouble);
    std::mt19937_64 engine(seed);
    std::normal_distribution<double> distribution;
    for (std::int64_t i = 0; i < x.numel(); ++i) x.data_ptr<double>()[i] = distribution(engine);
    return x.to(dtype);
}

at::Tensor ints(const std::vector<std::int32_t>& values) {
    at::Tensor x = at::empty({std::int64_t(values.size())}, at::kInt);
    if (!values.empty()) std::memcpy(x.data_ptr(), values.data(), values.size() * sizeof(std::int32_t));
    return x;
}

at::Tensor longs(const std::vector<std::int64_t>& values) {
    at::Tensor x = at::empty({std::int64_t(values.size())}, at::kLong);
    if (!values.empty()) std::memcpy(x.data_ptr(), values.data(), values.size() * sizeof(std::int64_t));
    return x;
}

at::Tensor zeros(at::IntArrayRef shape, at::ScalarType dtype) { return at::zeros(shape, dtype); }

double difference(const at::Tensor& actual, const at::Tensor& expected) {
    if (actual.sizes() != expected.sizes()) return INFINITY;
    const at::Tensor e = expected.to(at::kDouble);
    const double size = e.norm().item<double>();
    const double distance = (actual.to(at::kDouble) - e).norm().item<double>();
    return size > 0.0 ? distance / size : distance;
}

bool same_bits(const at::Tensor& a, const at::Tensor& b) {
    if (a.sizes() != b.sizes() || a.scalar_type() != b.scalar_type()) return false;
    const at::Tensor x = a.contiguous();
    const at::Tensor y = b.contiguous();
    return std::memcmp(x.const_data_ptr(), y.const_data_ptr(), std::size_t(x.nbytes())) == 0;
}

std::vector<at::Tensor> autograd(const std::function<at::Tensor(const std::vector<at::Tensor>&)>& f,
                                 std::vector<at::Tensor> inputs, const at::Tensor& dy) {
    for (at::Tensor& x : inputs) x = x.detach().clone().requires_grad_(true);
    f(inputs).backward(dy);
    std::vector<at::Tensor> grads;
    for (const at::Tensor& x : inputs) grads.push_back(x.grad());
    return grads;
}

double tolerance(at::ScalarType dtype) {
    if (dtype == at::kDouble) return 1e-13;
    return dtype == at::kFloat ? 2e-6 : 1e-2;
}

void with_threads(int threads, const std::function<void()>& body) {
    at::set_num_threads(threads);
    body();
    at::set_num_threads(1);
}

}  // namespace xlrm::test
