#pragma once

#include <map>
#include <string>

#include "xlrm/sweep/folder.hpp"
#include "xlrm/sweep/plan.hpp"

namespace xlrm {

enum class RecordKind { world, tokenizer, base, model, checkpoint, floor, cell };

//! Whether an output comes from what the plan asks for.
struct Verdict {
    enum Agreement { yes, by_provenance, unknown, no };
    Agreement agrees = yes;
    std::string what, rename;    //!< as in Difference, where it does not
    bool through_model = false;  //!< its model (of a model: its base) alone differs
};

//! What the outputs of a sweep folder record of where they come from, against the recipes of a plan.
class OutputRecords {
public:
    OutputRecords(const SweepFolder& folder, const Plan& plan) : folder_(folder), plan_(plan) {}

    //! `output`: its place in the folder, where it is. `task` of models, floors and cells; of a base its name alone.
    Verdict judge(const std::string& output, RecordKind kind, const Task& task);

    //! A hash of what it records of that, 16 hexadecimal digits; "unknown" where it records nothing.
    std::string identity(const std::string& output, RecordKind kind) const;

private:
    Json recorded(const std::string& output, RecordKind kind) const;
    Verdict judge_model(const std::string& output, RecordKind kind, const Task& task);
    Verdict judge_checkpoint(const std::string& output, const Task& task) const;
    Verdict judge_cell(const std::string& output, const Task& task);
    Verdict judge_floor(const std::string& output, const Task& task) const;
    //! Recipe against recipe.
    Verdict compare(const Json& there, const Json& here, RecordKind kind, const Task& task) const;
    //! What a model or cell from before recipes says of itself: options, hashes of input files by name.
    Verdict compare_provenance(const Json& options, const Json& files, const Json& here, RecordKind kind, const Task& task) const;
    //! Hash of a model's weights as they are; "" where it is not there.
    std::string weights(const std::string& model);
    std::string input_of(RecordKind kind, const Task& task) const;

    const SweepFolder& folder_;
    const Plan& plan_;
    std::map<std::string, std::string> weights_;
};

}  // namespace xlrm
