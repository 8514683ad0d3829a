#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <span>

namespace xlrm {

//! Keys and values of one layer for any number of sequences that grow, in pages of the form that attention reads on this machine:
//! each key is packed once. A sequence grows page by page, without a copy; forked sequences share the pages that are full.
//! Under a window the pages that no later query sees are freed.
class KvPages {
public:
    //! Of keys and values in `dtype`, [Hkv, D] a token; `window` as in AttentionConfig.
    KvPages(at::ScalarType dtype, std::int64_t kv_heads, std::int64_t head_dim, std::int64_t window,
            at::Device device = at::kCPU);
    ~KvPages();
    KvPages(KvPages&&) noexcept;
    KvPages& operator=(KvPages&&) noexcept;

    //! An empty sequence. Numbers of removed sequences are used again.
    std::int64_t add();
    //! A sequence that begins with all that `sequence` holds.
    std::int64_t fork(std::int64_t sequence);
    void remove(std::int64_t sequence);

    //! Rows k and v [n, Hkv, D] behind what the sequence holds; they may be strided views. Keys that these rows' queries do not
    //! see under the window may be gone afterwards.
    void append(std::int64_t sequence, const at::Tensor& k, const at::Tensor& v);

    //! Rows [begin, begin + length) of k and v for a sequence.
    struct Rows {
        std::int64_t sequence = -1, begin = 0, length = 0;
    };
    //! The same for several sequences at once, each of `rows` in turn.
    void append(std::span<const Rows> rows, const at::Tensor& k, const at::Tensor& v);

    std::int64_t length(std::int64_t sequence) const;
    //! Of the pages that sequences hold, each counted once.
    std::int64_t bytes() const;

    //! In what a sequence grows, and whether forks share the pages that are full.
    struct Page {
        std::int64_t keys = 1, bytes = 0;
        bool shared = false;
    };
    Page page() const;

    struct State;
    const State& state() const { return *state_; }  //!< for the ops

private:
    at::ScalarType dtype_;
    std::int64_t kv_heads_, head_dim_;
    std::unique_ptr<State> state_;
};

}  // namespace xlrm
