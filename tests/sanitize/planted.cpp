// One fault of each kind that a sanitizer or an assert must find; the tests sanitize/* fail where it is not found.
#include <climits>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <thread>
#include <vector>

#include "comm/wire_format.hpp"

namespace {

volatile int sink = 0;

// What is planted is made with `count`, which is 1, so that no compiler sees it.
void overflow(int count) {
    const std::vector<int> values(static_cast<std::size_t>(count));
    sink = values.data()[count];
}

void leak(int count) {
    int* volatile values = new int[static_cast<std::size_t>(count)];
    sink = values[0] = 0;
    values = nullptr;
}

void undefined(int count) { sink = INT_MAX - 1 + 2 * count; }

void race(int count) {
    int shared = 0;
    std::thread other([&] { shared += count; });
    shared += count;
    other.join();
    sink = shared;
}

// One number fewer than there is room for.
void assertion(int count) {
    const std::vector<float> from(static_cast<std::size_t>(count));
    std::vector<std::uint16_t> to(static_cast<std::size_t>(count) + 1);
    xlrm::to_bf16(from, to);
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view fault = argc == 2 ? argv[1] : "";
    if (fault == "overflow") overflow(argc - 1);
    if (fault == "leak") leak(argc - 1);
    if (fault == "undefined") undefined(argc - 1);
    if (fault == "race") race(argc - 1);
    if (fault == "assert") assertion(argc - 1);
    std::puts("not found");
}
