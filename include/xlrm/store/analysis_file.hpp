#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace xlrm {

//! Stands for a value that is not defined (netCDF's NC_FILL_DOUBLE, the attribute _FillValue, which xarray reads as NaN).
inline constexpr double kUndefinedValue = 9.969209968386869e36;

//! One column of a table, a value a row.
struct AnalysisColumn {
    std::string name;
    std::variant<std::vector<std::string>, std::vector<std::int64_t>, std::vector<double>> values;
    std::vector<std::string>
        undefined;  //!< of numbers: why a value is kUndefinedValue, "" where it is not; empty if all are defined
};
struct AnalysisTable {
    std::string name, title, note;
    std::vector<AnalysisColumn> columns;
};

//! analysis.h5, schema "XLRM-analysis-1" (netCDF-4 rules): a group for each table, attributes title and note; dimension row; a
//! dataset for each column, UTF-8, int64 or float64; of numbers with undefined values also <column>_undefined (UTF-8), the reason
//! a row. Attributes of the root: Conventions, schema_version, and those given. Atomic; equal content gives equal bytes. Throws
//! Error(io).
void write_analysis(const std::filesystem::path& path, const std::vector<AnalysisTable>& tables,
                    const std::vector<std::pair<std::string, std::string>>& attributes);

}  // namespace xlrm
