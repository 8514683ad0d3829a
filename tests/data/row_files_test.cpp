#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <fstream>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/data/preference_row.hpp"

namespace xlrm {
namespace {

std::string pair(const std::string& more = "") { return R"({"prompt": "P", "chosen": "C", "rejected": "R")" + more + "}"; }

std::vector<PreferenceRow> rows_of(const std::filesystem::path& path) {
    std::vector<PreferenceRow> rows;
    for_each_row(path, RowKind::preference, "en", [&](std::int64_t, PreferenceRow&& row) { rows.push_back(std::move(row)); });
    return rows;
}

class RowFile : public ::testing::Test {
protected:
    std::filesystem::path write(const std::string& name, const std::string& bytes) const {
        write_file_atomic(folder_ / name, bytes);
        return folder_ / name;
    }
    void expect_refused(const std::string& name, const std::string& bytes, const std::vector<std::string>& parts) const {
        const std::filesystem::path path = write(name, bytes);
        expect_error([&] { detect_row_kind(path); }, parts);
        expect_error([&] { rows_of(path); }, parts);
    }
    const TemporaryFolder folder_;
};

TEST_F(RowFile, IsOneJsonListToo) {
    for (const char* text : {"[ROW]", "[\n  ROW,\n ROW\n]\n", "\xEF\xBB\xBF\n[ROW,\r\nROW\r\n]"}) {
        std::string bytes = text;
        for (std::size_t at = bytes.find("ROW"); at != std::string::npos; at = bytes.find("ROW")) bytes.replace(at, 3, pair());
        const std::vector<PreferenceRow> rows = rows_of(write("rows.json", bytes));
        ASSERT_EQ(rows.size(), bytes.find(',', bytes.find('}')) == std::string::npos ? 1U : 2U) << text;
        EXPECT_EQ(rows.back().id, "rows.json:" + std::to_string(rows.size()));
        EXPECT_EQ(detect_row_kind(folder_ / "rows.json"), RowKind::preference);
    }
    expect_refused("half.json", "[" + pair() + ",\n", {"half.json: not valid JSON"});
    expect_error([&] { rows_of(write("list.json", "[[1]]")); }, {"list.json:1"});
}

TEST_F(RowFile, MayBeginWithAMarkAndEndLinesAnyWay) {
    EXPECT_EQ(rows_of(write("mark.jsonl", "\xEF\xBB\xBF" + pair() + "\r\n\r\n" + pair())).size(), 2U);
    const std::string long_text(3U << 20U, 'x');
    EXPECT_EQ(rows_of(write("long.jsonl", pair(", \"note\": \"" + long_text + "\"") + "\n" + pair())).size(), 2U);
}

TEST_F(RowFile, OfAnotherFormIsRefusedWithWhatToDo) {
    const std::string nul(1, '\0');
    expect_refused("rows.zst", "\x28\xB5\x2F\xFD....", {"rows.zst", "zstd"});
    expect_refused("rows.jsonl", "\x28\xB5\x2F\xFD....", {"rows.jsonl", "zstd -d"});
    expect_refused("rows.jsonl.bz2", "BZh91AY&SY", {"bzip2"});
    expect_refused("rows.jsonl.xz",
                   "\xFD"
                   "7zXZ" +
                       nul + "xxxx",
                   {"unxz"});
    expect_refused("rows.zip", "PK\x03\x04....", {"zip"});
    expect_refused("rows.arrow", "ARROW1" + nul + nul, {"Arrow"});
    expect_refused("rows.hdf5", "\x89HDF\r\n\x1A\n", {".h5"});
    expect_refused("rows.csv", "prompt,chosen,rejected\n", {"rows.csv", "JSON lines or Parquet"});
    expect_refused("utf16.jsonl", "\xFF\xFE{" + nul + "}" + nul, {"UTF-16", "iconv"});
    expect_refused("utf16.jsonl", "\xFE\xFF" + nul + "{" + nul + "}", {"UTF-16", "iconv"});
}

TEST_F(RowFile, WithBytesThatAreNoTextNamesTheLine) {
    for (const std::string bad : {"\xC0", "\xC0\n", "\xE2\x80", "\xF0\x9F", "\x85", "\x80\x80", " \xC2", "\xFF {}"}) {
        const std::filesystem::path path = write("rows.jsonl", pair() + "\n" + bad);
        expect_error([&] { rows_of(path); }, {"rows.jsonl:2: not valid JSON"});
    }
    expect_error([&] { rows_of(write("nul.jsonl", pair() + "\n" + std::string(3, '\0'))); }, {"nul.jsonl:2: not valid JSON"});
    expect_error([&] { rows_of(write("cr.jsonl", pair() + "\r" + pair())); }, {"cr.jsonl:1: not valid JSON"});
    EXPECT_EQ(rows_of(write("blank.jsonl", pair() + "\n\xE3\x80\x80 \xC2\x85\n")).size(), 1U);
}

TEST_F(RowFile, WithNumbersBeyondJsonNamesTheLine) {
    expect_error([&] { rows_of(write("big.jsonl", pair() + "\n" + pair(", \"score\": 1e400"))); },
                 {"big.jsonl:2: not valid JSON", "1e400"});
    expect_error(
        [&] {
            rows_of(write("deep.jsonl", pair() + "\n" + pair(", \"a\": " + std::string(100000, '[') + std::string(100000, ']'))));
        },
        {"deep.jsonl:2: not valid JSON", "within one another"});
    expect_error([&] { rows_of(write("open.jsonl", pair() + "\n" + std::string(100000, '['))); },
                 {"open.jsonl:2: not valid JSON"});
}

TEST_F(RowFile, IsARegularFile) {
    const std::string pipe = (folder_ / "pipe").string();
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    const int end = ::open(pipe.c_str(), O_RDWR);  // so that whoever opens it to read does not wait
    expect_error([&] { detect_row_kind(pipe); }, {pipe, "not a regular file"});
    expect_error([&] { rows_of(pipe); }, {pipe, "not a regular file"});
    ::close(end);
    expect_error([&] { rows_of(folder_.path()); }, {folder_.path().string(), "folder"});
    expect_error([&] { rows_of("/dev/null"); }, {"/dev/null", "not a regular file"});
    expect_error([&] { rows_of(folder_ / "none.jsonl"); }, {"none.jsonl", "No such file"});
}

TEST_F(RowFile, HasNamesThatFilesCanHold) {
    const std::pair<const char*, const char*> ids[] = {{"18446744073709551615", "18446744073709551615"},
                                                       {"-9223372036854775808", "-9223372036854775808"},
                                                       {"\"00017\"", "00017"},
                                                       {"\"\u00e9 \u2028\"", "\xC3\xA9 \xE2\x80\xA8"}};
    for (const auto& [json, id] : ids)
        EXPECT_EQ(rows_of(write("rows.jsonl", pair(std::string(", \"id\": ") + json))).front().id, id);
    const std::pair<std::string, const char*> wrong[] = {
        {", \"id\": 18446744073709551616", "field 'id' is 1.8446744073709552e+19"},
        {", \"id\": 1.0", "field 'id' is 1.0"},
        {", \"id\": true", "field 'id' is not text"},
        {", \"id\": \"a\\u0000b\"", "field 'id' holds the control character U+0000"},
        {", \"lang\": \"en\\n\"", "field 'lang' holds the control character U+000A"},
        {", \"language\": \"e\\u0000\"", "field 'language' holds"},
        {", \"subset\": \"a\\tb\"", "field 'subset' holds the control character U+0009"},
        {", \"id\": \"" + std::string(5000, 'i') + "\"", "field 'id' has 5000 bytes"}};
    for (const auto& [more, problem] : wrong) {
        expect_error([&] { rows_of(write("rows.jsonl", pair() + "\n" + pair(more))); }, {"rows.jsonl:2: ", problem});
    }
}

TEST_F(RowFile, HasNumbersThatSinglePrecisionHolds) {
    EXPECT_EQ(rows_of(write("rows.jsonl", pair(", \"margin\": 3.4028234663852886e38"))).front().margin, 3.4028234663852886e38F);
    EXPECT_EQ(rows_of(write("rows.jsonl", pair(", \"margin\": 18446744073709551615"))).front().margin, 18446744073709551615.0F);
    EXPECT_EQ(rows_of(write("rows.jsonl", pair(", \"margin\": -1e-50"))).front().margin, 0.0F);
    for (const char* margin : {"1e39", "-1e39", "3.5e38", "1e308"}) {
        expect_error([&] { rows_of(write("rows.jsonl", pair(std::string(", \"margin\": ") + margin))); },
                     {"rows.jsonl:1: field 'margin' is out of range"});
    }
    expect_error([&] { rows_of(write("rows.jsonl", pair(", \"margin\": \"1.5\""))); },
                 {"field 'margin' is not a number but string"});
    const auto refused = [](const std::string& json, RowKind kind, const std::string& problem) {
        expect_error([&] { parse_row(json, kind, "f.jsonl:3", "f.jsonl:3", "en"); }, {"f.jsonl:3: field ", problem});
    };
    refused(R"({"prompt": "q", "response": "r", "labels": 1e39})", RowKind::regression, "'labels' is out of range");
    refused(R"({"prompt": "q", "response": "r", "labels": [1, -1e39]})", RowKind::regression, "'labels[1]' is out of range");
    refused(R"({"prompt": "q", "responses": ["a", "b"], "ranks": [1, 1e40]})", RowKind::ranking, "'ranks[1]' is out of range");
    refused(R"({"prompt": "q", "responses": ["a", "b"], "ranks": [16777216, 16777217]})", RowKind::ranking,
            "'ranks[1]' cannot be told");
    refused(R"({"prompt": "P", "chosen": ["C"], "rejected": ["R"], "num_correct": 18446744073709551615})", RowKind::preference,
            "'num_correct' is out of range");
    refused(R"({"prompt": "P", "chosen": ["C"], "rejected": ["R"], "total_completions": 1e19})", RowKind::preference,
            "'total_completions' is not a whole number");
}

}  // namespace
}  // namespace xlrm
