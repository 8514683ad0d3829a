#include "reader.hpp"
#include "xlrm/store/items_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto file = xlrm_fuzz::as_file(data, size, "items.h5");
    return xlrm_fuzz::read([&] { xlrm::read_items(file); });
}
