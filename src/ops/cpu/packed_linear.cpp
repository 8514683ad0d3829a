#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstring>

#include "ops/cpu/aligned_buffer.hpp"
#include "ops/cpu/dispatch.hpp"
#include "ops/cpu/fill.hpp"
#include "ops/cpu/huge_memory.hpp"
#include "ops/cpu/kernels.hpp"
#include "ops/cpu/row_blocks.hpp"
#include "ops/cpu/row_product.hpp"
#include "ops/cpu/shares.hpp"
#include "xlrm/core/random.hpp"
#include "xlrm/ops/linear.hpp"

namespace xlrm::cpu {
namespace {

template <class T>
struct Panels final : PackedWeight {
    Panels(std::int64_t rows, std::int64_t depth, const PackedProducts<T>& packed)
        : n(rows),
          k(depth),
          count((rows + packed.panel - 1) / packed.panel),
          memory(huge_memory(sizeof(Accumulate<T>) * static_cast<std::size_t>(count * packed.panel_size(depth)))) {}
    Accumulate<T>* values() const { return static_cast<Accumulate<T>*>(memory.get()); }
    std::int64_t n, k, count;
    std::shared_ptr<void> memory;
};

at::Tensor random_rows(std::int64_t rows, std::int64_t columns, const at::TensorOptions& options) {
    const at::Tensor x = at::empty({rows, columns}, options.dtype(at::kFloat));
    Random random(1);
    // Of many sizes: equal sums in another order would hide it.
    for (std::int64_t i = 0; i < x.numel(); ++i)
        x.data_ptr<float>()[i] = static_cast<float>(random.uniform() * random.uniform() * 4.0 - random.uniform());
    return x.to(c10::typeMetaToScalarType(options.dtype()));
}

bool same_bits(const at::Tensor& x, const at::Tensor& y) {
    return std::memcmp(x.const_data_ptr(), y.const_data_ptr(), static_cast<std::size_t>(x.nbytes())) == 0;
}

at::Tensor packed_linear(const at::Tensor& x, const PackedWeight& weight, const at::Tensor& bias);

//! A share of each thread, or, of a weight with many panels (an LM head), an eighth of that: a thread that is held up leaves some
//! to the others. Every task packs the rows again.
std::int64_t panels_at_a_time(std::int64_t count) {
    constexpr std::int64_t kMany = 256;
    const std::int64_t share = (count + at::get_num_threads() - 1) / at::get_num_threads();
    return std::max<std::int64_t>(1, share >= kMany ? (share + 7) / 8 : share);
}

// Where the library makes the other products, its order of sums is its own affair; for a few columns it changes with the rows.
bool equals_the_library(const at::Tensor& weight, const PackedWeight& packed) {
    if (weight.size(0) < 16) return false;
    const at::Tensor x = random_rows(kRowBlock, weight.size(1), weight.options());
    const at::Tensor bias = random_rows(1, weight.size(0), weight.options()).flatten();
    return same_bits(row_product(x, weight.t(), {}), packed_linear(x, packed, {})) &&
           same_bits(row_product(x, weight.t(), bias), packed_linear(x, packed, bias));
}

template <class T>
std::shared_ptr<const PackedWeight> pack(const at::Tensor& weight) {
    const PackedProducts<T>& packed = *packed_products<T>();
    auto panels = std::make_shared<Panels<T>>(weight.size(0), weight.size(1), packed);
    Product<T> args{};
    args.w = const_data<T>(weight), args.w_stride = weight.stride(0), args.w_transposed = true;
    args.k = weight.size(1), args.n = weight.size(0);
    at::parallel_for(0, panels->count, 1,
                     [&](std::int64_t begin, std::int64_t end) { packed.pack(args, begin, end, panels->values()); });
    return panels;
}

std::shared_ptr<const PackedWeight> pack_weight(const at::Tensor& weight) {
    std::shared_ptr<const PackedWeight> result;
    if (weight.stride(1) != 1) return result;
    dispatch(weight.scalar_type(), [&](auto type) {
        using T = decltype(type);
        if (packed_products<T>() == nullptr) return;
        const bool own = own_products<T>() != nullptr;
        // A few columns first: what depends on the depth shows in them, and takes no memory.
        const at::Tensor few = weight.narrow(0, 0, std::min<std::int64_t>(64, weight.size(0)));
        if (!own && !equals_the_library(few, *pack<T>(few))) return;
        result = pack<T>(weight);
        if (!own && !equals_the_library(weight, *result)) result = nullptr;
    });
    return result;
}

at::Tensor packed_linear(const at::Tensor& x, const PackedWeight& weight, const at::Tensor& bias) {
    at::Tensor y;
    dispatch(x.scalar_type(), [&](auto type) {
        using T = decltype(type);
        const PackedProducts<T>& packed = *packed_products<T>();
        // Only pack_weight makes such weights, and of the type of their tensor.
        const auto& panels = static_cast<const Panels<T>&>(weight);
        const at::Tensor rows = x.stride(1) == 1 ? x : x.contiguous();
        y = empty_rows({x.size(0), panels.n}, x.options());
        Product<T> args{};
        args.x = const_data<T>(rows), args.x_stride = rows.stride(0);
        args.bias = bias.defined() ? const_data<T>(bias) : nullptr;
        args.y = data<T>(y), args.y_stride = y.stride(0);
        args.rows = x.size(0), args.k = panels.k, args.n = panels.n;
        const std::int64_t share = panels_at_a_time(panels.count);
        for_tasks((panels.count + share - 1) / share, [&](std::int64_t task) {
            packed.product(args, panels.values(), task * share, std::min(panels.count, (task + 1) * share),
                           thread_scratch<char>(packed.scratch(args.k)));
        });
    });
    return y;
}

}  // namespace

void fill_packed_linear(DeviceOps& ops) {
    ops.pack_weight = pack_weight;
    ops.packed_linear = packed_linear;
}

}  // namespace xlrm::cpu
