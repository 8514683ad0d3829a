#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace xlrm {

struct CrossEntropyResult {
    double loss_sum = 0.0;    //!< sum over counted rows of weight_i · -log softmax(logits)[target]; fp32 logits, fp64 sum
    double weight_sum = 0.0;  //!< sum of the weights of counted rows
    at::Tensor log_probs;     //!< [T] fp32 (fp64) log-probability of each target; 0 where not counted
};

//! What a counted row's logits say besides the loss.
struct TokenStatistics {
    double entropy = 0.0;  //!< of softmax(logits), nats
    double mean_logit = 0.0;
    bool top = false;  //!< the target has the largest logit (the first of them)
};

//! Cross entropy of an LM head without materialising all logits: chunk_rows · V of them at a time.
//! hidden [T, d], weight [V, d], targets [T] int32 (-100 = not counted), row_weight [T] fp32 or undefined (= 1).
//! When dhidden [T, d] (dtype of hidden) is defined it receives grad_scale · d(loss_sum)/d(hidden), and that of the weight is
//! added to dweight [V, d] (fp32, fp64). `cap` > 0: logits pass through soft_cap first (Gemma-2), in fp32 (fp64). `statistics`,
//! when given, receives one entry a row.
CrossEntropyResult chunked_cross_entropy(const at::Tensor& hidden, const at::Tensor& weight, const at::Tensor& targets,
                                         const at::Tensor& row_weight, double grad_scale, at::Tensor dhidden, at::Tensor dweight,
                                         std::int64_t chunk_rows = 512, double cap = 0.0,
                                         std::vector<TokenStatistics>* statistics = nullptr);

}  // namespace xlrm
