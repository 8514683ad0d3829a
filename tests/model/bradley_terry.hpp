#pragma once

#include <ATen/ops/index_select.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>
#include <vector>

#include "xlrm/model/decoder.hpp"
#include "xlrm/ops/head.hpp"
#include "xlrm/ops/rows.hpp"

namespace xlrm_test {

//! The Bradley-Terry loss of a batch whose texts 2i (chosen) and 2i + 1 are a pair, divided by `pairs`; `scores` at the last
//! tokens are appended. Adds the gradient into the flat `gradient`; `ready` as in Decoder::backward.
inline double add_bt_gradient(const xlrm::Decoder& decoder, const xlrm::PackedBatch& batch, double pairs, xlrm::Keep keep,
                              const at::Tensor& gradient, std::vector<double>& scores,
                              const xlrm::Decoder::GradientReady& ready = {}) {
    std::vector<std::int64_t> last;
    for (const auto& text : batch.texts) last.push_back(text.last);
    const xlrm::NeededRows needed = xlrm::needed_rows(last);
    const auto saved = xlrm::make_decoder_saved(keep);
    const at::Tensor rows = decoder.forward(batch, needed.rows, saved.get());
    at::Tensor rstd;
    const at::Tensor normed = at::index_select(decoder.final_norm(rows, &rstd), 0, needed.place);
    const xlrm::Parameters& parameters = decoder.parameters();
    const at::Tensor head = parameters.view("score.weight").flatten();
    const at::Tensor s = xlrm::reward_head(normed, head);
    at::Tensor dscores = at::zeros_like(s);
    double loss = 0.0;
    for (std::int64_t i = 0; i < s.numel(); i += 2) {
        const double margin = s[i].item<double>() - s[i + 1].item<double>();
        loss += std::log1p(std::exp(-margin)) / pairs;
        const double slope = -1.0 / (1.0 + std::exp(margin)) / pairs;
        dscores[i].fill_(slope);
        dscores[i + 1].fill_(-slope);
    }
    for (std::int64_t i = 0; i < s.numel(); ++i) scores.push_back(s[i].item<double>());
    const at::Tensor dplaces =
        xlrm::reward_head_backward(dscores, normed, head, parameters.view_of(gradient, "score.weight").flatten());
    at::Tensor dnormed = at::zeros_like(rows);
    xlrm::scatter_add_rows(dplaces, needed.place, dnormed);
    decoder.backward(batch, *saved, decoder.final_norm_backward(dnormed, rows, rstd, gradient), gradient, ready);
    return loss;
}

}  // namespace xlrm_test
