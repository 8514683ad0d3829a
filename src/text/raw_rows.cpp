#include "raw_rows.hpp"

#include "utf8.hpp"
#include "xlrm/core/file.hpp"

namespace xlrm {

void for_each_raw_row(const std::filesystem::path& path, const std::function<void(std::int64_t number, const RawRow& raw)>& row) {
    if (path.extension() == ".parquet") return for_each_parquet_row(path, row);
    for_each_line(path, [&](std::int64_t number, std::string_view text) {
        if (strip(text).empty()) return;
        row(number, [&] { return parse_json(text, path.string() + ":" + std::to_string(number)); });
    });
}

}  // namespace xlrm
