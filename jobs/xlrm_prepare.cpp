// Preference rows or documents → tokens in one file (pairs.h5), and sentencepiece models from the same rows.
#include <cstdio>

#include "xlrm/comm/run_job.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/data/prepare_job.hpp"

namespace {

//! An option that would change nothing is refused.
void check_given(const xlrm::Options& given, const xlrm::PrepareJob& job) {
    const auto refuse = [&](const char* name, bool useless, const char* owner) {
        if (useless && given.given(std::string("prepare.") + name)) {
            xlrm::fail(std::string("--") + name + " belongs to " + owner + ", so it would change nothing here; leave it out",
                       xlrm::ExitCode::usage);
        }
    };
    refuse("vocab-size", job.train_sentencepiece.empty(), "--train-sentencepiece");
    refuse("character-coverage", job.train_sentencepiece.empty(), "--train-sentencepiece");
    refuse("seed", job.train_sentencepiece.empty() && !job.concatenate, "--concatenate and --train-sentencepiece");
}

}  // namespace

int main(int argc, char** argv) {
    xlrm::PrepareJob job;
    xlrm::Options options("xlrm_prepare", "Checks and tokenises preference rows or documents, and reports on each language.");
    job.describe(options);
    return xlrm::run_job(argc, argv, std::move(options), [&](const xlrm::Communicator& comm, const xlrm::Options& given) {
        check_given(given, job);
        const std::string report = job.run(comm, given.dry_run());
        if (comm.root()) std::fputs(report.c_str(), stdout);
        return xlrm::ExitCode::done;
    });
}
