#pragma once

#include <string>
#include <vector>

#include "xlrm/sweep/folder.hpp"
#include "xlrm/sweep/plan.hpp"

namespace xlrm {

//! An output that is there but does not come from what the plan asks for under its name.
struct Difference {
    std::string output;  //!< "models/base.all.s1"
    std::string what;    //!< "was trained in the languages en+es, not en+es+ko"
    std::string rename;  //!< what could be named otherwise instead ("source"); "" where only another folder helps
    struct Output {
        std::string name;
        std::string identity;                  //!< 16 hexadecimal digits of a hash of what it records
        std::vector<std::string> beside = {};  //!< what belongs to it (Task::beside)
    };
    std::vector<Output> outputs;  //!< this one, then those that need it and differ by that alone
    std::size_t dependents() const { return outputs.size() - 1; }
};

struct Comparison {
    bool planned = true;  //!< whether the plan has recipes; without, only the weights of cells are compared
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

//! What there is to say of outputs that record no recipe, or of a plan without any; "" where all do.
std::string format_unrecorded(const Comparison& comparison);
void warn_of_unrecorded(const SweepFolder& folder, const Comparison& comparison);

//! Throws Error naming the outputs that differ, those that are derived not among them: no result is judged by these.
Comparison require_same_results(const SweepFolder& folder, const Plan& plan);

//! Throws Error naming inputs of the plan that have changed since.
void require_same_inputs(const SweepFolder& folder, const Plan& plan);

}  // namespace xlrm
