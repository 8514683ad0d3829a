#include "reader.hpp"
#include "xlrm/data/preference_row.hpp"

using namespace xlrm;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto file = xlrm_fuzz::as_file(data, size, "rows.parquet");
    return xlrm_fuzz::read([&] { for_each_row(file, RowKind::preference, "en", [](std::int64_t, PreferenceRow&&) {}); });
}
