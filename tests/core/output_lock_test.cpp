#include "xlrm/core/output_lock.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <functional>
#include <new>
#include <optional>
#include <thread>

#include "support/temporary_folder.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/json.hpp"

namespace xlrm {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr LockTiming kQuick{20ms, 400ms};

std::vector<std::string> names_in(const fs::path& folder) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

//! What the refusal says; "" where the lock is given.
std::string refusal(const fs::path& output, OutputKind kind = OutputKind::replaced,
                    const ProcessIdentity& self = this_process()) {
    try {
        const OutputLock lock(output, kind, {}, kQuick, self);
        return "";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::failure) << error.what();
        return error.what();
    }
}

//! The identity of a process on another machine.
ProcessIdentity foreign() {
    ProcessIdentity other = this_process();
    other.host = "elsewhere";
    return other;
}

//! A lock file whose owner is `owner`, as it lies there after that owner was killed.
void plant(const fs::path& output, const ProcessIdentity& owner) {
    const Json json = {{"host", owner.host},  {"process", owner.pid}, {"program", "xlrm_train"},
                       {"since", "then"},     {"boot", owner.boot},   {"namespace_of_ids", owner.namespace_of_ids},
                       {"start", owner.start}};
    write_file_atomic(lock_path(output, OutputKind::replaced), json.dump());
}

//! A child process, which ends with its parent; its exit status is that of `work`.
pid_t start_process(const std::function<int()>& work) {
    const pid_t pid = ::fork();
    if (pid != 0) return pid;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    try {
        ::_exit(work());
    } catch (const std::exception& error) {
        std::fprintf(stderr, "process %d: %s\n", ::getpid(), error.what());
    }
    ::_exit(99);
}

int end_of(pid_t pid) {
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

//! Starts a process that takes the lock of `output` and never releases it; returns when it has it.
pid_t start_owner(const fs::path& output, const ProcessIdentity* other = nullptr) {
    const pid_t pid = start_process([&] {
        ProcessIdentity self = other != nullptr ? *other : this_process();
        const OutputLock lock(output, OutputKind::replaced, {}, kQuick, self);
        std::ofstream(output.string() + ".taken") << "x";
        for (;;) ::pause();
        return 0;
    });
    while (!fs::exists(output.string() + ".taken")) std::this_thread::sleep_for(1ms);
    fs::remove(output.string() + ".taken");
    return pid;
}

void kill_process(pid_t pid) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
}

