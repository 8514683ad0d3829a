#pragma once

#include <optional>
#include <vector>

#include "xlrm/eval/options.hpp"
#include "xlrm/infer/scorer.hpp"
#include "xlrm/model/model_folder.hpp"

namespace xlrm {

//! The reward that a policy is the optimum of, β·(log π(y|x) - log π₀(y|x)) (Rafailov et al. 2023, eq. 5, up to a term of x
//! alone), as DPO trains it; sums over the tokens of y, in fp64.
class ImplicitReward {
public:
    //! Loads the reference of `options`, unless that is `none`: then the reward is β·log π(y|x). REQUIRES: check_reference.
    ImplicitReward(const ImplicitOptions& options, at::ScalarType dtype, at::Device device);

    //! Turns the policy's log-probabilities of `answers` into rewards.
    std::vector<float> rewards(const std::vector<double>& policy, const ItemSet& set, std::span<const std::int64_t> answers,
                               const ScoreOptions& options) const;

    //! Content hash of the reference; empty without one.
    std::string reference_sha256() const { return reference_ ? reference_->sha256 : ""; }

private:
    double beta_;
    std::optional<LoadedModel> reference_;
};

//! Throws Error for a reference whose configuration cannot be read, or with another vocabulary than `policy`'s, whose tokens the
//! texts are.
void check_reference(const ImplicitOptions& options, const ModelConfig& policy);

}  // namespace xlrm
