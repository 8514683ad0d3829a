#pragma once

#include "ops/kv_pages_state.hpp"
#include "xlrm/ops/segments.hpp"

namespace xlrm::reference {

struct KeyRows {
    at::Tensor k, v;  //!< [K, Hkv, D]
};

//! Those of a range of a cache that reference_ops() made.
KeyRows cached_rows(const KvPages& cache, const KeyRange& range);

}  // namespace xlrm::reference
