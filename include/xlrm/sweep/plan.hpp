#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "xlrm/core/json.hpp"
#include "xlrm/sweep/config.hpp"

namespace xlrm {

//! floor: the surface-feature baseline of one source; train: one reward model; evaluate: one cell.
enum class TaskKind { floor, train, evaluate };

//! One unit of work for one group of ranks.
struct Task {
    TaskKind kind = TaskKind::evaluate;
    std::string base, source, benchmark, target;
    std::int64_t seed = 0;
    int needs = -1;     //!< index of the train task that must be done first
    double cost = 1.0;  //!< relative; longer ones are handed out first

    //! "base.en.s1", or "base" for the base model's own row.
    std::string model() const;
    //! "train base.en.s1", "evaluate base.en.s1 xnli.ko", "floor en xnli".
    std::string name() const;
};

//! The whole grid, in a fixed order: floors, trainings, then the cells of every model, base models included. In the folder it is
//! plan.json, schema "XLRM-plan-1".
struct Plan {
    std::vector<Base> bases;
    std::vector<Source> sources;
    std::vector<std::string> targets, benchmarks;
    std::vector<std::int64_t> seeds;
    std::vector<Task> tasks;
    //! What was read (SweepInputs::to_json) and what each output is to come from (recipes.hpp), by its place in the folder
    //! ("models/base.en.s1"). Empty in plans of earlier versions.
    Json inputs = Json::object(), recipes = Json::object();

    Json to_json() const;
    static Plan from_json(const Json& json);
};

//! The grid alone, without inputs and recipes.
Plan make_plan(const SweepConfig& config);

}  // namespace xlrm
