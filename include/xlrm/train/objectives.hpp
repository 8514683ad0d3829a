#pragma once

#include <memory>
#include <string>
#include <vector>

#include "xlrm/data/preference_row.hpp"
#include "xlrm/train/objective.hpp"
#include "xlrm/train/options.hpp"

namespace xlrm {

//! An objective as `--objective` names it.
struct ObjectiveEntry {
    const char* name;
    RowKind rows;   //!< what it learns from
    HeadKind head;  //!< what it trains on top of the decoder
    //! Options of [train] that have an effect under some objectives only, and do under this one.
    std::vector<std::string> options;
    std::unique_ptr<Objective> (*make)(const TrainOptions& options);
};

//! All objectives; a new one is a new entry.
const std::vector<ObjectiveEntry>& objectives();

std::vector<std::string> objective_names();

//! Throws Error(usage) that lists the known names.
const ObjectiveEntry& objective_entry(const std::string& name);

}  // namespace xlrm
