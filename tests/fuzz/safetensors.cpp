#include "xlrm/store/safetensors.hpp"
#include "reader.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto path = xlrm_fuzz::as_file(data, size, "model.safetensors");
    return xlrm_fuzz::read([&] {
        const xlrm::SafetensorsFile file(path);
        for (const std::string& name : file.names()) {
            xlrm_fuzz::read([&] { file.tensor(name); });
        }
    });
}
