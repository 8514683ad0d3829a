// One model on one data set: scores and layer activations into a cell file.
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "xlrm/comm/run_job.hpp"
#include "xlrm/core/profile.hpp"
#include "xlrm/eval/evaluate.hpp"

using namespace xlrm;

int main(int argc, char** argv) {
    EvaluateJob job;
    std::string profile;
    Options options("xlrm_evaluate",
                    "Scores preference rows with a reward model and stores scores and layer activations in one HDF5 cell.");
    describe(options, job);
    options.add("profile", &profile, "FILE",
                "time by stage and operation: a Chrome trace (FILE.rankN of several ranks), a table on standard error");
    return run_job(argc, argv, std::move(options), [&](const Communicator& world, const Options& parsed) {
        check_given(parsed, job);
        if (parsed.dry_run()) {
            const std::string report = evaluation_report(world, job);
            if (world.root()) std::fputs(report.c_str(), stdout);
            return ExitCode::done;
        }
        ExitCode code = ExitCode::done;
        run_profiled(profile, world.rank(), world.size(), [&] { code = run_evaluate(world, job); });
        return code;
    });
}
