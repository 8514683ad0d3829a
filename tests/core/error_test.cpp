#include "xlrm/core/error.hpp"

#include <gtest/gtest.h>

namespace xlrm {
namespace {

TEST(Error, CarriesMessageCodeAndTheCallersPlace) {
    try {
        fail("cell.h5: cut off (its index is missing); compute it again", ExitCode::io);
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_STREQ(error.what(), "cell.h5: cut off (its index is missing); compute it again");
        EXPECT_EQ(error.code(), ExitCode::io);
        EXPECT_NE(error.where().find("error_test.cpp:"), std::string::npos) << error.where();
        EXPECT_FALSE(error.agreed());
    }
}

TEST(Error, RequireThrowsOnlyWhenFalse) {
    EXPECT_NO_THROW(require(true, "fine"));
    try {
        require(false, "not fine");
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::failure);
        EXPECT_NE(error.where().find("error_test.cpp:"), std::string::npos) << error.where();
    }
}

}  // namespace
}  // namespace xlrm
