#include <ATen/Parallel.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <deque>
#include <memory>
#include <string>

#include "generation/running_prompt.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/profile.hpp"
#include "xlrm/core/progress.hpp"
#include "xlrm/infer/cache_plan.hpp"
#include "xlrm/infer/generation.hpp"
#include "xlrm/infer/generator.hpp"
#include "xlrm/ops/memory.hpp"

namespace xlrm {
namespace {

std::int64_t longest(const GenerationOptions& options, const GenerationPrompt& prompt) {
    // The last token is not fed back.
    return static_cast<std::int64_t>(prompt.tokens.size()) + rules_of(options, prompt).max_new_tokens - 1;
}

// Row `index` in fp32. bf16 is widened into `wide`, row by row as it is read: the whole would pass through memory twice more.
std::span<const float> row_of(const at::Tensor& logits, std::size_t index, std::vector<float>& wide) {
    const auto size = static_cast<std::size_t>(logits.size(1));
    if (logits.scalar_type() == at::kFloat) return {logits.const_data_ptr<float>() + index * size, size};
    wide.resize(size);
    const auto* row = static_cast<const std::uint16_t*>(logits.const_data_ptr()) + index * size;
    for (std::size_t i = 0; i < size; ++i) wide[i] = std::bit_cast<float>(std::uint32_t{row[i]} << 16U);
    return wide;
}

class Generation {
public:
    Generation(const Decoder& decoder, const Tokenizer& tokenizer, std::span<const GenerationPrompt> prompts,
               const GenerationOptions& options, const GenerationCalls& calls)
        : decoder_(decoder),
          prompts_(prompts),
          options_(options),
          calls_(calls),
          cache_(decoder.config(), decoder.parameters().flat.scalar_type(), decoder.device()),
          plan_(decoder.config(), decoder.parameters().flat.scalar_type(), options.token_budget),
          samplers_(static_cast<std::size_t>(at::get_num_threads()), Sampler(options.sampling)),
          wide_(samplers_.size()),
          context_{tokenizer, options, cache_, samplers_, [this](GeneratedSample&& sample) { take(std::move(sample)); }} {
        require_room();
    }

    GenerationFigures run() {
        for (admit(); !open_.empty(); admit()) {
            pass();
            leave();
            if (calls_.go_on && !calls_.go_on(figures_)) break;
        }
        return figures_;
    }

private:
    struct Open {
        std::unique_ptr<RunningPrompt> run;
        const GenerationPrompt* prompt;
        std::size_t read = 0;  // of its tokens
        bool is_read() const { return read == prompt->tokens.size(); }
    };
    // A row of the pass whose logits are wanted: of a text that goes on, or of a prompt's last token.
    struct Row {
        Open* open;
        std::size_t index;
        bool begins;
    };

    void take(GeneratedSample&& sample) {
        ++figures_.texts;
        figures_.tokens += static_cast<std::int64_t>(sample.tokens.size());
        calls_.take(std::move(sample));
    }

    // With `texts` of it in the making and others to begin, or none.
    std::int64_t bytes_of(const GenerationPrompt& prompt, std::int64_t texts, bool more) const {
        return plan_.bytes(static_cast<std::int64_t>(prompt.tokens.size()), longest(options_, prompt), texts, more);
    }
    std::int64_t bytes_of(const Open& open) const { return bytes_of(*open.prompt, open.run->texts(), open.run->waiting() > 0); }
    // What its first texts need.
    std::int64_t first_bytes(const GenerationPrompt& prompt) const {
        const std::int64_t step = step_of(options_);
        return bytes_of(prompt, step, options_.beams == 0 && std::ssize(prompt.samples) > step);
    }

    void require_room() const {
        if (options_.cache_bytes <= 0) return;
        for (const GenerationPrompt& prompt : prompts_) {
            const std::int64_t need = first_bytes(prompt);
            if (need <= options_.cache_bytes) continue;
            fail("prompt '" + prompt.id + "' of " + std::to_string(prompt.tokens.size()) + " tokens needs " +
                 format_bytes(static_cast<double>(need)) + " for its keys and values, and they may take " +
                 format_bytes(static_cast<double>(options_.cache_bytes)) +
                 "; raise --cache-memory, or lower --max-new-tokens or --beams");
        }
    }

    bool has_room(std::int64_t texts, std::int64_t bytes) const {
        std::int64_t all_texts = texts, all_bytes = bytes;
        for (const Open& open : open_) all_texts += open.run->texts(), all_bytes += bytes_of(open);
        return all_texts <= most_texts(options_) && (options_.cache_bytes <= 0 || all_bytes <= options_.cache_bytes);
    }

    // Further texts of open prompts before further prompts, so that each prompt that is open can be finished.
    void admit() {
        const std::int64_t step = step_of(options_);
        for (Open& open : open_) {
            if (!allow_more(open)) return;
        }
        for (; waiting_ < prompts_.size(); ++waiting_) {
            const GenerationPrompt& prompt = prompts_[waiting_];
            if (prompt.samples.empty()) continue;
            if (!has_room(step, first_bytes(prompt))) return;
            open_.push_back({options_.beams > 0 ? make_beam_prompt(context_, prompt, waiting_)
                                                : make_sampled_prompt(context_, prompt, waiting_),
                             &prompt, 0});
            if (!allow_more(open_.back())) {
                ++waiting_;
                return;
            }
        }
    }

