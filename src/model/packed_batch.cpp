#include "xlrm/model/packed_batch.hpp"

#include <ATen/ops/empty.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cassert>

#include "xlrm/core/error.hpp"
#include "xlrm/core/profile.hpp"
#include "xlrm/ops/memory.hpp"

namespace xlrm {
namespace {

template <class T>
at::Tensor tensor_of(const std::vector<T>& values) {
    const at::Tensor out = at::empty({std::ssize(values)}, at::TensorOptions().dtype(c10::CppTypeToScalarType<T>::value));
    std::copy(values.begin(), values.end(), out.template data_ptr<T>());
    return out;
}

class Packer {
public:
    Packer(const ItemSet& set, bool share) : set_(set), share_(share) {}

    void add(const Answer& answer) {
        const auto text = set_.answer_tokens(answer);
        if (text.empty())
            fail("a text has no tokens (no token's state can be read from it); remove the row or let prepare report it");
        assert(answer.prompt >= 0 && answer.prompt <= answer.length);
        const auto prefix = text.first(static_cast<std::size_t>(answer.prompt));
        const auto rest = text.subspan(static_cast<std::size_t>(answer.prompt));
        PackedBatch::Text out;
        if (!prefix.empty()) out.prefix_segment = prefix_segment(prefix);
        out.begin = size();
        if (!rest.empty()) append(rest, out.prefix_segment, answer.prompt);
        out.end = size();
        if (rest.empty()) {
            const KeyRange& whole = batch_.segments[static_cast<std::size_t>(out.prefix_segment)].keys.front();
            out.begin = out.end = whole.begin + whole.length;
        }
        out.last = out.end - 1;
        batch_.texts.push_back(out);
        batch_.logical_tokens += answer.length;
    }

    PackedBatch take() {
        batch_.tokens = tensor_of(tokens_);
        batch_.positions = tensor_of(positions_);
        return std::move(batch_);
    }

private:
    std::int64_t size() const { return static_cast<std::int64_t>(tokens_.size()); }

    std::int64_t prefix_segment(std::span<const std::int32_t> prefix) {
        if (share_ && shared_ >= 0 && std::ranges::equal(prefix, prefix_)) return shared_;
        shared_ = append(prefix, -1, 0);
        prefix_ = prefix;
        return shared_;
    }

    std::int64_t append(std::span<const std::int32_t> tokens, std::int64_t prefix, std::int32_t first_position) {
        const KeyRange own{size(), static_cast<std::int64_t>(tokens.size())};
        Segment segment{{}, {{own.begin, own.length, first_position}}};
        if (prefix >= 0) segment.keys.push_back(batch_.segments[static_cast<std::size_t>(prefix)].keys.front());
        segment.keys.push_back(own);
        batch_.segments.push_back(std::move(segment));
        tokens_.insert(tokens_.end(), tokens.begin(), tokens.end());
        for (std::size_t i = 0; i < tokens.size(); ++i) positions_.push_back(first_position + static_cast<std::int32_t>(i));
        return static_cast<std::int64_t>(batch_.segments.size()) - 1;
    }

    const ItemSet& set_;
    bool share_;
    PackedBatch batch_;
    std::vector<std::int32_t> tokens_, positions_;
    std::span<const std::int32_t> prefix_;
    std::int64_t shared_ = -1;
};

}  // namespace

std::int64_t PackedBatch::physical_tokens() const { return tokens.defined() ? tokens.size(0) : 0; }

std::int64_t PackedBatch::row(std::int64_t text, std::int64_t index) const {
    const Text& entry = texts[static_cast<std::size_t>(text)];
    std::int64_t prefix = 0;
    if (entry.prefix_segment >= 0) {
        const KeyRange& range = segments[static_cast<std::size_t>(entry.prefix_segment)].keys.front();
        if (index < range.length) return range.begin + index;
        prefix = range.length;
    }
    assert(index - prefix < entry.end - entry.begin);
    return entry.begin + index - prefix;
}

PackedBatch pack(const ItemSet& set, std::span<const std::int64_t> answers, bool share) {
    const StageScope scope("pack");
    Packer packer(set, share);
    for (const std::int64_t answer : answers) packer.add(set.answers[static_cast<std::size_t>(answer)]);
    return packer.take();
}

PackedBatch pack_continuations(const KvCache& cache, std::span<const Continuation> continuations) {
    PackedBatch batch;
    std::vector<std::int32_t> tokens, positions;
    for (const Continuation& one : continuations) {
        const auto begin = static_cast<std::int64_t>(tokens.size()), length = static_cast<std::int64_t>(one.tokens.size());
        const std::int64_t before = cache.length(one.sequence);
        assert(length > 0);
        batch.segments.push_back({{{0, before + length, one.sequence}}, {{begin, length, before}}});
        batch.texts.push_back({begin, begin + length, begin + length - 1, -1});
        batch.logical_tokens += length;
        tokens.insert(tokens.end(), one.tokens.begin(), one.tokens.end());
        for (std::int64_t i = 0; i < length; ++i) positions.push_back(static_cast<std::int32_t>(before + i));
    }
    batch.tokens = tensor_of(tokens);
    batch.positions = tensor_of(positions);
    return batch;
}

Segments segments_of(const Segments& segments, std::span<const std::int64_t> needed) {
    const std::int64_t* const rows = needed.data();
    const std::int64_t* const end = rows + needed.size();
    Segments out;
    for (const Segment& segment : segments) {
        Segment& some = out.emplace_back();
        some.keys = segment.keys;
        for (const QueryRun& run : segment.queries) {
            for (const std::int64_t* at = std::lower_bound(rows, end, run.begin); at < end && *at < run.begin + run.length;) {
                std::int64_t length = 1;
                while (at + length < end && at[length] == *at + length && at[length] < run.begin + run.length) ++length;
                some.queries.push_back({at - rows, length, run.position + *at - run.begin});
                at += length;
            }
        }
    }
    return out;
}

NeededRows::NeededRows(const at::Tensor& ascending) : rows(ascending) {
    if (!rows.defined()) return;
    const at::Tensor host = to_host(rows);
    list.assign(host.const_data_ptr<std::int64_t>(), host.const_data_ptr<std::int64_t>() + host.numel());
}

NeededRows needed_rows(std::span<const std::int64_t> rows) {
    NeededRows out;
    out.list.assign(rows.begin(), rows.end());
    std::ranges::sort(out.list);
    out.list.erase(std::unique(out.list.begin(), out.list.end()), out.list.end());
    out.rows = tensor_of(out.list);
    std::vector<std::int64_t> place;
    place.reserve(rows.size());
    for (const std::int64_t row : rows) place.push_back(std::ranges::lower_bound(out.list, row) - out.list.begin());
    out.place = tensor_of(place);
    return out;
}

}  // namespace xlrm
