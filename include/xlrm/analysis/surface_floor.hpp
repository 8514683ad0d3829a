#pragma once

#include <string>
#include <vector>

#include "xlrm/core/json.hpp"
#include "xlrm/data/prepare.hpp"

namespace xlrm {

//! What a floor is trained on and measured on; of the options the rows that they choose alone matter.
struct FloorRequest {
    struct Target {
        std::string name;
        PrepareOptions rows;
    };
    std::string source, benchmark;
    PrepareOptions training;
    std::vector<Target> targets;
};

//! The surface-feature floor of one source on one benchmark: hashed character n-grams with Bradley-Terry weights, trained on the
//! source's training rows, measured on every target:
//! {"source", "benchmark", "training_pairs", "targets": {lang: {"id", "occurrence", "subset": […], "right": [1|0.5|0 …]}}}, ½
//! where the floor is undecided. Items that a length limit leaves out of a cell are among them; of items with more than two
//! answers the first right and the first wrong one are compared. An item is its id and occurrence (Item::occurrence); files from
//! before it was kept lack it. Throws Error where no training row has the source's language.
Json surface_floor(const FloorRequest& request);

}  // namespace xlrm
