#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "xlrm/analysis/grid.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/json.hpp"

namespace xlrm {

class FileHashes;
class OutputRecords;
class SweepFolder;
class Workplace;
struct EstimateBook;
struct RecipeBook;

//! What a leader reports of a task: an empty reason = done; `returned` = stopped on request.
struct TaskOutcome {
    bool returned = false;
    std::string reason = {};
    ExitCode code = ExitCode::failure;  //!< of the reason
    Json facts = Json::object();        //!< for the ledger's "done" line: {"rows_tokenised": 1200}
};

//! Whether an output comes from what the plan asks for.
struct Verdict {
    enum Agreement { yes, by_provenance, unknown, no };
    Agreement agrees = yes;
    std::string what = {};     //!< as in Difference, where it does not
    std::string rename = {};   //!< likewise
    std::string through = {};  //!< the output of another task by which alone it differs; "" where there is more
};

//! How the records of a task's output are put into words, and what they are compared with.
struct TaskWording {
    std::string verb = "was made";
    std::string rename = {};         //!< what could have another name to be told apart: "source", "benchmark", "base"
    std::string rows_option = {};    //!< whose rows it is made of: "data.train"
    Json defaults = Json::object();  //!< of `options` in its recipe that an earlier version did not record
    //! An entry of the recipe that stands for another task's output → {what to say where it differs, that output}.
    std::map<std::string, std::pair<std::string, std::string>> needed = {};
};

//! What is left to compute and to store for one task.
struct TaskWork {
    double flops = 0.0, bytes = 0.0;
};

//! One unit of work of a sweep for one group of ranks: what it makes, from what, and how. Coordinator, folder, ledger, status,
//! report, comparison and superseding know this class alone; each kind is one file in src/sweep/tasks and one line in the table
//! of kinds (task_kinds.hpp). A task is made by its kind, from a configuration or from plan.json, and does not change then.
class Task {
public:
    virtual ~Task() = default;

    // Who it is.
    virtual const char* kind() const = 0;  //!< for people and JSON: "train"
    //! Unique in a plan, the same in every run: "train base.en.s1". What the ledger calls it.
    virtual std::string name() const = 0;
    //! Its place in the sweep's folder, unique in a plan: "models/base.en.s1".
    virtual std::string output() const = 0;
    //! Files that belong to the output and move with it.
    virtual std::vector<std::string> beside() const { return {}; }
    //! What its kind needs to make it again, for plan.json.
    virtual Json fields() const = 0;

    // When, and where.
    std::vector<int> needs;  //!< indices in the plan, all before its own, of the tasks whose outputs it reads
    double cost = 1.0;       //!< relative; longer ones are handed out first
    int ranks = 0;           //!< the size of the group that it wants; 0 = any, kAllRanks = all, and last
    //! The model that it makes or works with: among equals a group gets those of the model that it had last. "" = none.
    virtual std::string model() const { return ""; }
    //! Nothing of the grid can be without it: the sweep ends with its error.
    virtual bool essential() const { return false; }
    //! Its output serves the tasks that need it and is no result: where they are all done, it need not be there.
    virtual bool intermediate() const { return false; }
    //! It sums up the outputs that it needs, those that are there: it is done once they are made or have failed, again when one
    //! of them is made, and differs from the plan wherever one of them does. No result is judged by it.
    virtual bool derived() const { return false; }

    // What is there. (What it comes from is another question.)
    //! Whether the output is there and whole.
    virtual bool done(const SweepFolder& folder) const = 0;
    //! Whether the output's bytes are those that were written; nothing where it is not there, or keeps no hash.
    virtual std::optional<bool> verifies(const SweepFolder&, FileHashes&) const { return {}; }
    //! What of the task is there to be compared: its output, an unfinished one's checkpoint, or "".
    virtual std::string found(const SweepFolder& folder) const;

    // What it comes from (recipes.hpp, compare.hpp).
    //! What determines the output. The recipes of what it needs are in the book already.
    virtual Json recipe(const RecipeBook& book) const = 0;
    //! What found() records of that: its recipe, else what there is; null where there is nothing.
    virtual Json recorded(const SweepFolder& folder) const = 0;
    virtual TaskWording wording() const { return {}; }
    //! Compares what found() records with `planned`, its recipe. Default: recipe against recipe.
    virtual Verdict judge(OutputRecords& records, const Json& planned) const;

    // Doing it.
    //! Collective over place.group. Makes the output, whole or not at all, with its recipe in it. An error that all ranks of the
    //! group see alike is thrown marked as agreed. `stop` reads true on every rank's own account; the group agrees on it.
    virtual TaskOutcome run(Workplace& place, const std::function<bool()>& stop) const = 0;

    // What it is for.
    //! Adds what the tables read of it.
    virtual void add_to(Grid&, const SweepFolder&) const {}
    virtual TaskWork estimate(const EstimateBook&) const { return {}; }
};

//! Task::ranks of a task that wants all ranks there are, once every other task has ended.
inline constexpr int kAllRanks = -1;

using TaskPointer = std::shared_ptr<const Task>;

}  // namespace xlrm
