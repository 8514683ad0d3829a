#include "implicit_reward.hpp"

#include "xlrm/core/error.hpp"

namespace xlrm {

ImplicitReward::ImplicitReward(const ImplicitOptions& options, at::ScalarType dtype, at::Device device) : beta_(options.beta) {
    if (options.ref_model != "none") reference_ = load_model(options.ref_model, HeadKind::lm, dtype, false, kOnlyLabel, device);
}

void check_reference(const ImplicitOptions& options, const ModelConfig& policy) {
    if (options.ref_model == "none") return;
    const ModelConfig reference = read_model_config(std::filesystem::path(options.ref_model) / "config.json");
    if (reference.vocab_size != policy.vocab_size) {
        fail("--ref-model " + options.ref_model + ": its vocabulary has " + std::to_string(reference.vocab_size) +
             " tokens, the policy's " + std::to_string(policy.vocab_size) +
             " (both must read the same tokens); give the model that the policy was trained from");
    }
}

std::vector<float> ImplicitReward::rewards(const std::vector<double>& policy, const ItemSet& set,
                                           std::span<const std::int64_t> answers, const ScoreOptions& options) const {
    std::vector<double> reference(policy.size(), 0.0);
    if (reference_) {
        ScoreOptions plain = options;
        plain.layers.clear();
        reference = score_texts(Decoder(reference_->config, reference_->parameters), set, answers, plain).log_probs;
    }
    std::vector<float> rewards;
    for (std::size_t i = 0; i < policy.size(); ++i) rewards.push_back(static_cast<float>(beta_ * (policy[i] - reference[i])));
    return rewards;
}

}  // namespace xlrm
