#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include "ops/cpu/aligned_buffer.hpp"
#include "ops/cpu/dispatch.hpp"
#include "ops/cpu/fill.hpp"
#include "ops/cpu/kernels.hpp"
#include "ops/cpu/row_blocks.hpp"
#include "xlrm/ops/linear.hpp"

namespace xlrm::cpu {
namespace {

template <class T>
struct Panels final : PackedWeight {
    Panels(std::int64_t rows, std::int64_t depth, std::int64_t panel)
        : n(rows), k(depth), count((rows + panel - 1) / panel), values(count * panel * depth) {}
    std::int64_t n, k, count;
    AlignedBuffer<Accumulate<T>> values;
};

// Null where the libraries' products are taken, or the packed form would be a wider type.
template <class T>
const PackedProducts<T>* packed_products() {
    const Products<T>* own = own_products<T>();
    return own != nullptr && own->packed.product != nullptr && sizeof(T) == sizeof(Accumulate<T>) ? &own->packed : nullptr;
}

std::shared_ptr<const PackedWeight> pack_weight(const at::Tensor& weight) {
    std::shared_ptr<const PackedWeight> result;
    if (weight.stride(1) != 1) return result;
    dispatch(weight.scalar_type(), [&](auto type) {
        using T = decltype(type);
        const PackedProducts<T>* packed = packed_products<T>();
        if (packed == nullptr) return;
        auto panels = std::make_shared<Panels<T>>(weight.size(0), weight.size(1), packed->panel);
        Product<T> args{};
        args.w = const_data<T>(weight), args.w_stride = weight.stride(0), args.w_transposed = true;
        args.k = weight.size(1), args.n = weight.size(0);
        at::parallel_for(0, panels->count, 1,
                         [&](std::int64_t begin, std::int64_t end) { packed->pack(args, begin, end, panels->values.data()); });
        result = std::move(panels);
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
