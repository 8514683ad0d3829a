#include "xlrm/core/problem.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "xlrm/core/json.hpp"

namespace xlrm {
namespace {

Problem problem_of(const std::function<void()>& work) {
    try {
        work();
    } catch (...) {
        return describe_problem(std::current_exception());
    }
    return {};
}

bool holds(const Problem& problem, const std::string& part) { return problem.message.find(part) != std::string::npos; }

TEST(Problem, OfAnErrorIsTheErrorItself) {
    const Problem problem = problem_of([] { throw Error("a.jsonl:3: broken", ExitCode::io).mark_agreed(); });
    EXPECT_EQ(problem.message, "a.jsonl:3: broken");
    EXPECT_EQ(problem.code, ExitCode::io);
    EXPECT_TRUE(problem.agreed);
    EXPECT_FALSE(problem_of([] { fail("x"); }).agreed);
    EXPECT_FALSE(problem_of([] {}));
}

TEST(Problem, OfMissingMemorySaysWhatWasBeingDone) {
    const Problem ours = problem_of([] {
        const Activity activity("reading the rows");
        throw std::bad_alloc();
    });
    EXPECT_TRUE(holds(ours, "out of memory while reading the rows")) << ours.message;
    // c10::Error as libtorch 2.11's CPU allocator throws it.
    const Problem torch = problem_of([] {
        throw std::runtime_error(
            "[enforce fail at alloc_cpu.cpp:126] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate 4 "
            "bytes. Error code 12 (Cannot allocate memory)\nframe #0: c10::ThrowEnforceNotMet");
    });
    EXPECT_TRUE(holds(torch, "out of memory")) << torch.message;
    EXPECT_FALSE(holds(torch, "frame")) << torch.message;
    const Problem size = problem_of([] { std::vector<int>().reserve(std::vector<int>().max_size() + 1); });
    EXPECT_TRUE(holds(size, "too large a number")) << size.message;
}

TEST(Problem, OfTheFileSystemNamesThePath) {
    const Problem problem = problem_of([] { std::filesystem::create_directories("/proc/xlrm/models"); });
    EXPECT_EQ(problem.code, ExitCode::io);
    EXPECT_TRUE(holds(problem, "/proc/xlrm")) << problem.message;
    EXPECT_FALSE(holds(problem, "filesystem error")) << problem.message;
    const Problem empty = problem_of([] { static_cast<void>(std::filesystem::absolute("")); });  // no user's path: our fault
    EXPECT_TRUE(holds(empty, "internal error")) << empty.message;
}

TEST(Problem, OfAnyOtherExceptionIsAnInternalErrorInOneLine) {
    for (const std::function<void()>& work : std::vector<std::function<void()>>{
             [] { static_cast<void>(Json(3).get<std::string>()); }, [] { static_cast<void>(std::vector<int>().at(1)); },
             [] { throw std::runtime_error("first\nsecond"); }, [] { throw 3; }, [] { throw std::runtime_error(""); }}) {
        const Problem problem = problem_of([&] {
            const Activity outer("training");
            const Activity inner("reading the configuration");
            work();
        });
        EXPECT_TRUE(problem.message.starts_with("internal error while reading the configuration: ")) << problem.message;
        EXPECT_TRUE(holds(problem, "please report")) << problem.message;
        EXPECT_EQ(problem.message.find('\n'), std::string::npos) << problem.message;
        EXPECT_EQ(problem.code, ExitCode::failure);
    }
}

TEST(Problem, ForgetsActivitiesThatCameToTheirEnd) {
    static_cast<void>(problem_of([] {
        const Activity activity("reading");
        throw std::runtime_error("caught");
    }));
    const Problem later = problem_of([] { throw std::runtime_error("x"); });
    EXPECT_TRUE(later.message.starts_with("internal error: x")) << later.message;
}

}  // namespace
}  // namespace xlrm
