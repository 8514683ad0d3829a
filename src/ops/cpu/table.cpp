// Compiled once for each instruction set: XLRM_ISA is the name of its table, XLRM_VECTOR_BYTES the size of its registers.
#include "ops/cpu/attention_backward_kernels.hpp"
#include "ops/cpu/flat_kernels.hpp"
#include "ops/cpu/packed_product_kernels.hpp"

namespace xlrm::cpu::XLRM_ISA {

template <class T>
Kernels<T> table() {
    return {norm<T>,
            norm_backward<T>,
            rope<T>,
            gate<T>,
            gate_backward<T>,
            softmax_loss<T>,
            soft_cap<T>,
            dot<T>,
            scale<T>,
            axpy<T>,
            add<T>,
            narrow<T>,
            attention_scratch<T>,
            attention<T>,
            attention_backward_scratch<T>,
            attention_backward<T>,
            page_bytes<T>,
            put_keys<T>,
            {product_scratch<T>,
             matrix_product<T>,
             gradient_scratch<T>,
             weight_gradient<T>,
             {kPanel<T>, panel_size<T>, pack_panels<T>, packed_scratch<T>, packed_product<T>}}};
}
template Kernels<float> table<float>();
template Kernels<Bf16> table<Bf16>();
template Kernels<double> table<double>();

FlatKernels flat_table() { return {adamw, sum_of_squares}; }

}  // namespace xlrm::cpu::XLRM_ISA
