#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "xlrm/model/parameters.hpp"
#include "xlrm/train/options.hpp"

namespace xlrm {

std::span<float> floats(const at::Tensor& tensor);

//! AdamW over the flat buffers, decay on the tensors that the layout names.
class Optimizer {
public:
    Optimizer(const ParameterLayout& layout, const TrainOptions& options);

    //! Norm of the whole gradient.
    static double norm(const at::Tensor& gradient);
    //! Step `step` (from 1) with the rate `lr`, the gradient clipped to options.clip by its `norm` as torch.nn.utils.clip_grad_norm_
    //! does. `compute` is the bf16 copy of `weights`, or `weights` itself.
    void step(std::int64_t step, double lr, double norm, const at::Tensor& gradient, const at::Tensor& weights, const at::Tensor& compute);

    at::Tensor first, second;  //!< AdamW's moments, fp32 [total]

private:
    struct Part {
        std::int64_t begin, count;
        bool decay;
    };
    std::vector<Part> parts_;
    double beta1_, beta2_, eps_, weight_decay_, clip_;
};

}  // namespace xlrm
