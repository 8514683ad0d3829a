#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "xlrm/core/file_hashes.hpp"

namespace xlrm {

//! One cell of a sweep as its index lists it.
struct IndexRow {
    std::string file;    //!< relative to the index's folder, "cells/<model>/<benchmark>.<lang>.h5"
    std::string sha256;  //!< of that file
    std::string model, source_lang, target_lang, benchmark;
    std::int64_t seed = 0;
    std::int64_t items = 0;
    double accuracy = 0.0;  //!< share of items with chosen > rejected (a tie is wrong); NaN for a base model without scores
};

//! The row of `root / file`, read from the cell itself. The benchmark is the file name up to its last ".<lang>.h5". Throws
//! Error unless the cell verifies.
IndexRow index_row(const std::filesystem::path& root, const std::filesystem::path& file, FileHashes* hashes = nullptr);

//! Rows of all cells below `root / "cells"` that verify, by file name; the others are named in `damaged`.
std::vector<IndexRow> collect_index(const std::filesystem::path& root, std::vector<std::string>* damaged = nullptr,
                                    FileHashes* hashes = nullptr);

//! index.h5, schema "XLRM-index-1": /cells/file sha256 model source target benchmark (UTF-8), seed, n (int64), accuracy
//! (float64), all (cell); /links/<model>/<benchmark>.<lang> = external link to the cell, relative to the index's folder. Not a
//! virtual dataset: that would read zeros where a cell is missing, a link gives an error. Atomic; equal rows give equal bytes.
//! Throws Error for a file name that is absolute or leads out of the folder, and for two rows of one file.
void write_index(const std::filesystem::path& path, const std::vector<IndexRow>& rows);

//! Throws Error naming file and dataset.
std::vector<IndexRow> read_index(const std::filesystem::path& path);

}  // namespace xlrm
