#include "xlrm/sweep/task.hpp"

#include "output_records.hpp"
#include "xlrm/sweep/folder.hpp"

namespace xlrm {

std::string Task::found(const SweepFolder& folder) const {
    return std::filesystem::exists(folder.place(output())) ? output() : "";
}

Verdict Task::judge(OutputRecords& records, const Json& planned) const {
    const Json there = recorded(records.folder());
    return there.is_null() || planned.is_null() ? Verdict{.agrees = Verdict::unknown}
                                                : records.compare(there, planned, wording());
}

}  // namespace xlrm
