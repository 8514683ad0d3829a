#include "policy_batch.hpp"

#include <ATen/ops/zeros_like.h>

#include "xlrm/core/error.hpp"
#include "xlrm/ops/memory.hpp"
#include "xlrm/ops/rows.hpp"

namespace xlrm {

std::shared_ptr<const PolicyBatch> pack_policy(const Decoder& decoder, const ItemSet& set, std::span<const std::int64_t> items,
                                               bool share_prefix) {
    const auto made = std::make_shared<PolicyBatch>();
    PolicyBatch& out = *made;
    out.items = std::ssize(items);
    for (const std::int64_t item : items) {
        const Item& entry = set.items[static_cast<std::size_t>(item)];
        for (std::int32_t k = 0; k < entry.answers; ++k) out.answers.push_back(entry.first_answer + k);
    }
    out.batch = pack(set, out.answers, share_prefix);
    out.predicted = predicted_tokens(out.batch, set, out.answers);
    out.needed = needed_rows(out.predicted.rows);
    send(decoder.device(), {&out.batch.tokens, &out.batch.positions, &out.needed.rows, &out.needed.place, &out.predicted.targets,
                            &out.predicted.texts});
    return made;
}

PolicyStates policy_forward(const Decoder& decoder, const PolicyBatch& batch, DecoderSaved* saved) {
    PolicyStates out;
    out.residual = decoder.forward(batch.batch, batch.needed, saved);
    out.normed = decoder.final_norm(out.residual, &out.rstd);
    out.rows = gather_rows(out.normed, batch.needed.place);
    return out;
}

void policy_backward(const Decoder& decoder, const PolicyBatch& batch, const PolicyStates& states, DecoderSaved& saved,
                     const at::Tensor& drows, const at::Tensor& gradient, const Decoder::GradientReady& ready) {
    const at::Tensor dnormed = at::zeros_like(states.normed);
    scatter_add_rows(drows, batch.needed.place, dnormed);
    decoder.backward(batch.batch, saved, decoder.final_norm_backward(dnormed, states.residual, states.rstd, gradient), gradient,
                     ready);
}

std::span<const TokenStatistics> token_statistics(std::span<const double> values) {
    static_assert(sizeof(TokenStatistics) == 3 * sizeof(double));
    return {reinterpret_cast<const TokenStatistics*>(values.data()), values.size() / 3};
}

void count_batch(StepSums& sums, const PolicyBatch& batch) {
    sums.items = static_cast<double>(batch.items);
    sums.tokens = static_cast<double>(batch.batch.logical_tokens);
    sums.physical = static_cast<double>(batch.batch.physical_tokens());
}

void require_responses(const ItemSet& set, const std::string& objective, std::int32_t answers, const std::string& rows) {
    for (const Item& item : set.items) {
        if (item.answers != answers) {
            fail("item '" + item.id + "' has " + std::to_string(item.answers) + " answer(s) (the objective " + objective +
                 " reads " + rows + "); give such rows");
        }
        for (std::int32_t k = 0; k < answers; ++k) {
            if (predicted_count(set.answers[static_cast<std::size_t>(item.first_answer + k)]) > 0) continue;
            fail("item '" + item.id + "': an answer has no token behind its prompt (nothing can be predicted); remove the row");
        }
    }
}

}  // namespace xlrm
