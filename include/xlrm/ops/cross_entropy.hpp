#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace xlrm {

struct CrossEntropyResult {
    //! [2] fp64: the sum over counted rows of weight_i · -log softmax(logits)[target] (fp32 logits), and that of their weights.
    at::Tensor sums;
    at::Tensor log_probs;   //!< [T] fp32 (fp64) log-probability of each target; 0 where not counted
    at::Tensor statistics;  //!< [T, 3] fp64, where asked for: TokenStatistics of each row; 0 where not counted

    double loss_sum() const { return sums.select(0, 0).item<double>(); }    //!< waits for the device
    double weight_sum() const { return sums.select(0, 1).item<double>(); }  //!< likewise
};

//! What a counted row's logits say besides the loss: a row of CrossEntropyResult::statistics.
struct TokenStatistics {
    double entropy;     //!< of softmax(logits), nats
    double mean_logit;  //!< over the vocabulary
    double top;         //!< 1 where the target has the largest logit (the first of them)
};

//! Cross entropy of an LM head without materialising all logits: chunk_rows · V of them at a time.
//! hidden [T, d], weight [V, d], targets [T] int32 (-100 = not counted), row_weight [T] fp32 or undefined (= 1).
//! When dhidden [T, d] (dtype of hidden) is defined it receives grad_scale · d(loss_sum)/d(hidden), and that of the weight is
//! added to dweight [V, d] (fp32, fp64). `cap` > 0: logits pass through soft_cap first (Gemma-2), in fp32 (fp64).
CrossEntropyResult chunked_cross_entropy(const at::Tensor& hidden, const at::Tensor& weight, const at::Tensor& targets,
                                         const at::Tensor& row_weight, double grad_scale, at::Tensor dhidden, at::Tensor dweight,
                                         std::int64_t chunk_rows = 512, double cap = 0.0, bool statistics = false);

}  // namespace xlrm
