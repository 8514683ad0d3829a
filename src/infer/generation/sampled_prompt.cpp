#include <ATen/Parallel.h>

#include <cassert>
#include <memory>
#include <optional>

#include "generation/running_prompt.hpp"

namespace xlrm {

StopRules rules_of(const GenerationOptions& options, const GenerationPrompt& prompt) {
    StopRules rules = options.stop;
    if (prompt.max_new_tokens > 0) rules.max_new_tokens = prompt.max_new_tokens;
    return rules;
}

namespace {

// Texts that are independent of one another.
class SampledPrompt final : public RunningPrompt {
public:
    SampledPrompt(GenerationContext& context, const GenerationPrompt& prompt, std::size_t index)
        : context_(context), prompt_(prompt), index_(index), rules_(rules_of(context.options, prompt)) {
        sequence_ = context.cache.add();
    }

    std::int64_t waiting() const override { return static_cast<std::int64_t>(prompt_.samples.size() - allowed_); }
    std::int64_t texts() const override { return static_cast<std::int64_t>(allowed_ - finished_); }

    void allow(std::int64_t count) override {
        allowed_ += static_cast<std::size_t>(count);
        assert(allowed_ <= prompt_.samples.size());
        if (!first_.empty()) start();
    }

    void begin(std::span<const float> logits) override {
        first_.assign(logits.begin(), logits.end());
        start();
    }

    void read(std::size_t index, std::span<const float> logits, Sampler& sampler) override {
        choose(*texts_[index], logits, sampler);
    }

    void advance() override {
        std::vector<std::unique_ptr<Text>> going_on;
        next_.clear();
        for (std::unique_ptr<Text>& text : texts_) {
            if (text->end) {
                finish(*text);
                continue;
            }
            next_.push_back({text->sequence, text->generated.tokens().back()});
            going_on.push_back(std::move(text));
        }
        texts_ = std::move(going_on);
    }

private:
    struct Text {
        Text(const SampledPrompt& of, std::int32_t which, std::int64_t keys)
            : sample(which),
              sequence(keys),
              numbers(of.context_.options.seed, of.prompt_.id, of.prompt_.occurrence, which),
              generated(of.context_.tokenizer, of.rules_) {}
        std::int32_t sample;
        std::int64_t sequence;
        SampleNumbers numbers;
        GeneratedText generated;
        std::vector<std::int32_t> seen;  // prompt and text, where the repetition penalty reads them
        double log_probability = 0.0;
        std::optional<FinishReason> end;
    };

    // Begins what is allowed; the last text takes the prompt's own sequence.
    void start() {
        const std::size_t before = texts_.size();
        for (; started_ < allowed_; ++started_) {
            const bool last = started_ + 1 == prompt_.samples.size();
            const std::int64_t keys = last ? sequence_ : context_.cache.fork(sequence_);
            texts_.push_back(std::make_unique<Text>(*this, prompt_.samples[started_], keys));
            if (context_.options.sampling.repetition_penalty != 1.0) texts_.back()->seen = prompt_.tokens;
        }
        at::parallel_for(static_cast<std::int64_t>(before), static_cast<std::int64_t>(texts_.size()), 1,
                         [&](std::int64_t from, std::int64_t to) {
                             Sampler& sampler = context_.samplers[static_cast<std::size_t>(at::get_thread_num())];
                             for (std::int64_t i = from; i < to; ++i)
                                 choose(*texts_[static_cast<std::size_t>(i)], first_, sampler);
                         });
        if (started_ == prompt_.samples.size()) std::vector<float>().swap(first_);
        advance();
    }

    void choose(Text& text, std::span<const float> logits, Sampler& sampler) const {
        const auto position = static_cast<std::int64_t>(text.generated.tokens().size());
        const TokenChoice choice = sampler.choose(logits, text.seen, text.numbers.uniform(position));
        text.log_probability += choice.log_probability;
        text.end = text.generated.push(choice.token);
        if (!text.seen.empty()) text.seen.push_back(choice.token);
    }

    void finish(const Text& text) {
        context_.cache.remove(text.sequence);
        ++finished_;
        context_.finished({index_, text.sample, text.generated.tokens(), text.generated.text(), text.log_probability, *text.end});
    }

    GenerationContext& context_;
    const GenerationPrompt& prompt_;
    const std::size_t index_;
    const StopRules rules_;
    std::vector<float> first_;  // logits behind the prompt, until every text has begun
    std::size_t allowed_ = 0, started_ = 0, finished_ = 0;
    std::vector<std::unique_ptr<Text>> texts_;
};

}  // namespace

std::unique_ptr<RunningPrompt> make_sampled_prompt(GenerationContext& context, const GenerationPrompt& prompt,
                                                   std::size_t index) {
    return std::make_unique<SampledPrompt>(context, prompt, index);
}

}  // namespace xlrm
