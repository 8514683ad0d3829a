// A detector is shown a planted fault: three bytes lead to a write after the end of a buffer. scripts/fuzz must find it.
#include <cstring>
#include <memory>

#include "reader.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 4 || data[0] != 'R' || data[1] != 'M' || data[2] < 16) return 0;
    const std::unique_ptr<char[]> buffer(new char[16]);
    std::memset(buffer.get(), 1, data[2]);
    return buffer[15] == 1 ? 0 : 1;
}
