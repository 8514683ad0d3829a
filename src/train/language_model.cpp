#include <ATen/ops/empty.h>
#include <ATen/ops/zeros_like.h>

#include "xlrm/core/error.hpp"
#include "xlrm/model/lm_head.hpp"
#include "xlrm/model/packed_batch.hpp"
#include "xlrm/ops/memory.hpp"
#include "xlrm/train/objective.hpp"

namespace xlrm {
namespace {

const Answer& document(const ItemSet& set, std::int64_t item) {
    return set.answers[static_cast<std::size_t>(set.items[static_cast<std::size_t>(item)].first_answer)];
}

// The next token of each row, none at the end of a document, while the batch is on the host.
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

    PendingSums accumulate(const Decoder& decoder, const ItemSet& set, std::span<const std::int64_t> items, double scale,
                           at::Tensor gradient, const Decoder::GradientReady& ready) override {
        const Documents documents = pack_documents(decoder, set, items);
        const DecoderSavedPtr saved = make_decoder_saved(decoder.keep());
        const at::Tensor residual = decoder.forward(documents.batch, {}, saved.get());
        at::Tensor rstd;
        const at::Tensor normed = decoder.final_norm(residual, &rstd);
        const at::Tensor dnormed = at::zeros_like(normed);
        const CrossEntropyResult loss =
            lm_loss(decoder, normed, documents.targets, {}, {scale, dnormed, lm_weight_of(decoder, gradient)});
        decoder.backward(documents.batch, *saved, decoder.final_norm_backward(dnormed, residual, rstd, gradient), gradient,
                         ready);
        return sums_of(loss, documents.batch, items);
    }

    PendingSums evaluate(const Decoder& decoder, const ItemSet& set, std::span<const std::int64_t> items) override {
        const Documents documents = pack_documents(decoder, set, items);
        const at::Tensor normed = decoder.final_norm(decoder.forward(documents.batch));
        return sums_of(lm_loss(decoder, normed, documents.targets, {}, {}), documents.batch, items);
    }

private:
    struct Documents {
        PackedBatch batch;
        at::Tensor targets;  // [T] int32
    };
    static Documents pack_documents(const Decoder& decoder, const ItemSet& set, std::span<const std::int64_t> items) {
        std::vector<std::int64_t> answers;
        for (const std::int64_t item : items) answers.push_back(set.items[static_cast<std::size_t>(item)].first_answer);
        Documents out;
        out.batch = pack(set, answers, false);
        out.targets = next_tokens(out.batch);
        send(decoder.device(), {&out.batch.tokens, &out.batch.positions, &out.targets});
        return out;
    }

    static PendingSums sums_of(const CrossEntropyResult& loss, const PackedBatch& batch, std::span<const std::int64_t> items) {
        StepSums known;
        known.items = static_cast<double>(items.size());
        known.tokens = static_cast<double>(batch.logical_tokens);
        known.physical = static_cast<double>(batch.physical_tokens());
        return {{loss.sums}, [known](const std::vector<std::span<const double>>& values) {
                    StepSums sums = known;
                    sums.loss = values[0][0];
                    sums.weight = values[0][1];
                    return sums;
                }};
    }
};

}  // namespace

std::unique_ptr<Objective> make_language_model() { return std::make_unique<LanguageModel>(); }

}  // namespace xlrm
