#include "ops/cpu/row_product.hpp"

#include <ATen/ops/addmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>

#include "ops/cpu/aligned_buffer.hpp"
#include "ops/cpu/dispatch.hpp"
#include "ops/cpu/row_blocks.hpp"
#include "ops/cpu/shares.hpp"

namespace xlrm::cpu {
namespace {

//! Elements of one row of a bf16 matrix tile.
constexpr std::int64_t kTileDepth = 32;

void multiply(const at::Tensor& rows, const at::Tensor& weight, const at::Tensor& bias, at::Tensor y) {
    if (bias.defined())
        at::addmm_out(y, bias, rows, weight);
    else
        at::mm_out(y, rows, weight);
}

//! On whole blocks of rows: into the room behind x and y, or, where there is none, the rows that do not fill a block by way of a
//! copy padded with zero rows.
void multiply_padded(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& y) {
    const std::int64_t rows = x.size(0), wanted = (rows + kRowBlock - 1) / kRowBlock * kRowBlock;
    const bool bf16 = x.scalar_type() == at::kBFloat16;
    if (rows == wanted || (mkl_adds_strictly() && !bf16)) return multiply(x, weight, bias, y);
    // Where the depth does not fill its tiles, oneDNN multiplies what follows a row by zero, and what the room holds may be NaN.
    if (!bf16 || x.size(1) % kTileDepth == 0) {
        const at::Tensor roomy_x = with_room(x, wanted), roomy_y = with_room(y, wanted);
        if (roomy_x.defined() && roomy_y.defined()) return multiply(roomy_x, weight, bias, roomy_y);
    }
    const std::int64_t before = wanted - kRowBlock;
    if (before > 0) multiply(x.narrow(0, 0, before), weight, bias, y.narrow(0, 0, before));
    const at::Tensor more = at::zeros({kRowBlock, x.size(1)}, x.options());
    more.narrow(0, 0, rows - before).copy_(x.narrow(0, before, rows - before));
    const at::Tensor padded = at::empty({kRowBlock, y.size(1)}, y.options());
    multiply(more, weight, bias, padded);
    y.narrow(0, before, rows - before).copy_(padded.narrow(0, 0, rows - before));
}

template <class T>
bool fits_own(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
    return x.stride(1) == 1 && (weight.stride(0) == 1 || weight.stride(1) == 1) && (!bias.defined() || bias.is_contiguous()) &&
           own_products<T>() != nullptr;
}

//! Rows of one thread's share from which on packing all of the weight on each thread costs less than reading all rows on each.
constexpr std::int64_t kManyRows = 2048;

template <class T>
void multiply_own(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& y) {
    const bool transposed = weight.stride(0) == 1;
    const Product<T> whole{const_data<T>(x),
                           x.stride(0),
                           const_data<T>(weight),
                           weight.stride(transposed ? 1 : 0),
                           transposed,
                           bias.defined() ? const_data<T>(bias) : nullptr,
                           data<T>(y),
                           y.stride(0),
                           x.size(0),
                           x.size(1),
                           y.size(1)};
    const Products<T>& own = *own_products<T>();
    const bool by_rows = whole.rows >= kManyRows * at::get_num_threads();
    for_shares(by_rows ? whole.rows : whole.n, [&](std::int64_t begin, std::int64_t end) {
        Product<T> part = whole;
        if (by_rows) {
            part.x += begin * part.x_stride, part.y += begin * part.y_stride, part.rows = end - begin;
        } else {
            part.w += transposed ? begin * part.w_stride : begin, part.y += begin, part.n = end - begin;
            if (part.bias != nullptr) part.bias += begin;
        }
        own.product(part, thread_scratch<char>(own.scratch(part.k)));
    });
}

}  // namespace

at::Tensor row_product(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
    at::Tensor y = empty_rows({x.size(0), weight.size(1)}, x.options());
    dispatch(x.scalar_type(), [&](auto type) {
        using T = decltype(type);
        if (fits_own<T>(x, weight, bias)) return multiply_own<T>(x, weight, bias, y);
        for_shares(x.size(0), [&](std::int64_t begin, std::int64_t end) {
            multiply_padded(x.narrow(0, begin, end - begin), weight, bias, y.narrow(0, begin, end - begin));
        });
    });
    return y;
}

}  // namespace xlrm::cpu
