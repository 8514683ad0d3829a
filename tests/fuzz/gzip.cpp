#include "reader.hpp"
#include "xlrm/core/file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto file = xlrm_fuzz::as_file(data, size, "rows.jsonl.gz");
    return xlrm_fuzz::read([&] { xlrm::for_each_line(file, [](std::int64_t, std::string_view) {}); });
}
