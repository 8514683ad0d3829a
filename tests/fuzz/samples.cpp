#include "reader.hpp"
#include "xlrm/store/samples_file.hpp"

using namespace xlrm;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto file = xlrm_fuzz::as_file(data, size, "samples.jsonl");
    xlrm_fuzz::read([&] { for_each_sample(file, [](std::int64_t, Sample&& sample) { sample_line(sample); }); });
    // As what a killed run left.
    const auto part = xlrm_fuzz::as_file(data, size, "out.jsonl.part0");
    xlrm_fuzz::read([&] { SampleWriter(part.parent_path() / "out.jsonl", "id", {{"x", "en", 0}}, 2); });
    std::filesystem::remove(part);
    return 0;
}
