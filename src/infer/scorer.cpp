#include "xlrm/infer/scorer.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/index_select.h>

#include <algorithm>
#include <cassert>

#include "score_plan.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/profile.hpp"
#include "xlrm/infer/reward_head.hpp"
#include "xlrm/model/lm_head.hpp"
#include "xlrm/ops/memory.hpp"
#include "xlrm/ops/rows.hpp"

namespace xlrm {
namespace {

class Scoring {
public:
    Scoring(const Decoder& decoder, const ItemSet& set, std::int64_t asked, const ScoreOptions& options, const TakeRows& take)
        : decoder_(decoder),
          set_(set),
          options_(options),
          take_(take),
          has_head_(!options.log_probs && decoder.parameters().layout.contains("score.weight")) {
        if (has_head_) result_.scores.resize(static_cast<std::size_t>(asked));
        if (options.log_probs) result_.log_probs.resize(static_cast<std::size_t>(asked));
        for (const std::int64_t layer : options.layers) {
            if (layer < 0 || layer > decoder.config().layers) {
                fail("layer " + std::to_string(layer) + " does not exist (the model has layers 0 to " +
                         std::to_string(decoder.config().layers) + "); ask for others",
                     ExitCode::usage);
            }
        }
    }

    void run(const std::vector<DistinctText>& texts, const std::vector<std::size_t>& members) {
        std::vector<std::int64_t> answers;
        for (const std::size_t member : members) answers.push_back(texts[member].answer);
        Batch batch = make_batch(answers);
        const NeededRows& needed = batch.needed;
        const bool all_rows = options_.log_probs || (options_.capture_mean && is_captured(decoder_.config().layers));
        std::vector<std::span<const std::int64_t>> places;
        for (const std::size_t member : members) places.emplace_back(texts[member].places);
        const auto hook = [&](std::int64_t layer, const at::Tensor& residual) {
            if (!take_ || !is_captured(layer)) return;
            const bool trimmed = layer == decoder_.config().layers && !all_rows;
            capture(layer, residual, trimmed ? at::Tensor() : needed.rows, batch, places);
        };
        at::Tensor rows = decoder_.forward(batch.packed, all_rows ? NeededRows() : needed, nullptr, hook);
        if (options_.log_probs) store_log_probs(rows, batch, texts, members);
        if (!has_head_) return;
        if (all_rows) rows = gather_rows(rows, needed.rows);
        store_scores(rows, needed.place, texts, members);
    }

    ScoreResult take() { return std::move(result_); }

private:
    bool is_captured(std::int64_t layer) const { return std::ranges::find(options_.layers, layer) != options_.layers.end(); }

    // What one batch of texts gives to the device.
    struct Batch {
        PackedBatch packed;
        NeededRows needed;      // at which the head reads
        at::Tensor begin, end;  // [texts] int64: tokens behind the prompt
        PredictedTokens predicted;
        NeededRows predicting;  // rows of its tokens
    };
    Batch make_batch(const std::vector<std::int64_t>& answers) const {
        Batch out;
        out.packed = pack(set_, answers, options_.share_prefixes);
        out.needed = needed_rows(pooled_rows(decoder_, out.packed, set_, answers, options_.pooling));
        if (options_.capture_mean) {
            const at::TensorOptions index = at::TensorOptions().dtype(at::kLong);
            out.begin = at::empty({std::ssize(out.packed.texts)}, index);
            out.end = at::empty({std::ssize(out.packed.texts)}, index);
            for (std::size_t i = 0; i < out.packed.texts.size(); ++i) {
                out.begin.data_ptr<std::int64_t>()[i] = out.packed.texts[i].begin;
                out.end.data_ptr<std::int64_t>()[i] = out.packed.texts[i].end;
            }
        }
        if (options_.log_probs) {
            out.predicted = predicted_tokens(out.packed, set_, answers);
            out.predicting = needed_rows(out.predicted.rows);
        }
        send(decoder_.device(),
             {&out.packed.tokens, &out.packed.positions, &out.needed.rows, &out.needed.place, &out.begin, &out.end,
              &out.predicted.targets, &out.predicted.texts, &out.predicting.rows, &out.predicting.place});
        return out;
    }

    void store_log_probs(const at::Tensor& rows, const Batch& batch, const std::vector<DistinctText>& texts,
                         const std::vector<std::size_t>& members) {
        const PredictedTokens& predicted = batch.predicted;
        if (predicted.rows.empty()) return;
        const at::Tensor normed =
            gather_rows(decoder_.final_norm(gather_rows(rows, batch.predicting.rows)), batch.predicting.place);
        const at::Tensor sums = to_host(sum_by_text(predicted, lm_loss(decoder_, normed, predicted.targets, {}, {}).log_probs));
        for (std::size_t i = 0; i < members.size(); ++i) {
            for (const std::int64_t at : texts[members[i]].places)
                result_.log_probs[static_cast<std::size_t>(at)] = sums.const_data_ptr<double>()[i];
        }
    }

    void store_scores(const at::Tensor& rows, const at::Tensor& place, const std::vector<DistinctText>& texts,
                      const std::vector<std::size_t>& members) {
        const StageScope scope("score");
        const at::Tensor normed = decoder_.final_norm(options_.head_rounded ? rows : head_precision(rows));
        const at::Tensor scores = at::index_select(reward_scores(decoder_, normed, options_.head_rounded), 0, place);
        const at::Tensor values = to_host(scores.to(at::kFloat).contiguous());
        for (std::size_t i = 0; i < members.size(); ++i) {
            for (const std::int64_t at : texts[members[i]].places) {
                result_.scores[static_cast<std::size_t>(at)] = values.const_data_ptr<float>()[i];
            }
        }
    }

    void capture(std::int64_t layer, const at::Tensor& residual, const at::Tensor& rows, const Batch& batch,
                 std::span<const std::span<const std::int64_t>> places) {
        const StageScope scope("capture");
        const auto take = [&](Capture what, const at::Tensor& values) {
            take_({what, layer, to_host(values.to(at::kFloat).contiguous()), places});
        };
        if (options_.capture_last) {
            const at::Tensor pooled = rows.defined() ? gather_rows(residual, rows) : residual;
            take(Capture::last, gather_rows(pooled, batch.needed.place));
        }
        if (options_.capture_mean) take(Capture::mean, segment_mean(residual, batch.begin, batch.end));
    }

    const Decoder& decoder_;
    const ItemSet& set_;
    const ScoreOptions& options_;
    const TakeRows& take_;
    bool has_head_;
    ScoreResult result_;
};

}  // namespace

std::string capture_name(Capture capture) { return capture == Capture::last ? "last" : "mean"; }

ScoreResult score_texts(const Decoder& decoder, const ItemSet& set, std::span<const std::int64_t> answers,
                        const ScoreOptions& options, const std::function<void(std::int64_t)>& progress, const TakeRows& take) {
    const std::vector<DistinctText> texts = find_distinct(set, answers);
    Scoring scoring(decoder, set, static_cast<std::int64_t>(answers.size()), options, take);
    std::int64_t done = 0;
    for (const auto& members : plan_batches(set, texts, options)) {
        scoring.run(texts, members);
        for (const std::size_t member : members) done += static_cast<std::int64_t>(texts[member].places.size());
        if (progress) progress(done);
    }
    return scoring.take();
}

}  // namespace xlrm
