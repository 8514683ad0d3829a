#include "xlrm/core/partition.hpp"

#include "xlrm/core/error.hpp"

namespace xlrm {

Range block_range(std::int64_t total, int rank, int size) {
    require(total >= 0 && size > 0 && rank >= 0 && rank < size, "block_range: need total >= 0 and 0 <= rank < size");
    const std::int64_t share = total / size;
    const std::int64_t rest = total % size;
    const std::int64_t begin = rank * share + (rank < rest ? rank : rest);
    return {begin, begin + share + (rank < rest ? 1 : 0)};
}

}  // namespace xlrm
