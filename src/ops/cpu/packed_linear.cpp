#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <cstring>

#include "ops/cpu/aligned_buffer.hpp"
#include "ops/cpu/dispatch.hpp"
#include "ops/cpu/fill.hpp"
#include "ops/cpu/kernels.hpp"
#include "ops/cpu/row_blocks.hpp"
#include "ops/cpu/row_product.hpp"
#include "xlrm/core/random.hpp"
#include "xlrm/ops/linear.hpp"

namespace xlrm::cpu {
namespace {

template <class T>
struct Panels final : PackedWeight {
    Panels(std::int64_t rows, std::int64_t depth, const PackedProducts<T>& packed)
        : n(rows), k(depth), count((rows + packed.panel - 1) / packed.panel), values(count * packed.panel_size(depth)) {}
    std::int64_t n, k, count;
    AlignedBuffer<Accumulate<T>> values;
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

// Where the library makes the other products, its order of sums is its own affair; for a few columns it changes with the rows.
bool equals_the_library(const at::Tensor& weight, const PackedWeight& packed) {
    if (weight.size(0) < 16) return false;
    const at::Tensor x = random_rows(kRowBlock, weight.size(1), weight.options());
    const at::Tensor bias = random_rows(1, weight.size(0), weight.options()).flatten();
    return same_bits(row_product(x, weight.t(), {}), packed_linear(x, packed, {})) &&
           same_bits(row_product(x, weight.t(), bias), packed_linear(x, packed, bias));
}

std::shared_ptr<const PackedWeight> pack_weight(const at::Tensor& weight) {
    std::shared_ptr<const PackedWeight> result;
    if (weight.stride(1) != 1) return result;
    dispatch(weight.scalar_type(), [&](auto type) {
        using T = decltype(type);
        const PackedProducts<T>* packed = packed_products<T>();
        if (packed == nullptr) return;
        auto panels = std::make_shared<Panels<T>>(weight.size(0), weight.size(1), *packed);
        Product<T> args{};
        args.w = const_data<T>(weight), args.w_stride = weight.stride(0), args.w_transposed = true;
        args.k = weight.size(1), args.n = weight.size(0);
        at::parallel_for(0, panels->count, 1,
                         [&](std::int64_t begin, std::int64_t end) { packed->pack(args, begin, end, panels->values.data()); });
        if (own_products<T>() != nullptr || equals_the_library(weight, *panels)) result = std::move(panels);
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
        at::parallel_for(0, panels.count, 1, [&](std::int64_t begin, std::int64_t end) {
            packed.product(args, panels.values.data(), begin, end, thread_scratch<char>(packed.scratch(args.k)));
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
