#pragma once

#include <cstdint>
#include <vector>

#include "xlrm/model/kv_cache.hpp"

namespace xlrm {

//! How many bytes the keys and values of sequences take at most.
class CachePlan {
public:
    //! `piece`: most tokens that are appended to a sequence at once.
    CachePlan(const ModelConfig& config, at::ScalarType dtype, std::int64_t piece);

    //! Of a sequence of `tokens` tokens.
    std::int64_t prompt_bytes(std::int64_t tokens) const;
    //! What a fork of a sequence of `prompt` tokens takes beside it until it has `length` tokens.
    std::int64_t text_bytes(std::int64_t prompt, std::int64_t length) const;

private:
    struct Layer {
        KvPages::Page page;
        std::int64_t most_pages;  //!< of one sequence, under its window
    };
    std::vector<Layer> layers_;
};

}  // namespace xlrm
