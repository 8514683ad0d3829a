// The cells of a sweep → tables, tests and intervals: OUT/analysis.
#include <cstdio>
#include <string>

#include "xlrm/analysis/analyze.hpp"
#include "xlrm/comm/run_job.hpp"
#include "xlrm/core/profile.hpp"

int main(int argc, char** argv) {
    xlrm::AnalyzeOptions analysis;
    std::string profile;
    xlrm::Options options(
        "xlrm_analyze",
        "Turns the cells of a sweep folder into tables: accuracies, gaps between reward models, tests, agreement, "
        "calibration. Writes OUT/analysis.");
    describe(options, analysis);
    options.add("profile", &profile, "FILE",
                "time by part: a Chrome trace (FILE.rankN of several ranks), a table on standard error");
    return xlrm::run_job(argc, argv, std::move(options), [&](const xlrm::Communicator& world, const xlrm::Options& given) {
        if (given.dry_run()) {
            const std::string report = xlrm::analysis_report(world, analysis);
            if (world.root()) std::fputs(report.c_str(), stdout);
            return xlrm::ExitCode::done;
        }
        xlrm::run_profiled(profile, world.rank(), world.size(), [&] { xlrm::run_analyze(world, analysis); });
        return xlrm::ExitCode::done;
    });
}
