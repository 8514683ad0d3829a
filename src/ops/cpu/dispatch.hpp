#pragma once

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>

#include <cassert>
#include <type_traits>

#include "ops/cpu/kernels.hpp"
#include "ops/sum_type.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm {

//! Calls body(T{}) with the storage type of `dtype`: float, cpu::Bf16 or double.
template <class Body>
decltype(auto) dispatch(at::ScalarType dtype, Body&& body) {
    switch (dtype) {
        case at::kFloat:
            return body(float{});
        case at::kBFloat16:
            return body(cpu::Bf16{});
        case at::kDouble:
            return body(double{});
        default:
            fail(std::string("A tensor of type ") + c10::toString(dtype) + " was given (the ops know fp32, bf16 and fp64).");
    }
}

template <class T>
T* data(const at::Tensor& tensor) {
    return static_cast<T*>(tensor.data_ptr());
}
template <class T>
const T* const_data(const at::Tensor& tensor) {
    return static_cast<const T*>(tensor.const_data_ptr());
}

//! [T, d] or [T, H, d] as rows of d.
template <class T>
cpu::Rows<T> rows_of(const at::Tensor& x) {
    assert(x.stride(-1) == 1 || x.size(-1) == 1);
    using Plain = std::remove_const_t<T>;
    T* p;
    if constexpr (std::is_const_v<T>)
        p = const_data<Plain>(x);
    else
        p = data<Plain>(x);
    if (x.dim() == 3) return {p, x.size(1), x.stride(0), x.stride(1)};
    return {p, 1, x.stride(0), 0};
}

//! Rows a thread should get at least, so that starting it is worth while.
inline std::int64_t row_grain(std::int64_t elements_per_row) { return 1 + 8192 / (elements_per_row + 1); }

}  // namespace xlrm
