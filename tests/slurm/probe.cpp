// Stand-in for xlrm_sweep in the tests of the batch scripts: work in counted units, and faults on demand.
//
//   probe --output DIR --status-file FILE     finishes unit after unit, one file each, until PROBE_UNITS exist
//   probe status DIR --json                   {"done": N}
//
// Environment: PROBE_UNITS, PROBE_UNIT_MS, PROBE_FAULT = kill-once (rank 1 dies by SIGKILL in unit 1 of the first launch)
// | kill (rank 1 dies at every start) | deaf (ignores the stop signal and SIGTERM's first second).
// DIR/launches gets one line a launch: "<ranks> <different hosts>"; DIR/stops one line a stop: "<ranks signalled> of <ranks>".
#include <mpi.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace {

namespace fs = std::filesystem;

volatile std::sig_atomic_t stop_flag = 0;

std::string setting(const char* name, const char* fallback) {
    const char* value = std::getenv(name);
    return value ? value : fallback;
}

int finished_units(const fs::path& dir) {
    int n = 0;
    while (fs::exists(dir / ("unit." + std::to_string(n)))) ++n;
    return n;
}

void append_line(const fs::path& path, const std::string& line) { std::ofstream(path, std::ios::app) << line << '\n'; }

int sum_over_ranks(int value) {
    int sum = 0;
    MPI_Allreduce(&value, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    return sum;
}

int count_hosts(int ranks) {
    std::vector<char> mine(64), all(64 * static_cast<std::size_t>(ranks));
    gethostname(mine.data(), 63);
    MPI_Allgather(mine.data(), 64, MPI_CHAR, all.data(), 64, MPI_CHAR, MPI_COMM_WORLD);
    std::set<std::string> names;
    for (int r = 0; r < ranks; ++r) names.insert(all.data() + 64 * r);
    return static_cast<int>(names.size());
}

// Returns the exit code of the "program": 0 done, 75 stopped.
int work(const fs::path& dir, int rank, int ranks) {
    const int units = std::stoi(setting("PROBE_UNITS", "4"));
    const auto unit_time = std::chrono::milliseconds(std::stoi(setting("PROBE_UNIT_MS", "500")));
    const std::string fault = setting("PROBE_FAULT", "");
    while (true) {
        MPI_Barrier(MPI_COMM_WORLD);
        const int unit = finished_units(dir);
        MPI_Barrier(MPI_COMM_WORLD);
        if (unit >= units) return 0;
        std::this_thread::sleep_for(unit_time);
        const fs::path died = dir / "died";
        const bool first_death = fault == "kill-once" && unit == 1 && !fs::exists(died);
        if (rank == 1 && (fault == "kill" || first_death)) {
            append_line(died, "unit " + std::to_string(unit));
            std::raise(SIGKILL);
        }
        const int signalled = sum_over_ranks(stop_flag);
        if (signalled > 0 && fault != "deaf") {
            if (rank == 0) append_line(dir / "stops", std::to_string(signalled) + " of " + std::to_string(ranks));
            return 75;
        }
        if (rank == 0) append_line(dir / ("unit." + std::to_string(unit)), "done");
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> args(argv + 1, argv + argc);
    if (args.size() == 3 && args[0] == "status") {
        std::cout << "{\"done\": " << finished_units(args[1]) << "}\n";
        return 0;
    }
    if (args.size() != 4 || args[0] != "--output" || args[2] != "--status-file") return 2;
    for (const int signal : {SIGUSR1, SIGTERM}) std::signal(signal, [](int) { stop_flag = 1; });
    MPI_Init(&argc, &argv);
    int rank = 0, ranks = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    const int hosts = count_hosts(ranks);
    if (rank == 0) {
        fs::create_directories(args[1]);
        append_line(fs::path(args[1]) / "launches", std::to_string(ranks) + " " + std::to_string(hosts));
    }
    const int code = work(args[1], rank, ranks);
    if (rank == 0) std::ofstream(args[3]) << "{\"exit\": " << code << ", \"reason\": \"probe\"}\n";
    MPI_Finalize();
    return 0;
}
