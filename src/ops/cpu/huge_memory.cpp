#include "ops/cpu/huge_memory.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <new>

namespace xlrm::cpu {
namespace {

constexpr std::size_t kPage = std::size_t(2) << 20, kLine = 64;
constexpr std::size_t kBlock = std::size_t(64) << 20;  //!< of which only the pages that are written to are taken

std::size_t rounded(std::size_t bytes, std::size_t unit) { return (bytes + unit - 1) / unit * unit; }

//! What several pieces are cut from, in order; freed when all are.
class Block {
public:
    explicit Block(std::size_t bytes) : size_(rounded(bytes, kPage)), begin_(std::aligned_alloc(kPage, size_)) {
        if (begin_ == nullptr) throw std::bad_alloc();
        ::madvise(begin_, size_, MADV_HUGEPAGE);  // refused where there are none: pages are then small
    }
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;
    ~Block() { std::free(begin_); }

    //! Null where so much is not left.
    void* cut(std::size_t bytes) {
        if (size_ - used_ < bytes) return nullptr;
        void* const piece = static_cast<char*>(begin_) + used_;
        used_ += rounded(bytes, kLine);
        return piece;
    }

private:
    std::size_t size_, used_ = 0;
    void* begin_;
};

}  // namespace

std::shared_ptr<void> huge_memory(std::size_t bytes) {
    static std::mutex mutex;
    static std::weak_ptr<Block> last;
    const std::lock_guard lock(mutex);
    std::shared_ptr<Block> block = last.lock();
    void* piece = block == nullptr ? nullptr : block->cut(bytes);
    if (piece == nullptr) {
        last = block = std::make_shared<Block>(std::max(bytes, kBlock));
        piece = block->cut(bytes);
    }
    return {std::move(block), piece};
}

}  // namespace xlrm::cpu
