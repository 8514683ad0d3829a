#pragma once

#include "ops/device_ops.hpp"

//! Each file's entries of the table of xlrm's own kernels.
namespace xlrm::cpu {

void fill_adamw(DeviceOps& ops);
void fill_attention(DeviceOps& ops);
void fill_cross_entropy(DeviceOps& ops);
void fill_embedding(DeviceOps& ops);
void fill_gated_activation(DeviceOps& ops);
void fill_gated_linear(DeviceOps& ops);
void fill_head(DeviceOps& ops);
void fill_linear(DeviceOps& ops);
void fill_memory(DeviceOps& ops);
void fill_packed_keys(DeviceOps& ops);
void fill_packed_linear(DeviceOps& ops);
void fill_rms_norm(DeviceOps& ops);
void fill_rope(DeviceOps& ops);
void fill_rows(DeviceOps& ops);
void fill_soft_cap(DeviceOps& ops);

}  // namespace xlrm::cpu
