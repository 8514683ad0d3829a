#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "xlrm/infer/pooling.hpp"
#include "xlrm/model/decoder.hpp"
#include "xlrm/store/items.hpp"

namespace xlrm {

struct ScoreOptions {
    Pooling pooling = Pooling::last;
    std::int64_t token_budget = 4096;  //!< physical tokens a batch
    bool log_probs = false;            //!< of responses under the LM head, in place of scores
    bool share_prefixes = true;        //!< compute a prompt once for the texts of a batch that have it; the same bits either way
    bool head_rounded = false;  //!< transformers' bf16 norm and head; else both in fp32, from the residual as it is captured
    std::vector<std::int64_t> layers;  //!< layers to capture, 0 … L
    bool capture_last = false;
    bool capture_mean = false;  //!< over the tokens behind the prompt boundary, closing tokens included
};

//! For the asked answers, in their order.
struct ScoreResult {
    std::vector<float> scores;      //!< empty without a reward head
    std::vector<double> log_probs;  //!< Σ log p over the tokens of the completion, where they are asked for
};

enum class Capture { last, mean };
std::string capture_name(Capture capture);  //!< "last" | "mean"

//! What one batch gave for one capture and layer.
struct CapturedRows {
    Capture capture = Capture::last;
    std::int64_t layer = 0;
    at::Tensor rows;  //!< [n, d] fp32 on the host, contiguous: a row for each distinct text of the batch
    //! For each row the places, in the asked answers, that it belongs to: one or more.
    std::span<const std::span<const std::int64_t>> places;
};
//! Takes captured rows, which are gone afterwards. Of one batch every capture and layer comes with the same rows in the same
//! order; together the batches give each place once.
using TakeRows = std::function<void(const CapturedRows&)>;

//! Scores texts and captures layers: the same bits for a text whatever else is asked for, in whatever order and whatever batches,
//! where check_exactness finds nothing. Each distinct text is computed once; batches by token budget, texts of one prompt
//! together, prefixes shared. `answers`: indices into set.answers. `progress(texts done)` after each batch; `take` gets the rows
//! that the options ask for, so that what is kept here does not grow with them.
ScoreResult score_texts(const Decoder& decoder, const ItemSet& set, std::span<const std::int64_t> answers,
                        const ScoreOptions& options, const std::function<void(std::int64_t)>& progress = {},
                        const TakeRows& take = {});

//! The batches in which score_texts computes `answers`: an answer for each distinct text.
std::vector<std::vector<std::int64_t>> score_batches(const ItemSet& set, std::span<const std::int64_t> answers,
                                                     const ScoreOptions& options);

}  // namespace xlrm
