#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "xlrm/core/json.hpp"

namespace xlrm {

//! Gives one row as JSON; called only for the rows that are wanted, for it is what costs. Throws Error naming file, row and column.
using RawRow = std::function<Json()>;

//! Calls `row(number, raw)` for each row of a file, numbers from 1: the lines of .jsonl and .jsonl.gz that are not blank, the rows of
//! .parquet. Throws Error(io) for a file that cannot be read.
void for_each_raw_row(const std::filesystem::path& path, const std::function<void(std::int64_t number, const RawRow& raw)>& row);

//! The rows of a Parquet file. Lists and structs become arrays and objects, null and NaN become null, what JSON has no form for (dates)
//! its text. Throws Error for a file that Arrow refuses, text that is no UTF-8, or a build without Arrow.
void for_each_parquet_row(const std::filesystem::path& path, const std::function<void(std::int64_t number, const RawRow& raw)>& row);

}  // namespace xlrm
