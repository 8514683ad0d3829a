#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <cstring>

#include "ops/reference/fill.hpp"

namespace xlrm::reference {
namespace {

constexpr std::int64_t kAlign = 64;  // bytes: where each tensor begins in what is sent

at::Tensor flat_zeros(std::int64_t elements, const at::TensorOptions& options) { return at::zeros({elements}, options); }
at::Tensor empty_rows(at::IntArrayRef shape, const at::TensorOptions& options) { return at::empty(shape, options); }

// Copies even where the device is the CPU, so that nothing that works there relies on shared memory.
at::Tensor to_host(const at::Tensor& tensor) { return tensor.to(at::kCPU, tensor.scalar_type(), false, true); }
void from_host(const at::Tensor& host, const at::Tensor& to) { to.copy_(host); }

void send(at::Device device, const std::vector<at::Tensor*>& tensors) {
    std::vector<std::int64_t> begins;
    std::int64_t bytes = 0;
    for (const at::Tensor* const tensor : tensors) {
        begins.push_back(bytes);
        if (tensor->defined()) bytes += (static_cast<std::int64_t>(tensor->nbytes()) + kAlign - 1) / kAlign * kAlign;
    }
    const at::Tensor all = at::empty({bytes}, at::kByte);
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        if (!tensors[i]->defined()) continue;
        const at::Tensor flat = tensors[i]->contiguous();
        std::memcpy(all.data_ptr<std::uint8_t>() + begins[i], flat.const_data_ptr(), flat.nbytes());
    }
    const at::Tensor there = all.to(device, at::kByte, false, true);
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        at::Tensor& tensor = *tensors[i];
        if (!tensor.defined()) continue;
        const auto size = static_cast<std::int64_t>(tensor.nbytes());
        tensor = there.narrow(0, begins[i], size).view(tensor.scalar_type()).view(tensor.sizes());
    }
}

}  // namespace

void fill_memory(DeviceOps& ops) {
    ops.on_host = false;
    ops.flat_zeros = flat_zeros;
    ops.empty_rows = empty_rows;
    ops.to_host = to_host;
    ops.from_host = from_host;
    ops.send = send;
}

}  // namespace xlrm::reference
