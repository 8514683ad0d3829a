#include "xlrm/ops/kv_pages.hpp"

#include <algorithm>
#include <cstring>
#include <set>

#include "ops/cpu/amx.hpp"
#include "ops/dispatch.hpp"
#include "ops/kv_pages_state.hpp"
#include "ops/shares.hpp"
#include "xlrm/core/profile.hpp"

namespace xlrm {
namespace {

using cpu::kPageKeys;
using Page = KvPages::State::Page;
using Sequence = KvPages::State::Sequence;

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

const Sequence& KvPages::State::sequence(std::int64_t number) const {
    assert(number >= 0 && number < std::int64_t(sequences.size()) && sequences[std::size_t(number)].used);
    return sequences[std::size_t(number)];
}
Sequence& KvPages::State::sequence(std::int64_t number) {
    return const_cast<Sequence&>(static_cast<const State*>(this)->sequence(number));
}

KvPages::KvPages(at::ScalarType dtype, std::int64_t kv_heads, std::int64_t head_dim, std::int64_t window)
    : state_(std::make_unique<State>(State{dtype, kv_heads, head_dim, window})) {
    state_->part_bytes = dispatch(dtype, [&](auto type) {
        return attends_on_tiles(dtype, head_dim) ? cpu::amx_page_bytes(head_dim)
                                                 : cpu::kernels<decltype(type)>().page_bytes(head_dim);
    });
}
KvPages::~KvPages() = default;
KvPages::KvPages(KvPages&&) noexcept = default;
KvPages& KvPages::operator=(KvPages&&) noexcept = default;

std::int64_t KvPages::add() {
    std::vector<Sequence>& all = state_->sequences;
    const auto free = std::ranges::find_if(all, [](const Sequence& one) { return !one.used; });
    const std::int64_t number = free - all.begin();
    if (free == all.end()) all.emplace_back();
    all[std::size_t(number)].used = true;
    return number;
}

std::int64_t KvPages::fork(std::int64_t sequence) {
    const std::int64_t number = add();
    state_->sequence(number) = state_->sequence(sequence);
    return number;
}

void KvPages::remove(std::int64_t sequence) { state_->sequence(sequence) = {}; }

void KvPages::append(std::int64_t number, const at::Tensor& k, const at::Tensor& v) {
    const ProfileScope scope("append keys");
    State& s = *state_;
    assert(k.dim() == 3 && k.sizes() == v.sizes() && k.size(1) == s.kv_heads && k.size(2) == s.head_dim);
    assert(k.scalar_type() == s.dtype && v.scalar_type() == s.dtype && k.stride(2) == 1 && v.stride(2) == 1);
    Sequence& sequence = s.sequence(number);
    const std::int64_t before = sequence.length, count = k.size(0);
    free_unseen(sequence, s.window, before);
    make_room(sequence, before + count, s.part_bytes * s.kv_heads);
    const bool on_tiles = attends_on_tiles(s.dtype, s.head_dim);
    dispatch(s.dtype, [&](auto type) {
        using T = decltype(type);
        for_tasks(s.kv_heads, [&](std::int64_t head) {
            for (std::int64_t r = 0; r < count;) {
                const std::int64_t key = before + r, more = std::min(count - r, kPageKeys - key % kPageKeys);
                put<T>(on_tiles, {sequence.pages[std::size_t(key / kPageKeys)]->data() + head * s.part_bytes, key % kPageKeys,
                                  more, const_data<T>(k) + r * k.stride(0) + head * k.stride(1),
                                  const_data<T>(v) + r * v.stride(0) + head * v.stride(1), k.stride(0), v.stride(0), s.head_dim});
                r += more;
            }
        });
    });
    sequence.length += count;
}

std::int64_t KvPages::length(std::int64_t sequence) const { return state_->sequence(sequence).length; }

std::int64_t KvPages::bytes() const {
    std::set<const Page*> pages;
    for (const Sequence& sequence : state_->sequences)
        for (const auto& page : sequence.pages)
            if (page != nullptr) pages.insert(page.get());
    return std::int64_t(pages.size()) * state_->part_bytes * state_->kv_heads;
}

}  // namespace xlrm
