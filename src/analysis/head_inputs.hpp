#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "state_set.hpp"

namespace xlrm {

//! A model's reward head, and the norm before it.
struct RewardHead {
    at::Tensor weight, norm;  //!< (d) fp64
    double eps = 0.0;

    //! What the head reads of states (n, d) before the final norm: h / sqrt(mean h² + eps) · norm.
    at::Tensor inputs(const at::Tensor& states) const;
};
//! Of a model's cell in one target; none where the cell has none or one of another width.
std::optional<RewardHead> reward_head(const StateSet& set, std::size_t model, std::size_t target, std::int64_t features);

}  // namespace xlrm
