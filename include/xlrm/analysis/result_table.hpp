#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "xlrm/core/json.hpp"
#include "xlrm/stats/estimate.hpp"

namespace xlrm {

//! How a column's numbers are shown in texts; files have them as they are (shares as shares).
enum class ColumnKind {
    text,
    count,
    share,   //!< 0.123 → "12.3" (%)
    points,  //!< 0.031 → "+3.1" (percentage points)
    number,  //!< four digits after the point
    p,       //!< three digits, "<0.001"
};

struct Column {
    std::string name;
    ColumnKind kind = ColumnKind::text;
    bool detail = false;    //!< in CSV, JSON and HDF5 alone
    bool interval = false;  //!< its values are EstimateWithInterval
};

//! A value; of an EstimateWithInterval files have name, name_se, name_low and name_high, texts "value [low, high]".
using TableValue = std::variant<std::string, std::int64_t, Estimate, EstimateWithInterval>;

//! One table of an analysis. A value that is not defined has a reason: empty in CSV with "column:reason" in the last column
//! `undefined`, null in JSON with the reason under "undefined", a dash in texts, and in HDF5 see analysis_file.hpp.
struct ResultTable {
    std::string name;   //!< file name: "gaps"
    std::string title;  //!< a line
    std::string note;   //!< what it shows, units, and what it cannot show
    std::vector<Column> columns;
    std::vector<std::vector<TableValue>> rows;

    //! Adds a row. Throws Error unless it has a value for each column.
    void add(std::vector<TableValue> row);
};

Json to_json(const ResultTable& table);
ResultTable table_from_json(const Json& json);

std::string format_csv(const ResultTable& table);
std::string format_markdown(const ResultTable& table);
//! A booktabs tabular; values as \xlrmvalue{…}, intervals as \xlrmci{low}{high}, which a document may define otherwise.
std::string format_latex(const ResultTable& table);

}  // namespace xlrm
