#include "reader.hpp"
#include "xlrm/model/config.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto file = xlrm_fuzz::as_file(data, size, "config.json");
    return xlrm_fuzz::read([&] { xlrm::read_model_config(file); });
}
