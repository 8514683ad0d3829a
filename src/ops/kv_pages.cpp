#include "xlrm/ops/kv_pages.hpp"

#include <cassert>

#include "ops/device_ops.hpp"
#include "ops/kv_pages_state.hpp"
#include "xlrm/core/profile.hpp"

namespace xlrm {

KvPages::KvPages(at::ScalarType dtype, std::int64_t kv_heads, std::int64_t head_dim, std::int64_t window, at::Device device)
    : dtype_(dtype),
      kv_heads_(kv_heads),
      head_dim_(head_dim),
      state_(ops_for(device).make_keys(at::TensorOptions(device).dtype(dtype), kv_heads, head_dim, window)) {}
KvPages::~KvPages() = default;
KvPages::KvPages(KvPages&&) noexcept = default;
KvPages& KvPages::operator=(KvPages&&) noexcept = default;

std::int64_t KvPages::add() { return state_->add(); }
std::int64_t KvPages::fork(std::int64_t sequence) { return state_->fork(sequence); }
void KvPages::remove(std::int64_t sequence) { state_->remove(sequence); }
std::int64_t KvPages::length(std::int64_t sequence) const { return state_->length(sequence); }
std::int64_t KvPages::bytes() const { return state_->bytes(); }
KvPages::Page KvPages::page() const { return state_->page(); }

void KvPages::append(std::int64_t sequence, const at::Tensor& k, const at::Tensor& v) {
    const Rows all{sequence, 0, k.size(0)};
    append(std::span(&all, 1), k, v);
}

void KvPages::append(std::span<const Rows> rows, const at::Tensor& k, const at::Tensor& v) {
    const ProfileScope scope("append keys");
    assert(k.dim() == 3 && k.sizes() == v.sizes() && k.size(1) == kv_heads_ && k.size(2) == head_dim_);
    assert(k.scalar_type() == dtype_ && v.scalar_type() == dtype_ && k.stride(2) == 1 && v.stride(2) == 1);
    state_->append(rows, k, v);
}

}  // namespace xlrm
