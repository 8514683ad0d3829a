#include "ops/cpu/fill.hpp"
#include "ops/cpu/large_blocks.hpp"

namespace xlrm {
namespace {

//! Before the first tensor: libtorch frees each with the allocator that made it.
[[maybe_unused]] const bool large_blocks = install_large_blocks();

}  // namespace

const DeviceOps& cpu_ops() {
    static const DeviceOps table = [] {
        DeviceOps ops{};
        cpu::fill_adamw(ops);
        cpu::fill_attention(ops);
        cpu::fill_cross_entropy(ops);
        cpu::fill_embedding(ops);
        cpu::fill_gated_activation(ops);
        cpu::fill_gated_linear(ops);
        cpu::fill_head(ops);
        cpu::fill_linear(ops);
        cpu::fill_memory(ops);
        cpu::fill_packed_keys(ops);
        cpu::fill_packed_linear(ops);
        cpu::fill_rms_norm(ops);
        cpu::fill_rope(ops);
        cpu::fill_rows(ops);
        cpu::fill_soft_cap(ops);
        return ops;
    }();
    return table;
}

}  // namespace xlrm
