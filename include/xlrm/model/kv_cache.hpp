#pragma once

#include <cstdint>
#include <vector>

#include "xlrm/model/config.hpp"
#include "xlrm/ops/kv_pages.hpp"

namespace xlrm {

//! Keys and values of all layers for texts that grow: Decoder::forward appends those of a batch's tokens before they attend.
//! Sequences that were forked from one (samples for one prompt) share its full pages.
class KvCache {
public:
    KvCache(const ModelConfig& config, at::ScalarType dtype, at::Device device = at::kCPU);

    //! An empty sequence.
    std::int64_t add();
    //! A sequence that begins with all that `sequence` holds.
    std::int64_t fork(std::int64_t sequence);
    void remove(std::int64_t sequence);

    std::int64_t length(std::int64_t sequence) const { return layers_.front().length(sequence); }
    std::int64_t bytes() const;

    KvPages& layer(std::int64_t layer) { return layers_[static_cast<std::size_t>(layer)]; }

private:
    std::vector<KvPages> layers_;
};

}  // namespace xlrm
