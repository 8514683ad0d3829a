// Main of every test: fails unless it was launched on the expected number of ranks, when no test ran, and when any rank
// failed. Failures of every rank are printed with the rank.
#include <gtest/gtest.h>
#include <mpi.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

class RankPrefix : public testing::EmptyTestEventListener {
public:
    explicit RankPrefix(int rank) : rank_(rank) {}
    // Kept here because asking GoogleTest while it reports a result would wait for the lock it holds.
    void OnTestStart(const testing::TestInfo& info) override { test_ = std::string(info.test_suite_name()) + "." + info.name(); }
    void OnTestPartResult(const testing::TestPartResult& result) override {
        if (result.passed()) return;
        std::fprintf(stderr, "[rank %d] %s%s: %s:%d\n%s\n", rank_, test_.c_str(), result.skipped() ? " skipped" : "",
                     result.file_name() ? result.file_name() : "?", result.line_number(), result.message());
    }

private:
    int rank_;
    std::string test_;
};

}  // namespace

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    int provided = 0;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    int rank = 0;
    int size = 1;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    const char* expected = std::getenv("XLRM_TEST_NP");
    if (expected != nullptr && std::stoi(expected) != size) {
        std::fprintf(stderr, "launched on %d ranks, expected %s\n", size, expected);
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    testing::TestEventListeners& listeners = testing::UnitTest::GetInstance()->listeners();
    if (rank != 0) delete listeners.Release(listeners.default_result_printer());
    listeners.Append(new RankPrefix(rank));
    int failed = RUN_ALL_TESTS();
    if (testing::UnitTest::GetInstance()->test_to_run_count() == 0) failed = 1;
    int worst = 0;
    MPI_Allreduce(&failed, &worst, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    MPI_Finalize();
    return worst;
}
