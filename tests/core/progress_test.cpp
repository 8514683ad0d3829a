#include "xlrm/core/progress.hpp"

#include <gtest/gtest.h>

#include "xlrm/core/log.hpp"

namespace xlrm {
namespace {

TEST(Progress, EndIsToldOnceWithTotalsAndExtra) {
    testing::internal::CaptureStderr();
    {
        Progress progress("scoring", 40, "texts");
        progress.update(40);
        progress.finish("loss 0.41");
        progress.finish("again");
    }
    const std::string text = testing::internal::GetCapturedStderr();
    EXPECT_NE(text.find("scoring: 40/40 texts"), std::string::npos) << text;
    EXPECT_NE(text.find("loss 0.41"), std::string::npos) << text;
    EXPECT_EQ(text.find("again"), std::string::npos) << text;
}

TEST(Progress, ManyUpdatesOfShortWorkPrintNothing) {
    testing::internal::CaptureStderr();
    {
        Progress progress("scoring", 1000, "texts");
        for (int i = 1; i <= 1000; ++i) progress.update(i);
    }
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(Progress, OtherRanksAreSilent) {
    set_log(1, 2, LogLevel::info);
    testing::internal::CaptureStderr();
    {
        Progress progress("scoring", 1, "texts");
        progress.finish();
    }
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    set_log(0, 1, LogLevel::info);
}

TEST(Progress, DurationsAndSizesForPeople) {
    EXPECT_EQ(format_duration(8.2), "8.2 s");
    EXPECT_EQ(format_duration(59.4), "59 s");
    EXPECT_EQ(format_duration(59.7), "1 min 0 s");
    EXPECT_EQ(format_duration(250), "4 min 10 s");
    EXPECT_EQ(format_duration(11520), "3 h 12 min");
    EXPECT_EQ(format_bytes(100), "100 B");
    EXPECT_EQ(format_bytes(812 * 1024.0), "812 KiB");
    EXPECT_EQ(format_bytes(1.3 * 1024 * 1024 * 1024), "1.3 GiB");
}

}  // namespace
}  // namespace xlrm
