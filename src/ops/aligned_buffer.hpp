#pragma once

#include <cstdint>
#include <vector>

namespace xlrm {

//! Scratch of one thread.
template <class A>
class AlignedBuffer {
public:
    explicit AlignedBuffer(std::int64_t n) : storage_(std::size_t(n) + 64 / sizeof(A)) {}
    A* data() {
        const auto address = reinterpret_cast<std::uintptr_t>(storage_.data());
        return reinterpret_cast<A*>((address + 63) / 64 * 64);
    }

private:
    std::vector<A> storage_;
};

}  // namespace xlrm
