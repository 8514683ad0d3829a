#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "xlrm/infer/generation.hpp"
#include "xlrm/model/kv_cache.hpp"

namespace xlrm {

//! What all prompts of a run share.
struct GenerationContext {
    const Tokenizer& tokenizer;
    const GenerationOptions& options;
    KvCache& cache;
    std::vector<Sampler>& samplers;  //!< one for each thread
    std::function<void(GeneratedSample&&)> finished;
};

//! A prompt whose texts are being made. First its tokens go into `sequence()`, then begin() gets the logits behind the last of
//! them, and from then on each pass takes a row for each of next().
class RunningPrompt {
public:
    //! The next token of a sequence.
    struct Next {
        std::int64_t sequence = -1;
        std::int32_t token = 0;
    };

    virtual ~RunningPrompt() = default;

    std::int64_t sequence() const { return sequence_; }
    const std::vector<Next>& next() const { return next_; }

    //! Texts (rows of a pass) that may still be allowed, and allows `count` of them more. Those that are allowed begin with
    //! begin() or, after it, at once.
    virtual std::int64_t waiting() const = 0;
    virtual void allow(std::int64_t count) = 0;
    //! Texts that were allowed and are not finished.
    virtual std::int64_t texts() const = 0;
    bool done() const { return waiting() == 0 && texts() == 0; }

    virtual void begin(std::span<const float> logits) = 0;
    //! Takes the logits of next()[index]. Called by several threads at a time for different rows.
    virtual void read(std::size_t index, std::span<const float> logits, Sampler& sampler) = 0;
    //! After all of next() were read: gives away what is finished, and says how each of the others goes on.
    virtual void advance() = 0;

protected:
    std::int64_t sequence_ = -1;
    std::vector<Next> next_;
};

//! `index`: of `prompt` among those of the run; `prompt` and `context` must outlive the object.
std::unique_ptr<RunningPrompt> make_sampled_prompt(GenerationContext& context, const GenerationPrompt& prompt, std::size_t index);
std::unique_ptr<RunningPrompt> make_beam_prompt(GenerationContext& context, const GenerationPrompt& prompt, std::size_t index);

//! The rules of one prompt's texts.
StopRules rules_of(const GenerationOptions& options, const GenerationPrompt& prompt);

//! Rows of logits at a time: enough that the head's weights are read once for many, few enough that they take little memory.
inline constexpr std::int64_t kLogitRows = 128;

std::int64_t step_of(const GenerationOptions& options);     //!< texts of a prompt that begin at once: all beams, or one
std::int64_t most_texts(const GenerationOptions& options);  //!< that go on in one pass

}  // namespace xlrm
