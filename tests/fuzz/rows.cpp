#include "reader.hpp"
#include "xlrm/data/preference_row.hpp"

using namespace xlrm;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto file = xlrm_fuzz::as_file(data, size, "rows.jsonl");
    xlrm_fuzz::read([&] { detect_row_kind(file); });
    for (const RowKind kind :
         {RowKind::preference, RowKind::document, RowKind::response, RowKind::ranking, RowKind::regression, RowKind::prompt}) {
        xlrm_fuzz::read([&] { for_each_row(file, kind, "en", [](std::int64_t, PreferenceRow&&) {}); });
    }
    return 0;
}
