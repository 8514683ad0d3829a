#include "raw_rows.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm {

void for_each_parquet_row(const std::filesystem::path& path, const std::function<void(std::int64_t number, const RawRow& raw)>&) {
    fail(path.string() +
         ": this xlrm was built without Arrow, so it cannot read Parquet; run scripts/setup and build again, or convert the file "
         "to JSON lines");
}

}  // namespace xlrm
