#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "xlrm/infer/beam_search.hpp"
#include "xlrm/infer/sampling.hpp"
#include "xlrm/infer/stopping.hpp"
#include "xlrm/model/decoder.hpp"
#include "xlrm/text/tokenizer.hpp"

namespace xlrm {

struct GenerationOptions {
    SamplingOptions sampling;
    StopRules stop;
    std::uint64_t seed = 0;
    std::int64_t beams = 0;  //!< 0: texts are chosen token by token; else a beam search, which takes sampling.repetition_penalty
    double length_penalty = 1.0;
    EarlyStopping early_stopping = EarlyStopping::no;
    //! Most tokens of a pass. At most half of them belong to texts that go on, so that new prompts come in beside them.
    std::int64_t token_budget = 512;
    std::int64_t cache_bytes = 0;  //!< most that keys and values may take; 0: no limit
};
//! Throws Error(usage) naming the option.
void require_valid(const GenerationOptions& options);

//! What is asked for: texts that go on from one prompt, which is computed once.
struct GenerationPrompt {
    std::string id;  //!< with `occurrence`, what a text's random numbers depend on
    std::int32_t occurrence = 0;
    std::vector<std::int32_t> tokens = {};   //!< not empty
    std::vector<std::int32_t> samples = {};  //!< indices of the texts; with beams: which of the best, from 0
    std::int64_t max_new_tokens = 0;         //!< 0: as the options say
};

struct GeneratedSample {
    std::size_t prompt = 0;   //!< index of its prompt
    std::int32_t sample = 0;  //!< its index
    std::vector<std::int32_t> tokens = {};
    std::string text = {};         //!< as GeneratedText::text
    double log_probability = 0.0;  //!< Σ over `tokens` in the model's own distribution
    FinishReason reason = FinishReason::length;
};

//! What has been done so far.
struct GenerationFigures {
    std::int64_t texts = 0, tokens = 0;  //!< finished texts, and tokens of all texts
    std::int64_t prompt_tokens = 0, passes = 0;
    std::int64_t most_texts = 0;        //!< that went on in one pass
    std::int64_t most_cache_bytes = 0;  //!< after a pass
};

struct GenerationCalls {
    std::function<void(GeneratedSample&&)> take;               //!< each text once it is finished, in whatever order
    std::function<bool(const GenerationFigures&)> go_on = {};  //!< after each pass; false: no further one
};

//! Generates the samples of all prompts. Continuous batching: a pass takes the next token of every text that goes on and, as the
//! token budget has room, the tokens of prompts that come in, in the order given, a long prompt in pieces; a text that is
//! finished leaves. A prompt comes in once the cache has room for it and a whole text, so that the cache never grows beyond
//! options.cache_bytes; further texts of it follow as there is room, before other prompts.
//!
//! A text is a function of the model, its prompt's tokens, id and occurrence, its index and the options but token_budget and
//! cache_bytes: where check_exactness finds nothing, to the bit, whatever is generated beside it.
//!
//! REQUIRES: the model has an LM head; valid options; prompts with tokens. Throws Error where cache_bytes is too small for one of
//! the prompts, naming it and what it needs; Error for logits that are NaN.
GenerationFigures generate_texts(const Decoder& decoder, const Tokenizer& tokenizer, std::span<const GenerationPrompt> prompts,
                                 const GenerationOptions& options, const GenerationCalls& calls);

//! Bytes of the weights, with those that are packed again (Decoder::pack_weights).
std::int64_t weight_bytes_of(const ModelConfig& config, at::ScalarType dtype);

//! Bytes that a pass takes beside weights and cache, about: activations of a full pass, and rows of logits. Of `texts` texts to
//! prompts of `prompt_tokens` tokens together, or fewer than a full pass holds of either.
std::int64_t pass_bytes_of(const ModelConfig& config, at::ScalarType dtype, const GenerationOptions& options,
                           std::int64_t prompt_tokens, std::int64_t texts);

}  // namespace xlrm
