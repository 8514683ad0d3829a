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

//! Throws Error, naming `name` and the array or item, unless all arrays of the cell agree in length and scores are finite.
void check_cell(const Cell& cell, const std::string& name);

}  // namespace xlrm
