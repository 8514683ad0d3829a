#include "xlrm/core/build_info.hpp"

#include <gtest/gtest.h>

#include <regex>

namespace xlrm {
namespace {

TEST(BuildInfo, NamesVersionCommitCompilerAndBuild) {
    EXPECT_TRUE(std::regex_match(version(), std::regex(R"(\d+\.\d+\.\d+)"))) << version();
    EXPECT_TRUE(std::regex_match(code_version(), std::regex(R"(\d+\.\d+\.\d+ \(([0-9a-f]{8,}(\+dirty)?|no git)\))")))
        << code_version();
    for (const char* fact : {"xlrm ", "compiler ", "build "})
        EXPECT_NE(build_summary().find(fact), std::string::npos) << build_summary();
}

}  // namespace
}  // namespace xlrm
