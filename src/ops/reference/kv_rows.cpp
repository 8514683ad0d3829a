#include "ops/reference/kv_rows.hpp"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <vector>

#include "ops/reference/fill.hpp"

namespace xlrm::reference {
namespace {

//! Rows as they come, with room that doubles; what a window hides is kept, and a fork is a copy.
class RowsOfSequences final : public KvPages::State {
public:
    RowsOfSequences(const at::TensorOptions& options, std::int64_t kv_heads, std::int64_t head_dim)
        : options_(options), kv_heads_(kv_heads), head_dim_(head_dim) {}

    std::int64_t add() override {
        const auto free = std::ranges::find_if(sequences_, [](const Sequence& one) { return !one.used; });
        const std::int64_t number = free - sequences_.begin();
        if (free == sequences_.end()) sequences_.emplace_back();
        held(number) = {true, 0, rows(0), rows(0)};
        return number;
    }

    std::int64_t fork(std::int64_t sequence) override {
        const std::int64_t number = add();
        const Sequence& from = held(sequence);
        held(number) = {true, from.length, from.k.clone(), from.v.clone()};
        return number;
    }

    void remove(std::int64_t sequence) override { held(sequence) = {}; }

    void append(std::span<const KvPages::Rows> rows, const at::Tensor& k, const at::Tensor& v) override {
        for (const KvPages::Rows& some : rows)
            append(some.sequence, k.narrow(0, some.begin, some.length), v.narrow(0, some.begin, some.length));
    }

    void append(std::int64_t number, const at::Tensor& k, const at::Tensor& v) {
        Sequence& sequence = held(number);
        const std::int64_t length = sequence.length + k.size(0);
        for (at::Tensor* const side : {&sequence.k, &sequence.v}) {
            if (side->size(0) >= length) continue;
            const at::Tensor larger = rows(std::max(length, 2 * side->size(0)));
            larger.narrow(0, 0, sequence.length).copy_(side->narrow(0, 0, sequence.length));
            *side = larger;
        }
        sequence.k.narrow(0, sequence.length, k.size(0)).copy_(k);
        sequence.v.narrow(0, sequence.length, v.size(0)).copy_(v);
        sequence.length = length;
    }

    std::int64_t length(std::int64_t sequence) const override { return sequences_[static_cast<std::size_t>(sequence)].length; }

    std::int64_t bytes() const override {
        std::int64_t sum = 0;
        for (const Sequence& one : sequences_)
            if (one.used) sum += static_cast<std::int64_t>(one.k.nbytes() + one.v.nbytes());
        return sum;
    }

    KvPages::Page page() const override {
        return {1, 2 * kv_heads_ * head_dim_ * static_cast<std::int64_t>(options_.dtype().itemsize()), false};
    }

    KeyRows of(const KeyRange& range) const {
        const Sequence& sequence = sequences_[static_cast<std::size_t>(range.sequence)];
        return {sequence.k.narrow(0, range.begin, range.length), sequence.v.narrow(0, range.begin, range.length)};
    }

private:
    struct Sequence {
        bool used = false;
        std::int64_t length = 0;
        at::Tensor k, v;  //!< [room, Hkv, D]
    };

    Sequence& held(std::int64_t number) { return sequences_[static_cast<std::size_t>(number)]; }
    at::Tensor rows(std::int64_t count) const { return at::empty({count, kv_heads_, head_dim_}, options_); }

    at::TensorOptions options_;
    std::int64_t kv_heads_, head_dim_;
    std::vector<Sequence> sequences_;
};

std::unique_ptr<KvPages::State> make_keys(const at::TensorOptions& options, std::int64_t kv_heads, std::int64_t head_dim,
                                          std::int64_t /*window*/) {
    return std::make_unique<RowsOfSequences>(options, kv_heads, head_dim);
}

}  // namespace

KeyRows cached_rows(const KvPages& cache, const KeyRange& range) {
    return static_cast<const RowsOfSequences&>(cache.state()).of(range);
}

void fill_kv_rows(DeviceOps& ops) { ops.make_keys = make_keys; }

}  // namespace xlrm::reference
