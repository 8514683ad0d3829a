#include "ops/cpu/large_blocks.hpp"

#include <c10/core/CPUAllocator.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

namespace xlrm {
namespace {

constexpr std::size_t kLine = 64;
constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kStep = std::size_t{64} << 20;  // the kernel is asked for as much at a time
constexpr std::size_t kLarge = std::size_t{64} << 10;

std::size_t up_to(std::size_t n, std::size_t unit) { return (n + unit - 1) / unit * unit; }

LargeBlocks* blocks = nullptr;

void release(void* data) {
    if (!blocks->give_back(data)) c10::GetDefaultCPUAllocator()->raw_deallocate(data);
}

class TensorMemory final : public c10::Allocator {
public:
    c10::DataPtr allocate(std::size_t bytes) override {
        void* data = bytes >= kLarge ? blocks->take(bytes) : nullptr;
        if (data == nullptr) return c10::GetDefaultCPUAllocator()->allocate(bytes);
        return {data, data, &release, c10::Device(c10::DeviceType::CPU)};
    }
    c10::DeleterFnPtr raw_deleter() const override { return &release; }
    void copy_data(void* to, const void* from, std::size_t bytes) const override { default_copy_data(to, from, bytes); }
};

}  // namespace

LargeBlocks::LargeBlocks(std::size_t range) {
    void* at = mmap(nullptr, range + kHugePage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) return;
    begin_ = reinterpret_cast<char*>(up_to(reinterpret_cast<std::size_t>(at), kHugePage));
    range_ = range / kHugePage * kHugePage;
    madvise(begin_, range_, MADV_HUGEPAGE);
}

LargeBlocks::~LargeBlocks() {
    if (begin_ != nullptr) munmap(begin_, range_);
}

bool LargeBlocks::grow(std::size_t end) {
    if (end <= usable_) return true;
    const std::size_t wanted = std::min(up_to(end, kStep), range_);
    if (end > range_ || mprotect(begin_ + usable_, wanted - usable_, PROT_READ | PROT_WRITE) != 0) return false;
    usable_ = wanted;
    return true;
}

void* LargeBlocks::take(std::size_t bytes) {
    const std::scoped_lock lock(mutex_);
    bytes = up_to(std::max<std::size_t>(bytes, 1), kLine);
    const auto hole = std::find_if(free_.begin(), free_.end(), [&](const auto& entry) { return entry.second >= bytes; });
    std::size_t offset = used_;
    if (hole != free_.end()) {
        offset = hole->first;
        if (hole->second > bytes) free_.emplace_hint(std::next(hole), offset + bytes, hole->second - bytes);
        free_.erase(offset);
    } else {
        if (!free_.empty() && free_.rbegin()->first + free_.rbegin()->second == used_) offset = free_.rbegin()->first;
        if (!grow(offset + bytes)) return nullptr;
        free_.erase(offset);
        used_ = offset + bytes;
    }
    taken_[offset] = bytes;
    return begin_ + offset;
}

bool LargeBlocks::give_back(void* block) {
    const std::scoped_lock lock(mutex_);
    const char* address = static_cast<const char*>(block);
    if (address < begin_ || address >= begin_ + range_) return false;
    const auto entry = taken_.find(static_cast<std::size_t>(address - begin_));
    if (entry == taken_.end()) return false;
    const auto here = free_.emplace(entry->first, entry->second).first;
    taken_.erase(entry);
    const auto next = std::next(here);
    if (next != free_.end() && here->first + here->second == next->first) {
        here->second += next->second;
        free_.erase(next);
    }
    if (here == free_.begin()) return true;
    const auto before = std::prev(here);
    if (before->first + before->second == here->first) {
        before->second += here->second;
        free_.erase(here);
    }
    return true;
}

std::size_t LargeBlocks::used() const {
    const std::scoped_lock lock(mutex_);
    return used_;
}

bool install_large_blocks() {
    // Four times the machine's memory in addresses: holes never make them scarce.
    const std::size_t memory =
        static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    // Neither is ever destroyed: tensors may outlive every other object.
    auto* made = new LargeBlocks(4 * memory);
    if (void* probe = made->take(kLine); probe == nullptr || !made->give_back(probe)) {
        delete made;
        return false;
    }
    blocks = made;
    c10::SetCPUAllocator(new TensorMemory);
    return true;
}

}  // namespace xlrm
