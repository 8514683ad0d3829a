#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "xlrm/analysis/result_table.hpp"
#include "xlrm/analysis/statement.hpp"
#include "xlrm/core/json.hpp"

namespace xlrm {

//! What one part made: tables, and texts that are written as they are in place of a table's own ("transfer.csv").
struct PartResult {
    std::vector<ResultTable> tables;
    std::map<std::string, std::string> files;
};

//! OUT/analysis/parts/<part>.json: {"identity": hash of inputs and options, "tables": […], "files": {name: text}}.
void write_part(const std::filesystem::path& path, const std::string& identity, const PartResult& part);
//! The stored part, where it has this identity; `found` says whether. A file that cannot be read counts as absent.
PartResult read_part(const std::filesystem::path& path, const std::string& identity, bool* found);

//! summary.json, schema "XLRM-analysis-summary-1": `head`, then statements ([{code, place, text}]), parts ({name: "done" | "not
//! computed"}), and tables: {name: {title, note, columns, rows}}, a row an object of its columns; a value that is not defined is
//! null and has its reason in the row's "undefined".
Json summary_json(const Json& head, const Statements& statements, const std::map<std::string, bool>& parts,
                  const std::vector<ResultTable>& tables);

//! Writes each table as CSV, Markdown and LaTeX into `folder`, and all into analysis.h5.
void write_tables(const std::filesystem::path& folder, const PartResult& all);

}  // namespace xlrm
