#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "xlrm/model/config.hpp"
#include "xlrm/model/packed_batch.hpp"
#include "xlrm/model/parameters.hpp"
#include "xlrm/ops/linear.hpp"

namespace xlrm {

//! What a forward pass keeps; the rest is computed again in the backward pass, to the same bits. `full`: every input of a
//! product. `cheap`: not the norms' outputs and gated activations (a few passes over memory). `inputs`: of each block its input
//! alone, so that the backward pass runs each block forward once more, as PyTorch's checkpointing does.
enum class Keep { full, cheap, inputs };

//! About the bytes that are kept for a token, and the most that one block needs beside them in its backward pass.
struct ActivationBytes {
    double kept, beside;
};
ActivationBytes activation_bytes(const ModelConfig& config, at::ScalarType dtype, Keep keep);

//! The elements of a gradient in the order in which Decoder::backward makes them final, from the end of the buffer on: final norm
//! and heads, the blocks from the last one on, the embedding. Together they are the whole buffer.
std::vector<Range> gradient_order(const ModelConfig& config, const ParameterLayout& layout);

//! What a forward pass keeps for the backward pass; opaque.
struct DecoderSaved;
struct DecoderSavedDeleter {
    void operator()(DecoderSaved* saved) const;
};
using DecoderSavedPtr = std::unique_ptr<DecoderSaved, DecoderSavedDeleter>;
DecoderSavedPtr make_decoder_saved(Keep keep);

//! The decoder, forward and backward written out over the ops: embedding, L blocks of (norm, q/k/v, rope, attention, output, add,
//! norm, gated MLP, add), final norm. No autograd graph. Heads are not part of it.
class Decoder {
public:
    //! `config` and `parameters` must outlive the decoder. The compute dtype is that of parameters.flat, whose content may change
    //! between calls (training).
    Decoder(const ModelConfig& config, const Parameters& parameters);
    ~Decoder();

    //! Called with the residual stream [T, d] before the final norm: layer 0 = embedding output, l = after block l. With `needed`
    //! the last layer's rows are those rows only. The tensor is valid within the call: later blocks add to it in place.
    using LayerHook = std::function<void(std::int64_t layer, const at::Tensor& residual)>;

    //! Residual stream after the last block, before the final norm: [T, d], or [N, d] for the rows `needed`, for which alone the
    //! last block is computed beyond its keys and values. The batch's tensors and theirs are on device().
    //! `saved` keeps what backward needs. `cache`: where the batch's sequences are (pack_continuations); it takes in the batch's
    //! keys, and cannot be used further if this throws. REQUIRES: not both. The bits of a row are the same with and without
    //! `needed`, `saved` and `cache`, however many tokens of its text come at a time.
    at::Tensor forward(const PackedBatch& batch, const NeededRows& needed = {}, DecoderSaved* saved = nullptr,
                       const LayerHook& hook = {}, KvCache* cache = nullptr) const;

    //! Final norm of rows [N, d]; `rstd` receives what its backward needs.
    at::Tensor final_norm(const at::Tensor& rows, at::Tensor* rstd = nullptr) const;

    //! d(rows) from d(normed rows); adds the norm weight's gradient into the flat `gradient`.
    at::Tensor final_norm_backward(const at::Tensor& dnormed, const at::Tensor& rows, const at::Tensor& rstd,
                                   at::Tensor gradient) const;

    //! Called when the elements [offset, offset + count) of the gradient are final: for each range of gradient_order, in order.
    using GradientReady = std::function<void(std::int64_t offset, std::int64_t count)>;

    //! From the gradient with respect to forward's result adds all blocks' and the embedding's gradients into the flat `gradient`
    //! (fp32; fp64 for an fp64 model) and empties `saved`. `ready` is empty while more micro-batches follow; the heads' and the
    //! final norm's gradients must be in `gradient` before, and with tied embeddings the LM head's part of the embedding's.
    void backward(const PackedBatch& batch, DecoderSaved& saved, const at::Tensor& dresidual, at::Tensor gradient,
                  const GradientReady& ready = {}) const;

    //! For weights that stay as they are over many passes of few rows (generation): packs the blocks' and the LM head's, which
    //! takes their memory again where there is something to gain. Changes no bit. REQUIRES: the model has an LM head.
    void pack_weights();
    //! The LM head's, or null.
    const PackedWeight* packed_head() const;

    //! What training keeps of a forward pass (default: full).
    void set_keep(Keep keep) { keep_ = keep; }
    Keep keep() const { return keep_; }

    //! Where it computes: where its parameters are.
    at::Device device() const { return parameters_.flat.device(); }
    const ModelConfig& config() const { return config_; }
    const Parameters& parameters() const { return parameters_; }

private:
    struct Cache;
    const ModelConfig& config_;
    const Parameters& parameters_;
    Keep keep_ = Keep::full;
    std::unique_ptr<Cache> cache_;
};

}  // namespace xlrm
