#pragma once

#include "ops/device_ops.hpp"
#include "ops/sum_type.hpp"

//! Each file's entries of the table of ATen operators.
namespace xlrm::reference {

void fill_adamw(DeviceOps& ops);
void fill_attention(DeviceOps& ops);
void fill_cross_entropy(DeviceOps& ops);
void fill_embedding(DeviceOps& ops);
void fill_gated_activation(DeviceOps& ops);
void fill_gated_linear(DeviceOps& ops);
void fill_head(DeviceOps& ops);
void fill_kv_rows(DeviceOps& ops);
void fill_linear(DeviceOps& ops);
void fill_memory(DeviceOps& ops);
void fill_rms_norm(DeviceOps& ops);
void fill_rope(DeviceOps& ops);
void fill_rows(DeviceOps& ops);

}  // namespace xlrm::reference
