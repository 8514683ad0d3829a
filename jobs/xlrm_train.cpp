// Preference pairs or documents → a trained model folder with its metrics.
#include <cstdio>
#include <string>

#include "xlrm/comm/run_job.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/core/profile.hpp"
#include "xlrm/ops/device.hpp"
#include "xlrm/train/trainer.hpp"

int main(int argc, char** argv) {
    xlrm::TrainOptions train;
    std::string profile;
    xlrm::Options options("xlrm_train", "Trains a reward model from preference pairs (bt), or a language model from texts (lm).");
    options.section("train");
    describe(options, train);
    describe(options, train.forms);
    describe_device(options, &train.device);
    options.add("profile", &profile, "FILE",
                "time by stage and operation: a Chrome trace (FILE.rankN of several ranks), a table on standard error");
    return xlrm::run_job(argc, argv, std::move(options),
                         [&](const xlrm::Communicator& comm, const xlrm::Options& given) -> xlrm::JobEnd {
                             xlrm::together(comm, [&] { xlrm::check_given(given, "train", train); });
                             if (given.dry_run()) {
                                 const std::string report = xlrm::training_report(comm, train);
                                 if (comm.root()) std::fputs(report.c_str(), stdout);
                                 return xlrm::ExitCode::done;
                             }
                             xlrm::TrainOutcome outcome;
                             xlrm::run_profiled(profile, comm.rank(), comm.size(),
                                                [&] { outcome = xlrm::run_training(comm, train, xlrm::stop_requested); });
                             if (outcome.stopped)
                                 return xlrm::JobEnd(xlrm::ExitCode::stopped, xlrm::stop_sentence(train, outcome));
                             return xlrm::ExitCode::done;
                         });
}
