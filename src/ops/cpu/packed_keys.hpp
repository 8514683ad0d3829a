#pragma once

#include <memory>
#include <vector>

#include "ops/cpu/aligned_buffer.hpp"
#include "ops/cpu/kernels.hpp"
#include "ops/kv_pages_state.hpp"

namespace xlrm::cpu {

//! Whether attention on this type and width of a head runs on matrix tiles, whose keys are packed in their own form.
bool attends_on_tiles(at::ScalarType dtype, std::int64_t head_dim);

//! Keys and values in the form that the kernels read.
class PackedKeys final : public KvPages::State {
public:
    using Page = AlignedBuffer<char>;
    struct Sequence {
        bool used = false;
        std::int64_t length = 0;
        std::vector<std::shared_ptr<Page>> pages;  //!< of kPageKeys keys each; null once no query sees it
    };

    PackedKeys(at::ScalarType dtype, std::int64_t kv_heads, std::int64_t head_dim, std::int64_t window);
    std::int64_t add() override;
    std::int64_t fork(std::int64_t sequence) override;
    void remove(std::int64_t sequence) override;
    void append(std::span<const KvPages::Rows> rows, const at::Tensor& k, const at::Tensor& v) override;
    std::int64_t length(std::int64_t number) const override { return sequence(number).length; }
    std::int64_t bytes() const override;
    KvPages::Page page() const override { return {kPageKeys, part_bytes_ * kv_heads_, true}; }

    const Sequence& sequence(std::int64_t number) const;

private:
    Sequence& sequence(std::int64_t number);

    at::ScalarType dtype_;
    std::int64_t kv_heads_, head_dim_, window_;
    std::int64_t part_bytes_;  //!< of one head in a page
    std::vector<Sequence> sequences_;
};

inline const PackedKeys& packed_keys(const KvPages& cache) { return static_cast<const PackedKeys&>(cache.state()); }

}  // namespace xlrm::cpu
