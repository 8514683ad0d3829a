#include <cstdlib>
#include <exception>
#include <string>

#include "xlrm/comm/communicator.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm {

namespace {

int slurm_tasks() {
    for (const char* name : {"SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"}) {
        if (const char* text = std::getenv(name)) return std::atoi(text);
    }
    return 1;
}

//! Whether this process was started as one of several tasks of a Slurm step (not by hand inside a batch script).
bool one_of_a_step() {
    return std::getenv("SLURM_STEP_ID") != nullptr && std::getenv("SLURM_PROCID") != nullptr && slurm_tasks() > 1;
}

}  // namespace

Session::Session(int& argc, char**& argv) : exceptions_(std::uncaught_exceptions()) {
    check_mpi(MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &thread_level_), "MPI_Init_thread");
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    int size = 1;
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (size == 1 && one_of_a_step() && std::getenv("OMPI_COMM_WORLD_SIZE") == nullptr) {
        fail("Slurm started " + std::to_string(slurm_tasks()) +
                 " tasks, but MPI sees one rank (each task would do the whole work, in one "
                 "folder); launch with srun --mpi=pmix, or with mpirun",
             ExitCode::usage);
    }
}

Session::~Session() {
    if (std::uncaught_exceptions() <= exceptions_) MPI_Finalize();
}

}  // namespace xlrm
