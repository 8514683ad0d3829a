// Preference pairs or documents → a trained model folder with its metrics.
#include <cstdio>
#include <string>

#include "xlrm/comm/run_job.hpp"
#include "xlrm/core/profile.hpp"
#include "xlrm/train/trainer.hpp"

int main(int argc, char** argv) {
    xlrm::TrainOptions train;
    std::string profile;
    xlrm::Options options("xlrm_train", "Trains a reward model from preference pairs (bt), or a language model from texts (lm).");
    options.section("train");
    describe(options, train);
    options.add("profile", &profile, "FILE", "time by stage and operation: a Chrome trace (FILE.rankN of several ranks), a table on standard error");
    return xlrm::run_job(argc, argv, std::move(options), [&](const xlrm::Communicator& comm, const xlrm::Options& given) {
        if (given.dry_run()) {
            const std::string report = xlrm::training_report(comm, train);
            if (comm.root()) std::fputs(report.c_str(), stdout);
            return xlrm::ExitCode::done;
        }
        xlrm::TrainOutcome outcome;
        xlrm::run_profiled(profile, comm.rank(), comm.size(), [&] { outcome = xlrm::train(comm, train, xlrm::stop_requested); });
        return outcome.stopped ? xlrm::ExitCode::stopped : xlrm::ExitCode::done;
    });
}