    // Whether all of its texts are allowed.
    bool allow_more(Open& open) {
        const std::int64_t step = step_of(options_);
        const std::int64_t waiting = open.run->waiting(), texts = open.run->texts(), before = bytes_of(open);
        std::int64_t count = 0;
        const auto more_bytes = [&](std::int64_t more) { return bytes_of(*open.prompt, texts + more, waiting > more) - before; };
        while (waiting > count && has_room(count + step, more_bytes(count + step))) count += step;
        if (count > 0) open.run->allow(count);
        return open.run->waiting() == 0;
    }

    void pass() {
        std::vector<Continuation> some;
        std::vector<Row> rows;
        std::vector<std::int64_t> needed;
        std::int64_t tokens = 0;
        next_tokens_.clear();
        for (Open& open : open_) tokens += static_cast<std::int64_t>(open.run->next().size());
        next_tokens_.reserve(static_cast<std::size_t>(tokens));
        for (Open& open : open_) {
            for (std::size_t i = 0; i < open.run->next().size(); ++i) {
                next_tokens_.push_back(open.run->next()[i].token);
                needed.push_back(static_cast<std::int64_t>(some.size()));
                some.push_back({open.run->next()[i].sequence, std::span(next_tokens_).last(1)});
                rows.push_back({&open, i, false});
            }
        }
        figures_.most_texts = std::max(figures_.most_texts, tokens);
        add_pieces(tokens, some, rows, needed);
        if (some.empty()) return;  // texts of one token, which ended as they began
        compute(some, rows, needed);
        std::vector<Open*> went_on;
        for (const Row& row : rows)
            if (!row.begins && row.index == 0) went_on.push_back(row.open);
        for (Open* open : went_on) open->run->advance();
    }

    // Tokens of prompts that come in, as far as the budget has room behind `tokens`.
    void add_pieces(std::int64_t tokens, std::vector<Continuation>& some, std::vector<Row>& rows,
                    std::vector<std::int64_t>& needed) {
        const std::int64_t most = std::max(options_.token_budget, tokens + 1);  // a prompt is never left waiting for ever
        for (Open& open : open_) {
            if (open.is_read() || tokens >= most) continue;
            const auto left = static_cast<std::int64_t>(open.prompt->tokens.size() - open.read);
            const std::int64_t length = std::min(left, most - tokens);
            some.push_back(
                {open.run->sequence(), std::span(open.prompt->tokens).subspan(open.read, static_cast<std::size_t>(length))});
            open.read += static_cast<std::size_t>(length);
            tokens += length;
            figures_.prompt_tokens += length;
            if (!open.is_read()) continue;
            needed.push_back(tokens - 1);
            rows.push_back({&open, 0, true});
        }
    }

    void compute(const std::vector<Continuation>& some, const std::vector<Row>& rows, const std::vector<std::int64_t>& needed) {
        PackedBatch batch = pack_continuations(cache_, some);
        const std::int64_t any[] = {batch.physical_tokens() - 1};  // a pass of pieces alone
        NeededRows wanted = needed_rows(needed.empty() ? std::span<const std::int64_t>(any) : needed);
        send(decoder_.device(), {&batch.tokens, &batch.positions, &wanted.rows});
        const at::Tensor last = decoder_.forward(batch, wanted, nullptr, {}, &cache_);
        ++figures_.passes;
        figures_.most_cache_bytes = std::max(figures_.most_cache_bytes, cache_.bytes());
        const auto count = static_cast<std::int64_t>(rows.size());
        for (std::int64_t from = 0; from < count; from += kLogitRows) {
            const std::int64_t part = std::min(kLogitRows, count - from);
            const at::Tensor normed = decoder_.final_norm(last.narrow(0, from, part));
            read(decoder_.config().logit_soft_cap > 0 ? lm_logits(decoder_, normed) : lm_products(decoder_, normed),
                 std::span(rows).subspan(static_cast<std::size_t>(from), static_cast<std::size_t>(part)));
        }
    }

    void read(const at::Tensor& logits, std::span<const Row> rows) {
        const StageScope scope("choose tokens");
        const at::Tensor own = to_host(logits).contiguous();
        at::parallel_for(0, static_cast<std::int64_t>(rows.size()), 1, [&](std::int64_t from, std::int64_t to) {
            const auto thread = static_cast<std::size_t>(at::get_thread_num());
            for (auto i = static_cast<std::size_t>(from); i < static_cast<std::size_t>(to); ++i)
                if (!rows[i].begins) rows[i].open->run->read(rows[i].index, row_of(own, i, wide_[thread]), samplers_[thread]);
        });
        for (std::size_t i = 0; i < rows.size(); ++i)
            if (rows[i].begins) rows[i].open->run->begin(row_of(own, i, wide_.front()));
    }

    void leave() {
        std::erase_if(open_, [](const Open& open) { return open.run->done(); });
    }

    const Decoder& decoder_;
    const std::span<const GenerationPrompt> prompts_;
    const GenerationOptions& options_;
    const GenerationCalls& calls_;
    KvCache cache_;
    const CachePlan plan_;
    std::vector<Sampler> samplers_;
    std::vector<std::vector<float>> wide_;  // one for each thread, as samplers_
    GenerationContext context_;
    std::deque<Open> open_;  // in the order in which they came in
    std::size_t waiting_ = 0;
    std::vector<std::int32_t> next_tokens_;
    GenerationFigures figures_;
};

}  // namespace

GenerationFigures generate_texts(const Decoder& decoder, const Tokenizer& tokenizer, std::span<const GenerationPrompt> prompts,
                                 const GenerationOptions& options, const GenerationCalls& calls) {
    require_valid(options);
    return Generation(decoder, tokenizer, prompts, options, calls).run();
}

}  // namespace xlrm
