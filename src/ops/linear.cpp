#include "xlrm/ops/linear.hpp"

#include <ATen/ops/addmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "ops/aligned_buffer.hpp"
#include "ops/column_sums.hpp"
#include "ops/cpu/amx.hpp"
#include "ops/dispatch.hpp"
#include "xlrm/ops/rows.hpp"

//! MKL's switch for the calling thread, as libtorch exports it; null where libtorch was built with another BLAS.
//! (The lower-case name is the Fortran one, which takes a pointer.)
extern "C" int MKL_Set_Num_Threads_Local(int threads) __attribute__((weak));

namespace xlrm {
namespace {

//! While it lives, MKL calls of this thread plan for one thread. Told otherwise it divides the depth for two, even where only one
//! runs.
class OneMklThread {
public:
    OneMklThread() : before_(MKL_Set_Num_Threads_Local != nullptr ? MKL_Set_Num_Threads_Local(1) : 0) {}
    ~OneMklThread() {
        if (MKL_Set_Num_Threads_Local != nullptr) MKL_Set_Num_Threads_Local(before_);
    }
    OneMklThread(const OneMklThread&) = delete;
    OneMklThread& operator=(const OneMklThread&) = delete;

private:
    int before_;
};

//! The least rows of one call: with fewer, MKL's fp32 kernels sum in another order (measured for k from 64 to 4096: up to 15
//! rows).
constexpr std::int64_t kLeastRows = 16;

//! Elements of one row of a bf16 matrix tile.
constexpr std::int64_t kTileDepth = 32;

void multiply(const at::Tensor& rows, const at::Tensor& weight, const at::Tensor& bias, at::Tensor y) {
    if (bias.defined())
        at::addmm_out(y, bias, rows, weight);
    else
        at::mm_out(y, rows, weight);
}

//! Rows of one call: in bf16 a multiple of kRowBlock, otherwise at least kLeastRows.
std::int64_t rows_to_compute(const at::Tensor& x) {
    const std::int64_t rows = x.size(0);
    return x.scalar_type() == at::kBFloat16 ? (rows + kRowBlock - 1) / kRowBlock * kRowBlock : std::max(rows, kLeastRows);
}

//! The same for any number of rows: into the room behind x and y, or, where there is none, the rows that do not fill a block
//! by way of a copy padded with zero rows.
void multiply_padded(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& y) {
    const std::int64_t rows = x.size(0), wanted = rows_to_compute(x);
    if (rows == wanted) return multiply(x, weight, bias, y);
    // Where the depth does not fill its tiles, oneDNN multiplies what follows a row by zero, and what the room holds may be NaN.
    if (x.scalar_type() == at::kBFloat16 && x.size(1) % kTileDepth == 0) {
        const at::Tensor roomy_x = with_room(x, wanted), roomy_y = with_room(y, wanted);
        if (roomy_x.defined() && roomy_y.defined()) return multiply(roomy_x, weight, bias, roomy_y);
    }
    const std::int64_t block = std::min(wanted, x.scalar_type() == at::kBFloat16 ? kRowBlock : kLeastRows),
                       before = wanted - block;
    if (before > 0) multiply(x.narrow(0, 0, before), weight, bias, y.narrow(0, 0, before));
    const at::Tensor more = at::zeros({block, x.size(1)}, x.options());
    more.narrow(0, 0, rows - before).copy_(x.narrow(0, before, rows - before));
    const at::Tensor padded = at::empty({block, y.size(1)}, y.options());
    multiply(more, weight, bias, padded);
    y.narrow(0, before, rows - before).copy_(padded.narrow(0, 0, rows - before));
}

//! Calls body(begin, end) with one share of n on each thread, a multiple of kRowBlock each while they last, and then none. All
//! threads take part even so: inside a parallel region oneDNN uses the calling thread alone. Left to their own threads the
//! libraries may divide the depth, and then a row's bits depend on the number of rows.
template <class Body>
void for_shares(std::int64_t n, Body body) {
    const std::int64_t threads = at::in_parallel_region() ? 1 : at::get_num_threads();
    const std::int64_t share = ((n + threads - 1) / threads + kRowBlock - 1) / kRowBlock * kRowBlock;
    at::parallel_for(0, threads, 1, [&](std::int64_t begin, std::int64_t end) {
        const OneMklThread guard;
        for (std::int64_t i = begin; i < end; ++i)
            if (i * share < n) body(i * share, std::min(n, (i + 1) * share));
    });
}

//! x · weight + bias.
at::Tensor product(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
    at::Tensor y = empty_rows({x.size(0), weight.size(1)}, x.options());
    for_shares(x.size(0), [&](std::int64_t begin, std::int64_t end) {
        multiply_padded(x.narrow(0, begin, end - begin), weight, bias, y.narrow(0, begin, end - begin));
    });
    return y;
}

bool fits_tiles(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& dweight) {
    return x.scalar_type() == at::kBFloat16 && dweight.scalar_type() == at::kFloat && dweight.size(0) % 32 == 0 &&
           dweight.size(1) % 32 == 0 && dy.stride(1) == 1 && x.stride(1) == 1 && dweight.stride(1) == 1 && cpu::amx_available();
}

//! dweight += dy^T · x with sums in fp32 throughout; threads divide the rows of dweight.
void add_on_tiles(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& dweight) {
    const cpu::AmxWeightGradient args{
        const_data<cpu::Bf16>(dy), dy.stride(0),     const_data<cpu::Bf16>(x), x.stride(0), x.size(0), x.size(1),
        data<float>(dweight),      dweight.stride(0)};
    at::parallel_for(0, dweight.size(0) / 32, 2, [&](std::int64_t begin, std::int64_t end) {
        AlignedBuffer<cpu::Bf16> scratch(cpu::kAmxTokens * (x.size(1) + cpu::kAmxColumns));
        cpu::amx_weight_gradient(args, begin * 32, end * 32, scratch.data());
    });
}

}  // namespace

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) { return product(x, weight.t(), bias); }

at::Tensor linear_backward_input(const at::Tensor& dy, const at::Tensor& weight) { return product(dy, weight, {}); }

void linear_backward_weight(const at::Tensor& dy, const at::Tensor& x, at::Tensor dweight, at::Tensor dbias) {
    const bool same = x.scalar_type() == dweight.scalar_type();
    if (dy.size(0) > 0) {
        if (fits_tiles(dy, x, dweight)) {
            add_on_tiles(dy, x, dweight);
        } else {
            // Threads divide the rows of dweight. A bf16 product is rounded once (2^-9 of each element) and then added in fp32.
            for_shares(dweight.size(0), [&](std::int64_t begin, std::int64_t end) {
                const at::Tensor part = dweight.narrow(0, begin, end - begin);
                const at::Tensor left = dy.narrow(1, begin, end - begin).t();
                if (same)
                    part.addmm_(left, x);
                else
                    part.add_(at::mm(left, x));
            });
        }
    }
    if (dbias.defined()) add_column_sums(dy, dbias);
}

}  // namespace xlrm
