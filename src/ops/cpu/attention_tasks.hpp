#pragma once

#include <vector>

#include "ops/cpu/kernels.hpp"
#include "xlrm/ops/kv_pages.hpp"
#include "xlrm/ops/segments.hpp"

namespace xlrm::cpu {

//! Segments in the form that the kernels take.
class AttentionTasks {
public:
    AttentionTasks(const Segments& segments, const KvPages* cache);
    AttentionTasks(const AttentionTasks&) = delete;
    AttentionTasks& operator=(const AttentionTasks&) = delete;

    //! Those with queries.
    const std::vector<cpu::AttentionSegment>& with_queries() const { return with_queries_; }
    //! For a backward pass: the owner of a prefix, or of a whole text, followed by the segments that begin with its list.
    std::vector<std::vector<cpu::AttentionSegment>> families() const;

    std::int64_t most_keys() const { return most_keys_; }      //!< of a list
    std::int64_t most_packed() const { return most_packed_; }  //!< of a list of rows

private:
    std::vector<cpu::KeyRows> ranges_;
    std::vector<cpu::QueryRow> queries_;
    std::vector<const char*> pages_;
    std::vector<cpu::AttentionSegment> all_, with_queries_;
    std::int64_t most_keys_ = 0, most_packed_ = 0;
};

}  // namespace xlrm::cpu
