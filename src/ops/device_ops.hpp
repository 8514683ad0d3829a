#pragma once

#include <memory>
#include <vector>

#include "ops/kv_pages_state.hpp"
#include "xlrm/ops/adamw.hpp"
#include "xlrm/ops/attention.hpp"
#include "xlrm/ops/cross_entropy.hpp"
#include "xlrm/ops/gated_linear.hpp"
#include "xlrm/ops/linear.hpp"
#include "xlrm/ops/rms_norm.hpp"
#include "xlrm/ops/rope.hpp"

namespace xlrm {

//! The bodies of the ops on one kind of device; contracts as in xlrm/ops/, arguments checked by the caller (calls.cpp). Each
//! folder fills a table, a file its own entries: cpu/ with xlrm's kernels, reference/ with ATen operators.
struct DeviceOps {
    at::Tensor (*linear)(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);
    std::shared_ptr<const PackedWeight> (*pack_weight)(const at::Tensor& weight);
    at::Tensor (*packed_linear)(const at::Tensor& x, const PackedWeight& weight, const at::Tensor& bias);  //!< if there are any
    at::Tensor (*linear_backward_input)(const at::Tensor& dy, const at::Tensor& weight);
    void (*linear_backward_weight)(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& dweight, const at::Tensor& dbias);

    at::Tensor (*gated_activation)(const at::Tensor& gate_up, Activation activation);
    at::Tensor (*gated_activation_backward)(const at::Tensor& dy, const at::Tensor& gate_up, Activation activation);
    at::Tensor (*gated_linear)(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, Activation activation,
                               GatedSaved* saved, bool keep_activated);
    at::Tensor (*gated_linear_backward)(const at::Tensor& dout, const at::Tensor& down, const GatedSaved& saved,
                                        Activation activation, at::Tensor* activated);

    RmsNormResult (*rms_norm)(const at::Tensor& x, const at::Tensor& weight, double eps, NormWeight kind);
    RmsNormResult (*add_rms_norm)(at::Tensor& residual, const at::Tensor& delta, const at::Tensor& weight, double eps,
                                  NormWeight kind, bool keep);
    void (*rms_norm_backward)(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& rstd,
                              NormWeight kind, const at::Tensor& dx, const at::Tensor& dweight);

    void (*rope)(const at::Tensor& x, const at::Tensor& positions, const RopeTable& table, bool inverse);

    at::Tensor (*attention)(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Segments& segments,
                            const AttentionConfig& config, AttentionSaved* saved, const KvPages* cache);
    void (*attention_backward)(const at::Tensor& dout, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                               const at::Tensor& out, const AttentionSaved& saved, const Segments& segments,
                               const AttentionConfig& config, const AttentionGrads& grads);
    //! Keys and values as `attention` reads them; `options` give dtype and device.
    std::unique_ptr<KvPages::State> (*make_keys)(const at::TensorOptions& options, std::int64_t kv_heads, std::int64_t head_dim,
                                                 std::int64_t window);

    at::Tensor (*embedding)(const at::Tensor& tokens, const at::Tensor& weight, double scale);
    void (*embedding_backward)(const at::Tensor& dy, const at::Tensor& tokens, const at::Tensor& dweight, double scale,
                               std::int32_t fixed);

    at::Tensor (*gather_rows)(const at::Tensor& x, const at::Tensor& index);
    void (*scatter_add_rows)(const at::Tensor& dy, const at::Tensor& index, const at::Tensor& dx);
    at::Tensor (*segment_mean)(const at::Tensor& x, const at::Tensor& begin, const at::Tensor& end);

    at::Tensor (*reward_head)(const at::Tensor& rows, const at::Tensor& weight, bool rounded);
    at::Tensor (*reward_head_backward)(const at::Tensor& dscores, const at::Tensor& rows, const at::Tensor& weight,
                                       const at::Tensor& dweight);

    void (*soft_cap)(const at::Tensor& x, double cap, const at::Tensor& slope);
    CrossEntropyResult (*chunked_cross_entropy)(const at::Tensor& hidden, const at::Tensor& weight, const at::Tensor& targets,
                                                const at::Tensor& row_weight, double grad_scale, const at::Tensor& dhidden,
                                                const at::Tensor& dweight, std::int64_t chunk_rows, double cap, bool statistics);

    void (*adamw)(const AdamwConfig& config, const at::Tensor& weight, const at::Tensor& first, const at::Tensor& second,
                  const at::Tensor& gradient, const at::Tensor& weight_copy);
    double (*sum_of_squares)(const at::Tensor& values);

    //! Whether the host reads and writes these tensors where they lie; then the last three do nothing.
    bool on_host;
    at::Tensor (*flat_zeros)(std::int64_t elements, const at::TensorOptions& options);
    at::Tensor (*empty_rows)(at::IntArrayRef shape, const at::TensorOptions& options);
    at::Tensor (*to_host)(const at::Tensor& tensor);
    void (*from_host)(const at::Tensor& host, const at::Tensor& to);
    void (*send)(at::Device device, const std::vector<at::Tensor*>& tensors);
};

//! xlrm's own kernels, for the processor at hand.
const DeviceOps& cpu_ops();
//! ATen operators that exist on CPU and CUDA alike: what a device runs before it has kernels of its own, and what those are
//! compared with. Bits of a row may depend on the rows beside it.
const DeviceOps& reference_ops();

//! Whether XLRM_OPS=reference asks for the reference table everywhere. Throws Error(usage) for another value than that, own or
//! "".
bool wants_reference();

//! Those of a device.
const DeviceOps& ops_for(at::Device device);
inline const DeviceOps& ops_for(const at::Tensor& tensor) { return ops_for(tensor.device()); }

//! For tests: while it lives all ops are those of `table`. Not while others compute.
class UseOps {
public:
    explicit UseOps(const DeviceOps& table);
    ~UseOps();
    UseOps(const UseOps&) = delete;
    UseOps& operator=(const UseOps&) = delete;
};

}  // namespace xlrm
