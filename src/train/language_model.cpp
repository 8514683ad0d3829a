#include <ATen/ops/empty.h>
#include <ATen/ops/zeros_like.h>

#include "xlrm/core/error.hpp"
#include "xlrm/model/lm_head.hpp"
#include "xlrm/model/packed_batch.hpp"
#include "xlrm/ops/cross_entropy.hpp"
#include "xlrm/train/objective.hpp"

namespace xlrm {
namespace {

const Answer& document(const ItemSet& set, std::int64_t item) {
    return set.answers[static_cast<std::size_t>(set.items[static_cast<std::size_t>(item)].first_answer)];
}

// The next token of each row; none at the end of a document.
at::Tensor next_tokens(const PackedBatch& batch) {
    const at::Tensor targets = at::empty({batch.physical_tokens()}, at::TensorOptions().dtype(at::kInt));
    const std::int32_t* token = batch.tokens.const_data_ptr<std::int32_t>();
    std::int32_t* target = targets.data_ptr<std::int32_t>();
    for (const PackedBatch::Text& text : batch.texts) {
        for (std::int64_t row = text.begin; row + 1 < text.end; ++row) target[row] = token[row + 1];
        target[text.end - 1] = kNotCounted;
    }
    return targets;
}

class LanguageModel final : public Objective {
public:
    std::string name() const override { return "lm"; }
    bool pairs() const override { return false; }

    void check(const ItemSet& set) const override {
        for (std::size_t i = 0; i < set.items.size(); ++i) {
            const Item& item = set.items[i];
            const Answer& text = document(set, static_cast<std::int64_t>(i));
            if (item.answers != 1 || text.prompt != 0)
                fail("item '" + item.id + "' is no document (the objective lm reads {text} rows); give such rows");
            if (text.length < 2) {
                fail("document '" + item.id + "' has " + std::to_string(text.length) +
                     " token(s), so nothing can be predicted; remove the row");
            }
        }
    }

    double item_weight(const ItemSet& set, std::int64_t item) const override { return document(set, item).length - 1; }

    StepSums accumulate(const Decoder& decoder, const ItemSet& set, std::span<const std::int64_t> items, double scale,
                        at::Tensor gradient, const Decoder::GradientReady& ready) override {
        const PackedBatch batch = pack_documents(set, items);
        const DecoderSavedPtr saved = make_decoder_saved(decoder.keep());
        const at::Tensor residual = decoder.forward(batch, {}, saved.get());
        at::Tensor rstd;
        const at::Tensor normed = decoder.final_norm(residual, &rstd);
        const at::Tensor dnormed = at::zeros_like(normed);
        const CrossEntropyResult loss =
            chunked_cross_entropy(normed, lm_weight(decoder), next_tokens(batch), {}, scale, dnormed,
                                  lm_weight_of(decoder, gradient), 512, decoder.config().logit_soft_cap);
        decoder.backward(batch, *saved, decoder.final_norm_backward(dnormed, residual, rstd, gradient), gradient, ready);
        return sums_of(loss, batch, items);
    }

    StepSums evaluate(const Decoder& decoder, const ItemSet& set, std::span<const std::int64_t> items) override {
        const PackedBatch batch = pack_documents(set, items);
        const at::Tensor normed = decoder.final_norm(decoder.forward(batch));
        return sums_of(chunked_cross_entropy(normed, lm_weight(decoder), next_tokens(batch), {}, 1.0, {}, {}, 512,
                                             decoder.config().logit_soft_cap),
                       batch, items);
    }

private:
    static PackedBatch pack_documents(const ItemSet& set, std::span<const std::int64_t> items) {
        std::vector<std::int64_t> answers;
        for (const std::int64_t item : items) answers.push_back(set.items[static_cast<std::size_t>(item)].first_answer);
        return pack(set, answers, false);
    }

    static StepSums sums_of(const CrossEntropyResult& loss, const PackedBatch& batch, std::span<const std::int64_t> items) {
        StepSums sums;
        sums.loss = loss.loss_sum;
        sums.weight = loss.weight_sum;
        sums.items = static_cast<double>(items.size());
        sums.tokens = static_cast<double>(batch.logical_tokens);
        sums.physical = static_cast<double>(batch.physical_tokens());
        return sums;
    }
};

}  // namespace

std::unique_ptr<Objective> make_language_model() { return std::make_unique<LanguageModel>(); }

}  // namespace xlrm
