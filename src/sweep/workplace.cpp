#include "xlrm/sweep/workplace.hpp"

#include "xlrm/comm/together.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/data/prepare.hpp"
#include "xlrm/eval/evaluator.hpp"

namespace xlrm {

Workplace::Workplace(const Communicator& ranks, const SweepConfig& sweep, const SweepFolder& output, const Plan& tasks)
    : group(ranks), config(sweep), folder(output), plan(tasks) {}

Workplace::~Workplace() = default;

TaskOutcome Workplace::work(const Task& task, const std::function<bool()>& stop) {
    TaskOutcome outcome;
    const std::int64_t before = rows_tokenised();
    const Problem problem = attempt([&] { outcome = task.run(*this, stop); });
    if (problem) {
        unload();
        if (group.size() > 1 && !problem.agreed) throw Error(problem.message, problem.code);
        const bool stopped = problem.code == ExitCode::stopped;
        return {.returned = stopped, .reason = stopped ? "" : problem.message, .code = problem.code};
    }
    std::int64_t rows = rows_tokenised() - before;
    group.sum(std::span(&rows, 1));
    if (rows > 0) outcome.facts["rows_tokenised"] = rows;
    return outcome;
}

void Workplace::require_planned(const std::string& option) const {
    for (const Json& file : plan.inputs.at(option).at("files")) {
        const std::string path = file.at("path");
        if (folder.hashes().sha256(path) != file.at("sha256")) {
            fail(path +
                 ": the file has changed since the sweep began (its results would be of other rows than planned); run the sweep "
                 "again");
        }
    }
}

void Workplace::unload() {
    evaluator.reset();
    loaded.clear();
}

}  // namespace xlrm
