#include "reader.hpp"
#include "xlrm/store/cell_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto file = xlrm_fuzz::as_file(data, size, "cell.h5");
    xlrm_fuzz::read([&] { xlrm::read_cell_scores(file); });
    xlrm_fuzz::read([&] {
        for (const auto& [capture, layers] : xlrm::cell_layers(file)) {
            std::int64_t features = 0;
            for (const int layer : layers) xlrm::read_cell_activations(file, capture, layer, "chosen", &features);
        }
    });
    return 0;
}
