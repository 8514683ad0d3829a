#pragma once

#include <string>
#include <vector>

#include "xlrm/sweep/folder.hpp"
#include "xlrm/sweep/plan.hpp"

namespace xlrm {

//! An output that is there but does not come from what the plan asks for under its name.
struct Difference {
    std::string output;           //!< "models/base.all.s1"
    std::string what;             //!< "was trained in the languages en+es, not en+es+ko"
    std::string rename;           //!< what could be named otherwise instead ("source"); "" where only another folder helps
    std::string input;            //!< key of Plan::inputs whose content differs ("data.train"); "" for an option
    std::int64_t dependents = 0;  //!< outputs that need this one and differ by that alone
};

struct Comparison {
    std::vector<Difference> differences;
    std::vector<std::string> by_provenance;  //!< record no recipe (an earlier version's), but all that they do record agrees
    std::vector<std::string> unknown;        //!< record no recipe, and too little else to tell
};

//! Compares what each output that is there records with plan.recipes, a cell's weights with those of its model, and a model's
//! with what its training wrote. Outputs without a recipe are judged by their provenance: options, hashes of input files,
//! weights. Reads each file that must be hashed once (SweepFolder::hashes).
Comparison compare_outputs(const SweepFolder& folder, const Plan& plan);

//! A line for each difference, at most `most` of them.
std::string format_differences(const Comparison& comparison, std::size_t most = 12);

//! What there is to say of outputs that record no recipe, a line each; "" where all do.
std::string format_unrecorded(const Comparison& comparison);

//! Throws Error naming the outputs that differ; warns of those without a recipe. `earlier`: inputs of the plan that the folder
//! was made by, where there is one: a difference that comes of other options, files or folders is the command line's (code
//! usage), any other the data's.
void require_same_results(const SweepFolder& folder, const Plan& plan, const Json& earlier);

//! Throws Error naming inputs of the plan that have changed since.
void require_same_inputs(const SweepFolder& folder, const Plan& plan);

}  // namespace xlrm
