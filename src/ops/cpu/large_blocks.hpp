#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <unordered_map>

namespace xlrm {

//! Memory for large tensors that stays with the process. libtorch's own goes back to the kernel with every tensor above 32 MiB
//! and is handed out zeroed again, which costs as much as a product that fills it. Blocks come from one range of addresses, the
//! lowest hole that fits first, in huge pages where the kernel has them; free neighbours are joined.
class LargeBlocks {
public:
    //! Reserves addresses, not memory: `range` bytes.
    explicit LargeBlocks(std::size_t range);
    ~LargeBlocks();
    LargeBlocks(const LargeBlocks&) = delete;
    LargeBlocks& operator=(const LargeBlocks&) = delete;

    //! Aligned to 64 bytes; null when the range is used up or the kernel has no memory left.
    void* take(std::size_t bytes);
    //! Gives back what take() gave; false for any other address.
    bool give_back(void* block);

    std::size_t used() const;  //!< bytes from the range's beginning that were ever handed out

private:
    bool grow(std::size_t end);

    mutable std::mutex mutex_;
    char* begin_ = nullptr;
    std::size_t range_ = 0;
    std::size_t usable_ = 0;                              //!< bytes of the range that may be touched
    std::size_t used_ = 0;                                //!< behind it nothing was handed out
    std::map<std::size_t, std::size_t> free_;             //!< offset → bytes, below used_
    std::unordered_map<std::size_t, std::size_t> taken_;  //!< offset → bytes
};

//! Makes libtorch take tensors of 64 KiB and more from LargeBlocks. True unless addresses are scarce (ulimit -v): then its own
//! stays.
bool install_large_blocks();

}  // namespace xlrm
