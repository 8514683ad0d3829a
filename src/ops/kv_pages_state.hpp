#pragma once

#include <vector>

#include "ops/aligned_buffer.hpp"
#include "ops/cpu/kernels.hpp"
#include "xlrm/ops/kv_pages.hpp"

namespace xlrm {

//! Whether attention on this type and width of a head runs on matrix tiles, whose keys are packed in their own form.
bool attends_on_tiles(at::ScalarType dtype, std::int64_t head_dim);

struct KvPages::State {
    using Page = AlignedBuffer<char>;
    struct Sequence {
        bool used = false;
        std::int64_t length = 0;
        std::vector<std::shared_ptr<Page>> pages;  //!< of kPageKeys keys each; null once no query sees it
    };
    at::ScalarType dtype;
    std::int64_t kv_heads, head_dim, window;
    std::int64_t part_bytes = 0;  //!< of one head in a page
    std::vector<Sequence> sequences = {};

    const Sequence& sequence(std::int64_t number) const;
    Sequence& sequence(std::int64_t number);
};

}  // namespace xlrm
