#include "ops/cpu/packed_keys.hpp"

#include <algorithm>
#include <cstring>
#include <set>

#include "ops/cpu/amx.hpp"
#include "ops/cpu/dispatch.hpp"
#include "ops/cpu/fill.hpp"
#include "ops/cpu/shares.hpp"

namespace xlrm::cpu {
namespace {

using Page = PackedKeys::Page;
using Sequence = PackedKeys::Sequence;

template <class T>
void put(bool on_tiles, const cpu::PageRows<T>& rows) {
    if constexpr (std::is_same_v<T, cpu::Bf16>) {
        if (on_tiles) return cpu::amx_put_keys(rows);
    }
    cpu::kernels<T>().put_keys(rows);
}

//! Frees the pages that neither the token at `position` nor later ones see.
void free_unseen(Sequence& sequence, std::int64_t window, std::int64_t position) {
    if (window <= 0) return;
    const std::int64_t first = std::max<std::int64_t>(0, position - window + 1);
    for (std::int64_t page = first / kPageKeys - 1; page >= 0 && sequence.pages[std::size_t(page)] != nullptr; --page)
        sequence.pages[std::size_t(page)].reset();
}

//! Room for keys up to `length`; the page that further keys go to is this sequence's own.
void make_room(Sequence& sequence, std::int64_t length, std::int64_t page_bytes) {
    if (sequence.length % kPageKeys != 0) {
        std::shared_ptr<Page>& last = sequence.pages.back();
        if (last.use_count() > 1) {
            auto own = std::make_shared<Page>(page_bytes);
            std::memcpy(own->data(), last->data(), std::size_t(page_bytes));
            last = std::move(own);
        }
    }
    while (std::int64_t(sequence.pages.size()) * kPageKeys < length) sequence.pages.push_back(std::make_shared<Page>(page_bytes));
}

}  // namespace

bool attends_on_tiles(at::ScalarType dtype, std::int64_t head_dim) {
    return dtype == at::kBFloat16 && head_dim <= cpu::kAmxHeadDim && cpu::amx_available();
}

const Sequence& PackedKeys::sequence(std::int64_t number) const {
    assert(number >= 0 && number < std::int64_t(sequences_.size()) && sequences_[std::size_t(number)].used);
    return sequences_[std::size_t(number)];
}
Sequence& PackedKeys::sequence(std::int64_t number) {
    return const_cast<Sequence&>(static_cast<const PackedKeys*>(this)->sequence(number));
}

PackedKeys::PackedKeys(at::ScalarType dtype, std::int64_t kv_heads, std::int64_t head_dim, std::int64_t window)
    : dtype_(dtype), kv_heads_(kv_heads), head_dim_(head_dim), window_(window) {
    part_bytes_ = dispatch(dtype, [&](auto type) {
        return attends_on_tiles(dtype, head_dim) ? amx_page_bytes(head_dim) : kernels<decltype(type)>().page_bytes(head_dim);
    });
}

std::int64_t PackedKeys::add() {
    std::vector<Sequence>& all = sequences_;
    const auto free = std::ranges::find_if(all, [](const Sequence& one) { return !one.used; });
    const std::int64_t number = free - all.begin();
    if (free == all.end()) all.emplace_back();
    all[std::size_t(number)].used = true;
    return number;
}

std::int64_t PackedKeys::fork(std::int64_t sequence) {
    const std::int64_t number = add();
    this->sequence(number) = this->sequence(sequence);
    return number;
}

void PackedKeys::remove(std::int64_t sequence) { this->sequence(sequence) = {}; }

void PackedKeys::append(std::span<const KvPages::Rows> rows, const at::Tensor& k, const at::Tensor& v) {
    std::vector<std::int64_t> before;
    for (const KvPages::Rows& some : rows) {
        Sequence& sequence = this->sequence(some.sequence);
        before.push_back(sequence.length);
        free_unseen(sequence, window_, sequence.length);
        make_room(sequence, sequence.length + some.length, part_bytes_ * kv_heads_);
        sequence.length += some.length;
    }
    const bool on_tiles = attends_on_tiles(dtype_, head_dim_);
    dispatch(dtype_, [&](auto type) {
        using T = decltype(type);
        for_tasks(std::int64_t(rows.size()) * kv_heads_, [&](std::int64_t task) {
            const std::size_t at = std::size_t(task / kv_heads_);
            const std::int64_t head = task % kv_heads_, count = rows[at].length;
            const Sequence& sequence = this->sequence(rows[at].sequence);
            for (std::int64_t r = 0; r < count;) {
                const std::int64_t key = before[at] + r, more = std::min(count - r, kPageKeys - key % kPageKeys);
                const std::int64_t row = rows[at].begin + r;
                put<T>(on_tiles,
                       {sequence.pages[std::size_t(key / kPageKeys)]->data() + head * part_bytes_, key % kPageKeys, more,
                        const_data<T>(k) + row * k.stride(0) + head * k.stride(1),
                        const_data<T>(v) + row * v.stride(0) + head * v.stride(1), k.stride(0), v.stride(0), head_dim_});
                r += more;
            }
        });
    });
}

std::int64_t PackedKeys::bytes() const {
    std::set<const Page*> shared;
    std::int64_t own = 0;
    for (const Sequence& sequence : sequences_)
        for (const auto& page : sequence.pages)
            if (page.use_count() == 1)
                ++own;
            else if (page != nullptr)
                shared.insert(page.get());
    return (own + std::int64_t(shared.size())) * part_bytes_ * kv_heads_;
}

void fill_packed_keys(DeviceOps& ops) {
    ops.make_keys = [](const at::TensorOptions& options, std::int64_t kv_heads, std::int64_t head_dim,
                       std::int64_t window) -> std::unique_ptr<KvPages::State> {
        return std::make_unique<PackedKeys>(options.dtype().toScalarType(), kv_heads, head_dim, window);
    };
}

}  // namespace xlrm::cpu
