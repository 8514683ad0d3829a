#pragma once

#include <cstdint>
#include <string>

#include "xlrm/store/cell_file.hpp"

namespace xlrm {

inline constexpr const char* kCellConventions = "XLRM-1";
inline constexpr std::int64_t kCellVersion = 1;

//! "layer_07".
std::string layer_name(int layer);
//! The number of such a name, or -1.
int layer_number(const std::string& name);
//! "cells/m/b.ko.h5" with ".sha256" → "cells/m/b.ko.sha256".
std::filesystem::path beside_cell(const std::filesystem::path& cell, const std::string& extension);

//! Throws Error, naming `name` and the array or item, unless the arrays of /scores agree in length, scores are finite, and each
//! item has a score for each of two answers or more, some of them right and some wrong. AnyCell: Cell or CellScores, so what is
//! read is checked like what is written.
template <class AnyCell>
void check_scores(const AnyCell& cell, const std::string& name);

//! The same of all that a cell holds.
void check_cell(const Cell& cell, const std::string& name);

}  // namespace xlrm
