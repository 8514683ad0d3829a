#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace xlrm {

//! Scratch of one thread.
template <class A>
class AlignedBuffer {
public:
    explicit AlignedBuffer(std::int64_t n) : storage_(std::size_t(n) + 64 / sizeof(A)) {}
    A* data() { return aligned(storage_.data()); }
    const A* data() const { return aligned(storage_.data()); }

private:
    template <class P>
    static P* aligned(P* begin) {
        return reinterpret_cast<P*>((reinterpret_cast<std::uintptr_t>(begin) + 63) / 64 * 64);
    }
    std::vector<A> storage_;
};

//! Scratch of the calling thread, kept between calls: at least n elements, aligned to 64 bytes, with whatever the last call left.
template <class A>
A* thread_scratch(std::int64_t n) {
    thread_local std::unique_ptr<AlignedBuffer<A>> buffer;
    thread_local std::int64_t size = 0;
    if (n > size) {
        buffer = std::make_unique<AlignedBuffer<A>>(n);
        size = n;
    }
    return buffer->data();
}

}  // namespace xlrm