TEST(OutputLock, RefusesTheSecondAndNamesTheFirst) {
    const TemporaryFolder folder;
    std::optional<OutputLock> lock(std::in_place, folder / "o", OutputKind::replaced);
    const std::string message = refusal(folder / "o");
    for (const std::string& part : {std::string("another run is at work on "), std::string("o: host "), this_process().host,
                                    "process " + std::to_string(::getpid()), (folder / "o.xlrm-lock").string()}) {
        EXPECT_NE(message.find(part), std::string::npos) << part << " in " << message;
    }
    EXPECT_EQ(refusal(folder / "other"), "");
    lock.reset();
    EXPECT_EQ(refusal(folder / "o"), "");
    EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(OutputLock, MeetsOnEveryPathToTheOutput) {
    const TemporaryFolder folder;
    fs::create_directories(folder / "real" / "sub");
    fs::create_directory_symlink(folder / "real", folder / "link");
    const OutputLock lock(folder / "real" / "o", OutputKind::replaced);
    for (const char* path : {"link/o", "real/o/", "real/./o", "real/sub/../o", "link/sub/../o"}) {
        EXPECT_NE(refusal(folder / path), "") << path;
    }
    const fs::path before = fs::current_path();
    fs::current_path(folder / "link");
    EXPECT_NE(refusal("o"), "");
    EXPECT_NE(refusal("./o"), "");
    fs::current_path(before);
}

TEST(OutputLock, CoversWhatLiesInsideAFolderThatIsFilled) {
    const TemporaryFolder folder;
    {
        const OutputLock lock(folder / "out", OutputKind::filled);
        EXPECT_NE(refusal(folder / "out" / "models" / "x"), "");
        EXPECT_NE(refusal(folder / "out"), "");
        EXPECT_NE(refusal(folder / "out", OutputKind::filled), "");
        EXPECT_EQ(refusal(folder / "out2"), "");
    }
    EXPECT_FALSE(fs::exists(folder / "out")) << "what was made for the lock alone";
    fs::create_directories(folder / "out" / "models");
    const OutputLock inner(folder / "out" / "models" / "x", OutputKind::replaced);
    EXPECT_NE(refusal(folder / "out", OutputKind::filled).find("models/x"), std::string::npos);
    EXPECT_NE(refusal(folder / "out"), "");
    EXPECT_EQ(names_in(folder / "out"), std::vector<std::string>{"models"});
}

TEST(OutputLock, IsTakenOverFromAKilledProcessAtOnce) {
    const TemporaryFolder folder;
    kill_process(start_owner(folder / "o"));
    EXPECT_TRUE(fs::exists(folder / "o.xlrm-lock"));
    const auto start = Clock::now();
    EXPECT_EQ(refusal(folder / "o"), "");
    EXPECT_LT(Clock::now() - start, kQuick.silence / 2) << "the process table says it";
    EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(OutputLock, IsTakenOverFromOneThatNobodyHasWaitedFor) {
    const TemporaryFolder folder;
    const pid_t owner = start_owner(folder / "o");
    EXPECT_NE(refusal(folder / "o"), "");
    ::kill(owner, SIGKILL);
    while (process_lives(owner, 0)) std::this_thread::sleep_for(1ms);
    EXPECT_EQ(refusal(folder / "o"), "");
    ::waitpid(owner, nullptr, 0);
}

TEST(OutputLock, IsTakenOverFromSeveralThatWereKilledOneAfterAnother) {
    const TemporaryFolder folder;
    for (int i = 0; i < 3; ++i) kill_process(start_owner(folder / "o"));
    EXPECT_EQ(names_in(folder.path()).size(), 3U);
    const pid_t owner = start_owner(folder / "o");
    EXPECT_NE(refusal(folder / "o").find("process " + std::to_string(owner)), std::string::npos);
    kill_process(owner);
    EXPECT_EQ(refusal(folder / "o"), "");
    EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(OutputLock, IsNotDeceivedByAProcessIdThatWasUsedAgain) {
    const TemporaryFolder folder;
    ProcessIdentity owner = this_process();  // lives
    plant(folder / "o", owner);
    EXPECT_NE(refusal(folder / "o"), "");
    owner.start -= 1;
    plant(folder / "o", owner);
    EXPECT_EQ(refusal(folder / "o"), "");
    EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(OutputLock, WaitsForAnotherMachineUntilItIsSilent) {
    const TemporaryFolder folder;
    const ProcessIdentity other = foreign();
    const pid_t owner = start_owner(folder / "o", &other);
    EXPECT_NE(refusal(folder / "o").find("host elsewhere"), std::string::npos) << "it gives signs of life";
    EXPECT_EQ(end_of(start_process([&] { return refusal(folder / "o").empty() ? 1 : 0; })), 0);
    kill_process(owner);
    const auto start = Clock::now();
    EXPECT_EQ(refusal(folder / "o"), "");
    EXPECT_GE(Clock::now() - start, kQuick.silence);
    EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(OutputLock, ANewStartOfTheMachineIsAnotherMachine) {
    const TemporaryFolder folder;
    ProcessIdentity before = this_process();  // this very process id lives, but on the machine as it is now
    before.boot = "00000000-0000-0000-0000-000000000000";
    plant(folder / "o", before);
    const auto start = Clock::now();
    EXPECT_EQ(refusal(folder / "o"), "");
    EXPECT_GE(Clock::now() - start, kQuick.silence);
}

TEST(OutputLock, SeesTheOtherMachineReleaseIt) {
    const TemporaryFolder folder;
    std::optional<OutputLock> lock(std::in_place, folder / "o", OutputKind::replaced, std::function<bool()>{},
                                   LockTiming{10s, 30s}, foreign());
    std::thread later([&] {
        std::this_thread::sleep_for(150ms);
        lock.reset();
    });
    EXPECT_EQ(refusal(folder / "o"), "");
    later.join();
}

TEST(OutputLock, AWaitEndsWithAStop) {
    const TemporaryFolder folder;
    plant(folder / "o", foreign());
    try {
        const OutputLock lock(folder / "o", OutputKind::replaced, [] { return true; }, {100ms, 60s});
        ADD_FAILURE() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::stopped);
    }
    EXPECT_TRUE(fs::exists(folder / "o.xlrm-lock")) << "it is the other's still";
}

TEST(OutputLock, GarbageHoldsNothingForEver) {
    const TemporaryFolder folder;
    for (const std::string& text :
         {std::string(), std::string("no lock"), std::string("{\"host\": 3}"), std::string(100000, '\0'), std::string("[1]")}) {
        write_file_atomic(folder / "o.xlrm-lock", text);
        EXPECT_EQ(refusal(folder / "o"), "") << text.substr(0, 20);
        EXPECT_TRUE(fs::is_empty(folder.path())) << text.substr(0, 20);
    }
}

TEST(OutputLock, OneThatWasTakenOverIsNotHeld) {
    const TemporaryFolder folder;
    const OutputLock slow(folder / "o", OutputKind::replaced, {}, LockTiming{10s, 30s},
                          foreign());  // gives no sign in the time of kQuick
    slow.require_held();
    {
        const OutputLock quick(folder / "o", OutputKind::replaced, {}, kQuick);
        EXPECT_THROW(slow.require_held(), Error);
        quick.require_held();
    }
    EXPECT_THROW(slow.require_held(), Error);
}

TEST(OutputLock, AFolderThatCannotBeWrittenIsAnErrorOfInput) {
    try {
        const OutputLock lock("/proc/xlrm/o", OutputKind::replaced);
        ADD_FAILURE() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::io);
        EXPECT_NE(std::string(error.what()).find("/proc/xlrm"), std::string::npos) << error.what();
    }
    if (::geteuid() == 0) return;  // root may write everywhere else
    const TemporaryFolder folder;
    fs::permissions(folder.path(), fs::perms::owner_read | fs::perms::owner_exec);
    EXPECT_THROW(OutputLock(folder / "o", OutputKind::replaced), Error);
    fs::permissions(folder.path(), fs::perms::owner_all);
}

struct Shared {
    std::atomic<int> holders{0}, most{0}, taken{0};
};

//! Counters that child processes share.
class SharedMemory {
public:
    SharedMemory()
        : shared_(new (::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) Shared) {}
    ~SharedMemory() { ::munmap(shared_, sizeof(Shared)); }
    Shared* operator->() const { return shared_; }

private:
    Shared* shared_;
};

//! Takes the lock, with patience, and is alone while it has it.
void hold_once(const fs::path& output, const SharedMemory& shared, const ProcessIdentity& self) {
    for (;;) {
        try {
            const OutputLock lock(output, OutputKind::replaced, {}, kQuick, self);
            const int holders = ++shared->holders;
            if (holders > shared->most) shared->most = holders;
            std::this_thread::sleep_for(100us);
            ++shared->taken;
            --shared->holders;
            return;
        } catch (const Error& error) {
            if (error.code() != ExitCode::failure) throw;
            std::this_thread::sleep_for(300us);
        }
    }
}

TEST(OutputLock, OfManyProcessesOneHoldsIt) {
    const TemporaryFolder folder;
    const SharedMemory shared;
    constexpr int kProcesses = 8, kRounds = 200;
    std::vector<pid_t> processes;
    for (int p = 0; p < kProcesses; ++p) {
        processes.push_back(start_process([&] {
            for (int round = 0; round < kRounds; ++round) hold_once(folder / "o", shared, this_process());
            return 0;
        }));
    }
    for (const pid_t pid : processes) EXPECT_EQ(end_of(pid), 0);
    EXPECT_EQ(shared->most, 1);
    EXPECT_EQ(shared->taken, kProcesses * kRounds);
    EXPECT_TRUE(fs::is_empty(folder.path()));
}

// In each round a dead owner's lock lies there, and all of them take it over at once.
TEST(OutputLock, OfManyProcessesOneTakesOver) {
    const TemporaryFolder folder;
    ProcessIdentity dead = this_process();
    dead.start -= 1;
    constexpr int kProcesses = 8, kRounds = 25;
    for (int round = 0; round < kRounds; ++round) {
        const SharedMemory shared;
        plant(folder / "o", dead);
        std::vector<pid_t> processes;
        for (int p = 0; p < kProcesses; ++p) {
            processes.push_back(start_process([&] {
                hold_once(folder / "o", shared, this_process());
                return 0;
            }));
        }
        for (const pid_t pid : processes) ASSERT_EQ(end_of(pid), 0);
        ASSERT_EQ(shared->most, 1);
        ASSERT_EQ(shared->taken, kProcesses);
        ASSERT_TRUE(fs::is_empty(folder.path()));
    }
}

// Processes are killed while they hold it, take it over and release it; those that are left still agree.
TEST(OutputLock, KilledProcessesLeaveItToTheOthers) {
    const TemporaryFolder folder;
    const SharedMemory shared;
    constexpr int kKills = 40;
    std::vector<pid_t> processes;
    const auto start_one = [&] {
        return start_process([&] {
            for (;;) {
                try {
                    const OutputLock lock(folder / "o", OutputKind::replaced, {}, kQuick);
                    // The name of who holds it: a second one would find it there.
                    const int fd = ::open((folder / "holder").c_str(), O_CREAT | O_EXCL | O_WRONLY, 0600);
                    if (fd < 0) {
                        const std::string other = read_file(folder / "holder");
                        if (!other.empty() && process_lives(std::stoll(other), 0)) return 1;
                        fs::remove(folder / "holder");
                        continue;
                    }
                    const std::string self = std::to_string(::getpid());
                    if (::write(fd, self.data(), self.size()) < 0) return 2;
                    ::close(fd);
                    std::this_thread::sleep_for(200us);
                    ++shared->taken;
                    fs::remove(folder / "holder");
                } catch (const Error& error) {
                    if (error.code() != ExitCode::failure) throw;
                }
            }
        });
    };
    for (int p = 0; p < 4; ++p) processes.push_back(start_one());
    for (int kill = 0; kill < kKills; ++kill) {
        std::this_thread::sleep_for(std::chrono::milliseconds(3 + kill % 7));
        pid_t& victim = processes[static_cast<std::size_t>(kill) % processes.size()];
        ::kill(victim, SIGKILL);
        ASSERT_EQ(end_of(victim), -SIGKILL) << "two held it at once";
        victim = start_one();
    }
    for (const pid_t pid : processes) kill_process(pid);
    EXPECT_GT(shared->taken, 0);
    EXPECT_EQ(refusal(folder / "o"), "");
}

}  // namespace
}  // namespace xlrm
