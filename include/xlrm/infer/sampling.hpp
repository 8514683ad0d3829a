#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace xlrm {

//! How a token is chosen from a row of logits. What each option does, and their order (repetition penalty, temperature, top-k,
//! top-p, min-p), is transformers 5.23's (GenerationMixin._get_logits_processor, logits_process.py).
struct SamplingOptions {
    bool greedy = false;       //!< the largest logit; of temperature, top-k, top-p and min-p nothing counts then
    double temperature = 1.0;  //!< > 0; below 1 for more likely texts
    std::int64_t top_k = 0;    //!< the k most likely tokens, and those as likely as the last of them; 0 = all
    double top_p = 1.0;        //!< (0, 1]: the fewest most likely tokens with at least this probability together
    double min_p = 0.0;        //!< [0, 1]: tokens with at least this share of the most likely one's probability
    //! > 0: logits of tokens that occur in prompt or text are divided by it where positive, multiplied where negative; 1 = off.
    double repetition_penalty = 1.0;
};
//! Throws Error(usage) naming the option.
void require_valid(const SamplingOptions& options);

//! A chosen token with two logarithms of probabilities.
struct TokenChoice {
    std::int32_t token = 0;
    //! In the model's own distribution: softmax of the row as it is. Their sum over a text is log π(text | prompt).
    double log_probability = 0.0;
    //! In the distribution that was drawn from; 0 where greedy.
    double drawn_log_probability = 0.0;
};

//! Chooses tokens. What it chooses is a function of the arguments of choose() alone; the object only keeps buffers, one thread at
//! a time.
class Sampler {
public:
    //! Throws Error(usage) unless the options are valid.
    explicit Sampler(const SamplingOptions& options);

    //! `logits` [vocabulary] as the LM head gives them; `context`: ids of the prompt and of the text so far (read by the
    //! repetition penalty alone; ids beyond the vocabulary do not count); `uniform` in [0, 1) chooses by the inverse of the
    //! cumulated distribution in the order of ids. Among equal logits the lower id is the more likely one: it is what greedy
    //! takes and what top-p keeps. Throws Error for a row that is empty, holds NaN or +inf, or has no finite value.
    TokenChoice choose(std::span<const float> logits, std::span<const std::int32_t> context, double uniform);

    //! The row after all processors, −inf where a token was removed: what transformers' processors return.
    std::vector<float> processed(std::span<const float> logits, std::span<const std::int32_t> context);

private:
    std::span<const float> prepare(std::span<const float> logits, std::span<const std::int32_t> context);
    SamplingOptions options_;
    std::vector<float> row_;
    std::vector<double> sums_;
};

//! For each token of `tokens`, out[token] = the penalised logits[token]. REQUIRES: out has the size of logits, and does not
//! overlap it.
void penalize_repetition(std::span<const float> logits, std::span<const std::int32_t> tokens, double penalty,
                         std::span<float> out);

//! out = logits − log Σ exp(logits): the rows that a beam search takes. REQUIRES: out has the size of logits. Throws Error as
//! Sampler::choose does.
void log_softmax(std::span<const float> logits, std::span<float> out);

//! The random numbers of one sample: a function of seed, the prompt's id and occurrence, the sample's index and the position of
//! the token in the text, and of nothing else, so a sample is the same alone, in any batch and on any rank count. Translations of
//! a prompt, which share its id, share its numbers.
class SampleNumbers {
public:
    SampleNumbers(std::uint64_t seed, std::string_view id, std::int32_t occurrence, std::int32_t sample);
    //! In [0, 1), 53 bits.
    double uniform(std::int64_t position) const;

private:
    std::uint64_t seed_, prompt_;
    std::uint32_t sample_;
};

}  // namespace xlrm
