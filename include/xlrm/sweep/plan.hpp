#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "xlrm/core/json.hpp"
#include "xlrm/sweep/config.hpp"
#include "xlrm/sweep/task.hpp"

namespace xlrm {

struct SweepInputs;

//! What a sweep is to make: a graph of tasks, each after those that it needs, in a fixed order. In the folder it is plan.json,
//! schema "XLRM-plan-2":
//!     {"schema", "bases": [{"name", "folder"}], "models": likewise, "sources": [{"name", "langs"}], "targets", "benchmarks",
//!      "seeds", "tasks": [{"kind", "needs": [index], "cost", "ranks", and the kind's own fields}], "inputs", "recipes"}
//! Version 1 (tasks of the kinds floor, train and evaluate, which need at most one other; the world, the tokenizer and the bases
//! made here are in its recipes alone) is read too.
struct Plan {
    std::vector<Base> bases;
    std::vector<Base> models;  //!< that are given ready
    std::vector<Source> sources;
    std::vector<std::string> targets, benchmarks;
    std::vector<std::int64_t> seeds;
    std::vector<TaskPointer> tasks;
    //! What was read (SweepInputs::to_json) and what each output is to come from (recipes.hpp), by its place in the folder
    //! ("models/base.en.s1"). Empty in plans of earlier versions.
    Json inputs = Json::object(), recipes = Json::object();

    const Task& task(int index) const { return *tasks[static_cast<std::size_t>(index)]; }
    //! Index of the task that makes `output`; -1 where none does.
    int index_of(const std::string& output) const;

    Json to_json() const;
    static Plan from_json(const Json& json);
    //! The graph in Graphviz's language, the boxes of `done` tasks filled.
    std::string to_dot(const std::vector<bool>& done) const;
};

//! The grid without recipes. With `inputs`, what was read, it has the tasks that prepare rows too; the bases that are given
//! must be there then.
Plan make_plan(const SweepConfig& config, const SweepInputs* inputs = nullptr);

}  // namespace xlrm
