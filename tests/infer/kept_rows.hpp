#pragma once

#include <ATen/ops/empty.h>

#include <algorithm>
#include <map>

#include "xlrm/infer/scorer.hpp"

namespace xlrm_test {

//! A result with its captured rows in memory: layer → [N, d], in the order of the asked answers.
struct KeptRows : xlrm::ScoreResult {
    std::map<std::int64_t, at::Tensor> last, mean;
};

inline KeptRows score_and_keep(const xlrm::Decoder& decoder, const xlrm::ItemSet& set, std::span<const std::int64_t> answers,
                               const xlrm::ScoreOptions& options) {
    KeptRows kept;
    const auto take = [&](const xlrm::CapturedRows& captured) {
        at::Tensor& out = (captured.capture == xlrm::Capture::last ? kept.last : kept.mean)[captured.layer];
        const std::int64_t width = captured.rows.size(1);
        if (!out.defined()) out = at::empty({static_cast<std::int64_t>(answers.size()), width}, captured.rows.options());
        for (std::size_t i = 0; i < captured.places.size(); ++i) {
            const float* from = captured.rows.const_data_ptr<float>() + static_cast<std::int64_t>(i) * width;
            for (const std::int64_t place : captured.places[i]) std::copy_n(from, width, out.data_ptr<float>() + place * width);
        }
    };
    static_cast<xlrm::ScoreResult&>(kept) = xlrm::score_texts(decoder, set, answers, options, {}, take);
    return kept;
}

}  // namespace xlrm_test
