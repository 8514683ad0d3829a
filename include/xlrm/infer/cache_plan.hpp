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

    //! Of a sequence of `tokens` tokens, and what of it forks share.
    std::int64_t prompt_bytes(std::int64_t tokens) const;
    std::int64_t shared_bytes(std::int64_t tokens) const;
    //! What a fork of a sequence of `prompt` tokens takes beside what is shared until it has `length` tokens; the same for the
    //! sequence itself where it goes on.
    std::int64_t text_bytes(std::int64_t prompt, std::int64_t length) const;
    //! Of a prompt and `texts` of its texts, where `more` are still to begin: its sequence stays then, else the last text goes on
    //! with it.
    std::int64_t bytes(std::int64_t prompt, std::int64_t length, std::int64_t texts, bool more) const {
        return (more || texts == 0 ? prompt_bytes(prompt) : shared_bytes(prompt)) + texts * text_bytes(prompt, length);
    }

private:
    struct Layer {
        KvPages::Page page;
        std::int64_t most_pages;  //!< of one sequence, under its window
    };
    std::vector<Layer> layers_;
};

}  // namespace xlrm
