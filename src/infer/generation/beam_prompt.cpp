#include <algorithm>
#include <cassert>

#include "generation/running_prompt.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

BeamOptions beam_options(const GenerationOptions& options, const StopRules& rules) {
    return {options.beams, options.length_penalty, options.early_stopping, rules.max_new_tokens,
            rules.ignore_eos ? std::vector<std::int32_t>() : rules.stop_ids};
}

// The best texts of a beam search.
class BeamPrompt final : public RunningPrompt {
public:
    BeamPrompt(GenerationContext& context, const GenerationPrompt& prompt, std::size_t index)
        : context_(context),
          prompt_(prompt),
          index_(index),
          rules_(rules_of(context.options, prompt)),
          search_(beam_options(context.options, rules_)) {
        sequence_ = context.cache.add();
        sequences_ = {sequence_};
    }

    std::int64_t waiting() const override { return allowed_ ? 0 : context_.options.beams; }
    std::int64_t texts() const override { return allowed_ && !search_.done() ? context_.options.beams : 0; }
    void allow([[maybe_unused]] std::int64_t count) override {
        assert(count == context_.options.beams);
        allowed_ = true;
    }

    void begin(std::span<const float> logits) override {
        resize(1, logits.size());
        read_row(0, logits);
        advance();
    }

    void read(std::size_t index, std::span<const float> logits, Sampler&) override { read_row(index, logits); }

    void advance() override {
        search_.step(scores_.empty() ? rows_ : scores_, rows_);
        next_.clear();
        if (search_.done()) return finish();
        follow_parents();
        const std::vector<Beam>& running = search_.running();
        for (std::size_t i = 0; i < running.size(); ++i) next_.push_back({sequences_[i], running[i].tokens.back()});
        resize(running.size(), vocabulary_);
    }

private:
    void resize(std::size_t rows, std::size_t vocabulary) {
        vocabulary_ = vocabulary;
        rows_.resize(rows * vocabulary);
        if (context_.options.sampling.repetition_penalty != 1.0) scores_.resize(rows * vocabulary);
    }

    void read_row(std::size_t index, std::span<const float> logits) {
        const auto own = std::span(rows_).subspan(index * vocabulary_, vocabulary_);
        log_softmax(logits, own);
        if (scores_.empty()) return;
        const auto penalised = std::span(scores_).subspan(index * vocabulary_, vocabulary_);
        std::ranges::copy(own, penalised.begin());
        const std::vector<std::int32_t>& text = search_.running()[index].tokens;
        for (const auto& tokens : {std::span<const std::int32_t>(prompt_.tokens), std::span<const std::int32_t>(text)})
            penalize_repetition(own, tokens, context_.options.sampling.repetition_penalty, penalised);
    }

    // The first beam that goes on from another takes over its sequence; only further ones need forks.
    void follow_parents() {
        const std::vector<std::int32_t>& parents = search_.parents();
        const bool first = sequences_.size() == 1 && parents.size() > 1;  // all beams are the prompt
        std::vector<std::int64_t> before = sequences_, after;
        std::vector<bool> taken(before.size(), false);
        const auto parent_of = [&](std::size_t i) { return first ? std::size_t{0} : static_cast<std::size_t>(parents[i]); };
        for (std::size_t p = 0; p < before.size(); ++p) {
            bool has_child = false;
            for (std::size_t i = 0; i < parents.size(); ++i) has_child = has_child || parent_of(i) == p;
            if (!has_child) context_.cache.remove(before[p]);
        }
        for (std::size_t i = 0; i < parents.size(); ++i) {
            const std::size_t p = parent_of(i);
            after.push_back(taken[p] ? context_.cache.fork(before[p]) : before[p]);
            taken[p] = true;
        }
        sequences_ = std::move(after);
    }

    void finish() {
        for (const std::int64_t sequence : sequences_) context_.cache.remove(sequence);
        sequences_.clear();
        const std::vector<Beam> best = search_.finished();
        for (const std::int32_t sample : prompt_.samples) {
            if (static_cast<std::size_t>(sample) >= best.size())
                fail("prompt '" + prompt_.id + "': the beam search finished " + std::to_string(best.size()) +
                     " texts, fewer than asked for; take more beams");
            const Beam& beam = best[static_cast<std::size_t>(sample)];
            GeneratedText text(context_.tokenizer, rules_);
            for (const std::int32_t token : beam.tokens) text.push(token);
            context_.finished({index_, sample, beam.tokens, text.text(), beam.log_probability, beam.reason});
        }
    }

    GenerationContext& context_;
    const GenerationPrompt& prompt_;
    const std::size_t index_;
    const StopRules rules_;
    BeamSearch search_;
    bool allowed_ = false;
    std::vector<std::int64_t> sequences_;  // of the running beams
    std::size_t vocabulary_ = 0;
    std::vector<float> rows_, scores_;  // [beams, vocabulary] log-softmax; and penalised, where there is a penalty
};

}  // namespace

std::unique_ptr<RunningPrompt> make_beam_prompt(GenerationContext& context, const GenerationPrompt& prompt, std::size_t index) {
    return std::make_unique<BeamPrompt>(context, prompt, index);
}

}  // namespace xlrm
