#include "xlrm/core/json.hpp"

#include <gtest/gtest.h>

#include "support/temporary_folder.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"

namespace xlrm {
namespace {

std::string error_of(std::string_view text) {
    try {
        parse_json(text, "prefs.jsonl:17");
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

TEST(Json, KeysKeepTheirOrder) { EXPECT_EQ(parse_json(R"({"b": 1, "a": [2.5, "ü"]})", "x").dump(), R"({"b":1,"a":[2.5,"ü"]})"); }

TEST(Json, BrokenTextNamesItsPlaceAndReason) {
    for (const char* text : {"{\"a\": }", "", "{\"a\": 1", "{} x", "{\"a\": \"\xff\"}", "nan"}) {
        const std::string error = error_of(text);
        EXPECT_EQ(error.rfind("prefs.jsonl:17: not valid JSON (", 0), 0U) << text << " → " << error;
        EXPECT_EQ(error.find("json.exception"), std::string::npos) << error;
    }
}

TEST(Json, DeeplyNestedTextIsReadWithoutRecursion) {
    constexpr int kDepth = 100000;
    EXPECT_EQ(parse_json(std::string(kDepth, '[') + std::string(kDepth, ']'), "x").size(), 1U);
}

TEST(Json, FileIsNamedInTheError) {
    const TemporaryFolder folder;
    write_file_atomic(folder / "c.json", "{");
    try {
        read_json(folder / "c.json");
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("c.json"), std::string::npos);
    }
}

}  // namespace
}  // namespace xlrm
