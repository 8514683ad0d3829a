#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "xlrm/sweep/compare.hpp"
#include "xlrm/sweep/folder.hpp"

namespace xlrm {

//! One output that gives way.
struct Superseded {
    std::string output;                    //!< "models/base.all.s1"
    std::string place;                     //!< "superseded/3f1c…/models/base.all.s1", below the sweep folder too
    std::vector<std::string> beside = {};  //!< what moves with it (Task::beside)
};

//! Where the outputs that differ go, each with what belongs to it (a cell's .sha256 and .run.json, a model's checkpoint):
//! superseded/<identity>/<output>, the identity a hash of the recipe that it records. A place that is taken gets a number.
std::vector<Superseded> superseded_by(const SweepFolder& folder, const Comparison& comparison);

//! Moves them there, so that the sweep makes them anew; nothing is deleted. Each move is logged to the ledger. An
//! interrupted call loses nothing; the next one moves what is left. Throws Error(io).
void supersede(const SweepFolder& folder, const std::vector<Superseded>& moves);

//! A line for each output that differs by itself, with how many come from it; "" for none.
std::string format_superseded(const Comparison& comparison, std::size_t most = 12);

}  // namespace xlrm
