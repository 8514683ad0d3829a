#include "ops/cpu/attention_tasks.hpp"

#include <algorithm>
#include <cassert>
#include <unordered_map>

#include "ops/cpu/packed_keys.hpp"

namespace xlrm::cpu {

AttentionTasks::AttentionTasks(const Segments& segments, const KvPages* cache) {
    std::size_t ranges = 0, queries = 0, pages = 0;
    for (const Segment& s : segments) {
        ranges += s.keys.size(), queries += std::size_t(s.query_count());
        if (!s.cached()) continue;
        assert(cache != nullptr && s.keys.size() == 1 && s.keys.front().begin == 0);
        pages += packed_keys(*cache).sequence(s.keys.front().sequence).pages.size();
    }
    // The kernels' segments point into these.
    ranges_.reserve(ranges), queries_.reserve(queries), pages_.reserve(pages);
    for (const Segment& s : segments) {
        cpu::AttentionSegment out{ranges_.data() + ranges_.size(),   0, nullptr, s.key_count(),
                                  queries_.data() + queries_.size(), 0};
        if (s.cached()) {
            const PackedKeys::Sequence& sequence = packed_keys(*cache).sequence(s.keys.front().sequence);
            assert(out.keys <= sequence.length);
            out.pages = pages_.data() + pages_.size();
            for (const auto& page : sequence.pages) pages_.push_back(page != nullptr ? page->data() : nullptr);
        } else {
            for (const KeyRange& range : s.keys) ranges_.push_back({range.begin, range.length});
            out.range_count = std::int64_t(s.keys.size());
            most_packed_ = std::max(most_packed_, out.keys);
        }
        for (const QueryRun& run : s.queries) {
            assert(run.position + run.length <= out.keys);
            assert(run.length == 0 || out.query_count == 0 || run.position >= queries_.back().position);
            for (std::int64_t i = 0; i < run.length; ++i) queries_.push_back({run.begin + i, run.position + i});
            out.query_count += run.length;
        }
        most_keys_ = std::max(most_keys_, out.keys);
        all_.push_back(out);
        if (out.query_count > 0) with_queries_.push_back(out);
    }
}

std::vector<std::vector<cpu::AttentionSegment>> AttentionTasks::families() const {
    std::vector<std::vector<cpu::AttentionSegment>> result;
    std::unordered_map<std::int64_t, std::size_t> family_of;  // by the first row of the owner
    for (const cpu::AttentionSegment& segment : all_) {
        assert(segment.pages == nullptr && segment.range_count <= 2);
        if (segment.keys == 0) continue;
        const cpu::KeyRows& first = segment.ranges[0];
        if (segment.range_count == 1) {
            family_of[first.begin] = result.size();
            result.emplace_back();
        }
        assert(family_of.count(first.begin) == 1);
        std::vector<cpu::AttentionSegment>& family = result[family_of.at(first.begin)];
        assert(family.empty() || family.front().keys == first.length);
        family.push_back(segment);
    }
    return result;
}

}  // namespace xlrm::cpu
