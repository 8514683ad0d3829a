#include "ops/reference/fill.hpp"

namespace xlrm {

const DeviceOps& reference_ops() {
    static const DeviceOps table = [] {
        DeviceOps ops{};
        reference::fill_adamw(ops);
        reference::fill_attention(ops);
        reference::fill_cross_entropy(ops);
        reference::fill_embedding(ops);
        reference::fill_gated_activation(ops);
        reference::fill_gated_linear(ops);
        reference::fill_head(ops);
        reference::fill_kv_rows(ops);
        reference::fill_linear(ops);
        reference::fill_memory(ops);
        reference::fill_rms_norm(ops);
        reference::fill_rope(ops);
        reference::fill_rows(ops);
        return ops;
    }();
    return table;
}

}  // namespace xlrm
