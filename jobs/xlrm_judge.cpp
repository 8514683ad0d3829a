// Answers judged by a language model, here or elsewhere: verdicts into a cell.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "xlrm/comm/run_job.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/eval/judge.hpp"

using namespace xlrm;

int main(int argc, char** argv) {
    JudgeJob job;
    std::vector<std::string> words;
    Options options("xlrm_judge", "Asks a language model which answers are better, and writes its verdicts as a cell.");
    describe(options, job);
    options.positional(&words, "run (default): a model judges here; export: requests for a service; import: its replies");
    return run_job(argc, argv, std::move(options), [&](const Communicator& world, const Options& parsed) {
        if (!words.empty()) job.verb = words.front();
        const std::vector<std::string> verbs = {"run", "export", "import"};
        if (words.size() > 1 || std::ranges::count(verbs, job.verb) == 0)
            fail("'" + job.verb + "' is none of run, export, import, of which one may be given", ExitCode::usage);
        check_given(parsed, job);
        if (parsed.dry_run()) {
            const std::string report = judge_report(world, job);
            if (world.root()) std::fputs(report.c_str(), stdout);
            return JobEnd(ExitCode::done);
        }
        return run_judge(world, job);
    });
}
