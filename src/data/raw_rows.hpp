#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "xlrm/core/json.hpp"

namespace xlrm {

//! Gives one row as JSON; called only for the rows that are wanted, for it is what costs. Throws Error naming file, row and
//! column.
using RawRow = std::function<Json()>;

bool is_prepared(const std::filesystem::path& path);  //!< .h5, in capitals too

//! Calls `row(number, raw)` for each row of a file, numbers from 1: the lines that are not blank of JSON lines, plain or
//! compressed by gzip; the elements of a file that is one JSON list; the rows of Parquet. What a file is, its first bytes say
//! (and .parquet its name). The file may be read several times, so it must be a regular one. Throws Error(io) for a file that
//! cannot be read, Error for one of another form, with what to do about it.
void for_each_raw_row(const std::filesystem::path& path, const std::function<void(std::int64_t number, const RawRow& raw)>& row);

//! The rows of a Parquet file. Lists, structs and maps become arrays and objects, null and NaN become null, numbers of every type
//! numbers, bytes that are no UTF-8 an empty binary value, what JSON has no form for (dates) its text. Throws Error for a file
//! that Arrow refuses, or a build without Arrow.
void for_each_parquet_row(const std::filesystem::path& path,
                          const std::function<void(std::int64_t number, const RawRow& raw)>& row);

}  // namespace xlrm
