#pragma once

#include <span>

#include "xlrm/ops/kv_pages.hpp"

namespace xlrm {

//! What a device keeps of the keys and values; the functions are those of KvPages.
struct KvPages::State {
    virtual ~State() = default;
    virtual std::int64_t add() = 0;
    virtual std::int64_t fork(std::int64_t sequence) = 0;
    virtual void remove(std::int64_t sequence) = 0;
    virtual void append(std::span<const Rows> rows, const at::Tensor& k, const at::Tensor& v) = 0;
    virtual std::int64_t length(std::int64_t sequence) const = 0;
    virtual std::int64_t bytes() const = 0;
    virtual Page page() const = 0;
};

}  // namespace xlrm
