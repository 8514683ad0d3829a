#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <sys/mman.h>

#include <cstdint>
#include <string>

#include "ops/cpu/fill.hpp"
#include "ops/cpu/row_blocks.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm::cpu {
namespace {

constexpr std::size_t kPage = std::size_t{1} << 21U;
constexpr std::size_t kLarge = 8 * kPage;  // below it, what is saved is less than what the rounding costs

at::Tensor flat_zeros(std::int64_t elements, const at::TensorOptions& options) {
    const std::size_t bytes = static_cast<std::size_t>(elements) * options.dtype().itemsize();
    if (bytes < kLarge) return at::zeros({elements}, options);
    const std::size_t whole = bytes + kPage;  // a page more, so that the buffer can begin on one
    void* mapping = ::mmap(nullptr, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED)
        fail("a buffer as large as the model, " + std::to_string(bytes) +
             " bytes, is more than the system gives; use a smaller model");
    const auto place = reinterpret_cast<std::uintptr_t>(mapping);
    void* begin = static_cast<char*>(mapping) + (kPage - place % kPage) % kPage;
    ::madvise(begin, bytes, MADV_HUGEPAGE);  // a wish: without it the pages are small
    return at::from_blob(
        begin, {elements}, [mapping, whole](void*) { ::munmap(mapping, whole); }, options);
}

at::Tensor to_host(const at::Tensor& tensor) { return tensor; }
void from_host(const at::Tensor&, const at::Tensor&) {}
void send(at::Device, const std::vector<at::Tensor*>&) {}

}  // namespace

void fill_memory(DeviceOps& ops) {
    ops.on_host = true;
    ops.flat_zeros = flat_zeros;
    ops.empty_rows = empty_rows;
    ops.to_host = to_host;
    ops.from_host = from_host;
    ops.send = send;
}

}  // namespace xlrm::cpu
