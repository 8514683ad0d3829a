#pragma once

#include <map>
#include <string>

#include "xlrm/sweep/folder.hpp"
#include "xlrm/sweep/plan.hpp"

namespace xlrm {

//! What the outputs of a sweep folder record of where they come from, against the recipes of a plan.
class OutputRecords {
public:
    OutputRecords(const SweepFolder& folder, const Plan& plan) : folder_(folder), plan_(plan) {}

    //! Of what Task::found says is there.
    Verdict judge(const Task& task);
    //! A hash of what it records, 16 hexadecimal digits; "unknown" where it records nothing.
    std::string identity(const Task& task) const;

    // For tasks.
    const SweepFolder& folder() const { return folder_; }
    //! Recipe against recipe.
    Verdict compare(const Json& there, const Json& here, const TaskWording& wording) const;
    //! What a model or cell from before recipes says of itself: options, hashes of input files by name.
    Verdict compare_provenance(const Json& options, const Json& files, const Json& here, const TaskWording& wording) const;
    //! Hash of a model's weights as they are; "" where it is not there.
    std::string weights(const std::string& model);

private:
    const SweepFolder& folder_;
    const Plan& plan_;
    std::map<std::string, std::string> weights_;
};

}  // namespace xlrm
