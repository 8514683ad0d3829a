#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "xlrm/store/cell_file.hpp"

namespace xlrm {

//! An item within one benchmark and language: id and occurrence (Item::occurrence).
using ItemKey = std::pair<std::string, std::int32_t>;

//! Verdicts of a floor, by item of one language: right (1), wrong (0), or half for an undecided floor.
using Judged = std::map<ItemKey, double>;
using FloorMap = std::map<std::string, Judged>;  //!< target → judged

//! The floor in `path` (surface_floor.hpp); empty where there is none.
FloorMap read_floor(const std::filesystem::path& path);

std::set<ItemKey> keys_of(const CellScores& cell);

//! Leaves out of `cell` the items that are not in `common`.
void keep_common(CellScores& cell, const std::set<ItemKey>& common);

}  // namespace xlrm
