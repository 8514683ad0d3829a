#include "xlrm/core/log.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

class Log : public testing::Test {
protected:
    void TearDown() override { set_log(0, 1, LogLevel::info); }
    std::string printed(const std::function<void()>& speak) {
        testing::internal::CaptureStderr();
        speak();
        return testing::internal::GetCapturedStderr();
    }
};

TEST_F(Log, RootSpeaksOnceForAll) {
    set_log(0, 3, LogLevel::info);
    EXPECT_EQ(printed([] { log_root(LogLevel::info, "reading"); }), "xlrm: reading\n");
    set_log(2, 3, LogLevel::info);
    EXPECT_EQ(printed([] { log_root(LogLevel::info, "reading"); }), "");
    EXPECT_FALSE(log_is_root());
}

TEST_F(Log, RanksNameThemselvesWhenThereAreSeveral) {
    set_log(2, 3, LogLevel::info);
    EXPECT_EQ(printed([] { log_rank(LogLevel::error, "lost"); }), "xlrm [rank 2]: error: lost\n");
    set_log(0, 1, LogLevel::info);
    EXPECT_EQ(printed([] { log_rank(LogLevel::warning, "odd"); }), "xlrm: warning: odd\n");
}

TEST_F(Log, ThresholdHidesWhatIsBelow) {
    set_log(0, 1, LogLevel::warning);
    EXPECT_EQ(printed([] {
                  log_root(LogLevel::info, "a");
                  log_rank(LogLevel::debug, "b");
              }),
              "");
    EXPECT_NE(printed([] { log_root(LogLevel::warning, "c"); }), "");
}

TEST_F(Log, LevelsByName) {
    EXPECT_EQ(parse_log_level("debug"), LogLevel::debug);
    EXPECT_EQ(parse_log_level("error"), LogLevel::error);
    EXPECT_THROW(parse_log_level("loud"), Error);
}

}  // namespace
}  // namespace xlrm
