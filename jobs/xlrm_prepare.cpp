// Preference rows or documents → tokens in one file (pairs.h5), and sentencepiece models from the same rows.
#include <cstdio>

#include "xlrm/comm/run_job.hpp"
#include "xlrm/text/prepare_job.hpp"

int main(int argc, char** argv) {
    xlrm::PrepareJob job;
    xlrm::Options options("xlrm_prepare", "Checks and tokenises preference rows or documents, and reports on each language.");
    job.describe(options);
    return xlrm::run_job(argc, argv, std::move(options), [&](const xlrm::Communicator& comm, const xlrm::Options& given) {
        const std::string report = job.run(comm, given.dry_run());
        if (comm.root()) std::fputs(report.c_str(), stdout);
        return xlrm::ExitCode::done;
    });
}
