// Texts of one language model for the prompts of rows, into samples.jsonl.
#include <cstdio>
#include <string>

#include "xlrm/comm/run_job.hpp"
#include "xlrm/core/profile.hpp"
#include "xlrm/eval/generate.hpp"

using namespace xlrm;

int main(int argc, char** argv) {
    GenerateJob job;
    std::string profile;
    Options options(
        "xlrm_generate",
        "Generates texts for prompts: greedy, sampled or by beam search. A text depends on the model, its prompt, the "
        "options and the seed, not on what is generated beside it.");
    describe(options, job);
    options.add("profile", &profile, "FILE",
                "time by stage and operation: a Chrome trace (FILE.rankN of several ranks), a table on standard error");
    return run_job(argc, argv, std::move(options), [&](const Communicator& world, const Options& parsed) {
        check_given(parsed, job);
        if (parsed.dry_run()) {
            const std::string report = generation_report(world, job);
            if (world.root()) std::fputs(report.c_str(), stdout);
            return JobEnd(ExitCode::done);
        }
        JobEnd end(ExitCode::done);
        run_profiled(profile, world.rank(), world.size(), [&] { end = run_generate(world, job); });
        return end;
    });
}
