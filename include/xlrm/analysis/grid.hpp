#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "xlrm/core/file_hashes.hpp"

namespace xlrm {

//! GridCell::source of a model that is given ready. No source has this name.
inline constexpr const char* kGivenModel = "(given)";

//! What a base model's name is followed by where it was evaluated in bf16 beside fp32: cells/<base>.bf16/<benchmark>.<target>.h5.
//! Such cells differ from the base's own by rounding.
inline constexpr const char* kNoiseFloor = ".bf16";

//! One cell of a grid: a model, judged on a benchmark in a target language.
struct GridCell {
    std::string base;
    //! What the reward model was trained on. "": the base model's own cell, which has no scores; kGivenModel: what that model was
    //! trained on is its own affair, and it may have no scores.
    std::string source;
    std::string model;  //!< "base.en.s1"
    std::string benchmark, target;
    std::int64_t seed = 0;
    std::filesystem::path file;
};

struct GridSource {
    std::string name;
    bool single = true;  //!< one language, and not several together
};

//! What is analysed: sources, targets, and the files of cells and floors, in the order of the plan. Cells that do not verify
//! count as missing.
struct Grid {
    std::vector<GridSource> sources;
    std::vector<std::string> targets;
    std::vector<GridCell> cells;
    //! The base models' cells of kNoiseFloor precision, which show what rounding alone moves. Never among `cells`.
    std::vector<GridCell> noise_floor;
    std::map<std::pair<std::string, std::string>, std::filesystem::path> floors;  //!< (source, benchmark) → surface_floor.hpp
    FileHashes* hashes = nullptr;                                                 //!< remembered hashes of those files
};

}  // namespace xlrm
