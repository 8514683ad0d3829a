// What a reward model does to a policy: samples with scores into best-of-n curves.
#include <cstdio>
#include <string>
#include <vector>

#include "xlrm/align/best_of_n.hpp"
#include "xlrm/comm/run_job.hpp"
#include "xlrm/core/error.hpp"

using namespace xlrm;

int main(int argc, char** argv) {
    BestOfNOptions best;
    std::vector<std::string> words;
    Options options("xlrm_align", "What reward models do to a policy, from its scored samples.");
    describe(options, best);
    options.positional(&words, "best-of-n: the gold score of what a proxy prefers among n samples");
    return run_job(argc, argv, std::move(options), [&](const Communicator& world, const Options& parsed) {
        if (words != std::vector<std::string>{"best-of-n"})
            fail("xlrm_align: say what is to be done: best-of-n (xlrm_align best-of-n --samples FILE --proxy NAME --gold NAME)",
                 ExitCode::usage);
        if (parsed.dry_run()) {
            const std::string report = best_of_n_report(world, best);
            if (world.root()) std::fputs(report.c_str(), stdout);
            return ExitCode::done;
        }
        run_best_of_n(world, best);
        return ExitCode::done;
    });
}
