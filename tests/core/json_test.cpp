#include "xlrm/core/json_line.hpp"

#include <gtest/gtest.h>

#include "support/expect_error.hpp"
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

TEST(Json, ALineTakesTextsThatAreNotUtf8) {
    expect_error([] { parse_json("\xC0", "x:2"); }, {"x:2: not valid JSON", "'\xEF\xBF\xBD'"});
    EXPECT_EQ(dump_line(Json{{"reason", "last read: '\xC0'"}}), "{\"reason\":\"last read: '\xEF\xBF\xBD'\"}");
}

TEST(Json, BrokenTextNamesItsPlaceAndReason) {
    for (const char* text :
         {"{\"a\": }", "", "{\"a\": 1", "{} x", "{\"a\": \"\xff\"}", "nan", "{\"a\": 1e400}", "[-1e400]", "\xc0"}) {
        const std::string error = error_of(text);
        EXPECT_EQ(error.rfind("prefs.jsonl:17: not valid JSON (", 0), 0U) << text << " → " << error;
        EXPECT_EQ(error.find("json.exception"), std::string::npos) << error;
    }
}

TEST(Json, DeeplyNestedTextIsReadWithoutRecursion) {
    constexpr int kDepth = 100000;
    EXPECT_EQ(parse_json(std::string(kDepth, '[') + std::string(kDepth, ']'), "x").size(), 1U);
}

TEST(Json, OfARowIsBoundedInDepth) {
    const auto nested = [](int depth) {
        return "[\"[[\\\"[[\", " + std::string(static_cast<std::size_t>(depth - 1), '[') +
               std::string(static_cast<std::size_t>(depth), ']');
    };
    EXPECT_EQ(parse_json(nested(kRowDepth), "x", kRowDepth).size(), 2U);
    EXPECT_EQ(parse_json("[[1],[2],[3]]", "x", 2).size(), 3U);
    expect_error([&] { parse_json(nested(kRowDepth + 1), "rows.jsonl:2", kRowDepth); }, {"rows.jsonl:2: not valid JSON", "1000"});
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
