#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "xlrm/model/kv_cache.hpp"
#include "xlrm/ops/segments.hpp"
#include "xlrm/store/items.hpp"

namespace xlrm {

//! Texts laid end to end without padding; answers that have the same prefix tokens share them. It is made on the host; send()
//! (ops/memory.hpp) gives its tensors to a device, together with others that belong to it.
struct PackedBatch {
    at::Tensor tokens;     //!< [T] int32
    at::Tensor positions;  //!< [T] int32
    //! Every row of the batch is in one run of queries: the texts' own rows, or a prefix's. Where the keys are a cache's, the
    //! run's rows are appended to it first.
    Segments segments;
    //! Of each text, in the order in which they were added, as rows of the batch: the tokens behind its prefix [begin, end), its
    //! last token, and its prefix's segment (or -1). A text that ends with its prefix has begin == end and its last row in the
    //! prefix.
    struct Text {
        std::int64_t begin = 0, end = 0, last = 0, prefix_segment = -1;
    };
    std::vector<Text> texts;
    std::int64_t logical_tokens = 0;  //!< prefixes counted once for each text

    std::int64_t physical_tokens() const;
    //! Row of token `index` of text `text` (prefix included).
    std::int64_t row(std::int64_t text, std::int64_t index) const;
};

//! Packs the texts `answers` (indices into set.answers) in that order. `share`: consecutive texts with equal prefix tokens share
//! one prefix segment; without it each text has a prefix segment of its own, so the arithmetic of a text stays the same. A text
//! whose prefix is 0 tokens is one segment.
PackedBatch pack(const ItemSet& set, std::span<const std::int64_t> answers, bool share = true);

//! Tokens that continue a sequence of a cache: its next ones, or a whole text or part of one.
struct Continuation {
    std::int64_t sequence = -1;
    std::span<const std::int32_t> tokens;
};

//! One text for each continuation, in that order, behind what `cache` holds. REQUIRES: no sequence comes twice, and each has
//! tokens.
PackedBatch pack_continuations(const KvCache& cache, std::span<const Continuation> continuations);

//! The segments for queries of the rows `needed` (ascending) alone, which are rows 0 … N-1 of q.
Segments segments_of(const Segments& segments, std::span<const std::int64_t> needed);

//! Rows of a batch for Decoder::forward's `needed`: strictly ascending, although several texts may end on one row (those that end
//! with a shared prefix). Undefined tensors: all rows.
struct NeededRows {
    NeededRows() = default;
    //! Of rows as they are, strictly ascending int64 [N]; on a device they are read back.
    NeededRows(const at::Tensor& ascending);  // NOLINT(google-explicit-constructor)

    std::vector<std::int64_t> list;  //!< on the host …
    at::Tensor rows;                 //!< … and for the device: [N] int64
    at::Tensor place;                //!< [asked] int64: where in `rows` each asked row lies

    bool defined() const { return rows.defined(); }
};
NeededRows needed_rows(std::span<const std::int64_t> rows);

}  // namespace xlrm
