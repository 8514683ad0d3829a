// What threads beside the main one touch: the log, a file's heartbeat, the memory that is lent to them.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "core/heartbeat.hpp"
#include "support/temporary_folder.hpp"
#include "text/tokenizer/loan.hpp"
#include "xlrm/core/log.hpp"
#include "xlrm/core/problem.hpp"
#include "xlrm/core/progress.hpp"

namespace xlrm {
namespace {

using namespace std::chrono_literals;

void on_threads(int count, const std::function<void(int)>& body) {
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i) threads.emplace_back(body, i);
    for (std::thread& thread : threads) thread.join();
}

TEST(Threads, LogAndProgress) {
    testing::internal::CaptureStderr();
    on_threads(4, [](int thread) {
        Progress progress("thread " + std::to_string(thread), 10, "lines");
        for (int i = 0; i < 10; ++i) {
            log_root(LogLevel::warning, "one of thread " + std::to_string(thread));
            progress.update(i + 1);
        }
        progress.finish();
    });
    const std::string text = testing::internal::GetCapturedStderr();
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 4 * 11) << text;
}

TEST(Threads, AHeartbeatEndsWithItsObject) {
    const TemporaryFolder folder;
    for (int i = 0; i < 20; ++i) {
        const int fd = ::open((folder / "beat").c_str(), O_CREAT | O_RDWR, 0600);
        ASSERT_GE(fd, 0);
        struct stat before {
        }, after{};
        ASSERT_EQ(::fstat(fd, &before), 0);
        const Heartbeat beat(fd, 1ms);
        std::this_thread::sleep_for(20ms);
        ASSERT_EQ(::fstat(fd, &after), 0);
        EXPECT_GE(after.st_mtim.tv_nsec + 1'000'000'000L * (after.st_mtim.tv_sec - before.st_mtim.tv_sec),
                  before.st_mtim.tv_nsec);
    }
}

TEST(Threads, AnActivityIsItsOwnThreads) {
    on_threads(4, [](int thread) {
        static constexpr const char* kNames[] = {"sowing", "growing", "reaping", "baking"};
        for (int i = 0; i < 50; ++i) {
            try {
                const Activity activity(kNames[thread]);
                throw std::runtime_error("reason");
            } catch (...) {
                const std::string text = describe_problem(std::current_exception()).message;
                EXPECT_NE(text.find(kNames[thread]), std::string::npos) << text;
            }
        }
    });
}

TEST(Threads, WhatIsLentHasOneBorrower) {
    const Lender<int> lender;
    on_threads(4, [&](int) {
        for (int i = 0; i < 200; ++i) {
            const auto loan = lender.borrow();
            const int before = *loan;
            *loan = before + 1;
            EXPECT_EQ(*loan, before + 1);
        }
    });
}

}  // namespace
}  // namespace xlrm
