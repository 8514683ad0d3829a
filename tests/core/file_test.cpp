#include "xlrm/core/file.hpp"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>
#include <zlib.h>

#include <fstream>
#include <vector>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/process_identity.hpp"

namespace xlrm {
namespace {

std::vector<std::string> lines_of(const std::filesystem::path& path) {
    std::vector<std::string> lines;
    for_each_line(path, [&](std::int64_t number, std::string_view text) {
        lines.emplace_back(text);
        EXPECT_EQ(number, static_cast<std::int64_t>(lines.size()));
    });
    return lines;
}

TEST(File, LinesOfPlainAndCompressedText) {
    const TemporaryFolder folder;
    const std::string text = "one\r\ntwo\n\nlast without end";
    write_file_atomic(folder / "a.txt", text);
    gzFile zip = gzopen((folder / "a.txt.gz").c_str(), "wb");
    gzwrite(zip, text.data(), static_cast<unsigned>(text.size()));
    gzclose(zip);
    const std::vector<std::string> expected = {"one", "two", "", "last without end"};
    EXPECT_EQ(lines_of(folder / "a.txt"), expected);
    EXPECT_EQ(lines_of(folder / "a.txt.gz"), expected);
}

TEST(File, TruncatedGzipIsAnErrorThatNamesTheFile) {
    const TemporaryFolder folder;
    gzFile zip = gzopen((folder / "b.gz").c_str(), "wb");
    std::string text;
    for (int i = 0; i < 10000; ++i) text += std::to_string(i * 7919) + "\n";
    gzwrite(zip, text.data(), static_cast<unsigned>(text.size()));
    gzclose(zip);
    std::filesystem::resize_file(folder / "b.gz", std::filesystem::file_size(folder / "b.gz") / 2);
    try {
        lines_of(folder / "b.gz");
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::io);
        EXPECT_NE(std::string(error.what()).find("b.gz"), std::string::npos);
    }
}

std::string gzipped(const std::string& text) {
    const TemporaryFolder folder;
    gzFile zip = gzopen((folder / "x").c_str(), "wb");
    gzwrite(zip, text.data(), static_cast<unsigned>(text.size()));
    gzclose(zip);
    return read_file(folder / "x");
}

// Python's gzip module (3.11) reads the good ones alike and raises for the bad ones, but for the empty file, which gzip 1.12
// refuses.
TEST(File, GzipMembersFollowOneAnotherAndNothingElseDoes) {
    const TemporaryFolder folder;
    const std::string a = gzipped("one\ntw"), b = gzipped("o\n"), zeros(700, '\0');
    const std::vector<std::string> expected = {"one", "two"};
    for (const std::string& good : {a + b, a + b + zeros, a + gzipped("") + b, a + zeros + b}) {
        write_file_atomic(folder / "good.gz", good);
        EXPECT_EQ(lines_of(folder / "good.gz"), expected);
        write_file_atomic(folder / "good.jsonl", good);
        EXPECT_EQ(lines_of(folder / "good.jsonl"), expected);
    }
    std::string wrong = a;
    wrong[wrong.size() - 5] ^= 1;  // its check sum
    const std::pair<std::string, std::string> cases[] = {{a + "\n{}", "something else follows"},
                                                         {a + zeros + "x", "something else follows"},
                                                         {a + b.substr(0, 1), "cut off"},
                                                         {a + b.substr(0, 9), "cut off"},
                                                         {a.substr(0, 2), "cut off"},
                                                         {a.substr(0, a.size() - 1), "cut off"},
                                                         {wrong, "incorrect data check"},
                                                         {"plain\n", "not gzip data"},
                                                         {"", "empty"}};
    for (const auto& [bytes, reason] : cases) {
        write_file_atomic(folder / "bad.gz", bytes);
        expect_error([&] { lines_of(folder / "bad.gz"); }, {"bad.gz", reason});
        write_file_atomic(folder / "BAD.GZ", bytes);
        expect_error([&] { lines_of(folder / "BAD.GZ"); }, {"BAD.GZ", reason});
    }
}

TEST(File, MissingFileNamesPathAndReason) {
    try {
        read_file("/nowhere/at/all.txt");
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::io);
        EXPECT_NE(std::string(error.what()).find("/nowhere/at/all.txt"), std::string::npos);
        EXPECT_NE(std::string(error.what()).find("No such file"), std::string::npos);
    }
    EXPECT_THROW(lines_of("/nowhere/at/all.txt"), Error);
}

TEST(File, AtomicWriteReplacesAndLeavesNothingBeside) {
    const TemporaryFolder folder;
    write_file_atomic(folder / "deep" / "x", "old");
    write_file_atomic(folder / "deep" / "x", "new");
    EXPECT_EQ(read_file(folder / "deep" / "x"), "new");
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder / "deep"), std::filesystem::directory_iterator()), 1);
}

TEST(File, FailedWriterLeavesTheOldFile) {
    const TemporaryFolder folder;
    write_file_atomic(folder / "x", "old");
    EXPECT_THROW(write_file_atomic(folder / "x",
                                   [](const std::filesystem::path& path) {
                                       std::ofstream(path) << "half";
                                       fail("broken");
                                   }),
                 Error);
    EXPECT_EQ(read_file(folder / "x"), "old");
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), std::filesystem::directory_iterator()), 1);
}

TEST(File, FullDiskIsAnErrorAndLeavesNothing) {
    const TemporaryFolder folder;
    if (::geteuid() != 0 || ::mount("tmpfs", folder.path().c_str(), "tmpfs", 0, "size=64k") != 0) {
        GTEST_SKIP() << "a small tmpfs needs root and the right to mount";
    }
    std::string message;
    try {
        write_file_atomic(folder / "big", std::string(1U << 20U, 'x'));
    } catch (const Error& error) {
        message = error.what();
        EXPECT_EQ(error.code(), ExitCode::io);
    }
    const bool empty = std::filesystem::is_empty(folder.path());
    EXPECT_THROW(require_writable(folder.path(), 1 << 20), Error);
    ::umount(folder.path().c_str());
    EXPECT_NE(message.find("No space left"), std::string::npos);
    EXPECT_TRUE(empty);
}

//! A temporary file as `owner` would have left it.
std::filesystem::path left_by(const ProcessIdentity& owner, const std::filesystem::path& folder, const std::string& name) {
    const std::filesystem::path path = folder / (".xlrm-tmp." + owner.tag() + ".0." + name);
    std::ofstream(path) << "half";
    return path;
}

TEST(File, TemporariesOfDeadProcessesOfThisMachineAreRemoved) {
    const TemporaryFolder folder;
    ProcessIdentity used_again = this_process();  // an earlier process of this one's id
    used_again.start -= 1;
    ProcessIdentity gone = this_process();
    gone.pid = 999999999;
    const auto mine = left_by(this_process(), folder.path(), "mine");
    left_by(used_again, folder.path(), "used again");
    left_by(gone, folder.path(), "gone");
    std::filesystem::create_directory(folder / (".xlrm-tmp." + gone.tag() + ".1.model"));
    std::ofstream(folder / (".xlrm-tmp." + gone.tag() + ".1.model") / "weights") << "half";
    std::ofstream(folder / "z") << "kept";
    EXPECT_EQ(remove_stale_temporaries(folder.path()), 3);
    EXPECT_TRUE(std::filesystem::exists(folder / "z"));
    EXPECT_TRUE(std::filesystem::exists(mine));
}

TEST(File, TemporariesOfOtherMachinesAreRemovedWhenNothingIsWrittenAnyMore) {
    const TemporaryFolder folder;
    ProcessIdentity other = this_process();  // the same process id, of a process that does not run here
    other.host += "-other";
    other.start -= 1;
    const auto live = left_by(other, folder.path(), "live");
    const auto old = left_by(other, folder.path(), "old");
    std::filesystem::create_directory(folder / (".xlrm-tmp." + other.tag() + ".1.model"));
    const auto model = folder / (".xlrm-tmp." + other.tag() + ".1.model");
    std::ofstream(model / "weights") << "still written";
    const auto unknown = folder / ".xlrm-tmp.999999999.0.x";  // by a writer that says less of itself
    std::ofstream(unknown) << "half";
    const auto long_ago = std::filesystem::file_time_type::clock::now() - std::chrono::hours(2);
    EXPECT_EQ(remove_stale_temporaries(folder.path()), 0);
    for (const auto& path : {old, model, unknown}) std::filesystem::last_write_time(path, long_ago);
    EXPECT_EQ(remove_stale_temporaries(folder.path()), 2);
    EXPECT_TRUE(std::filesystem::exists(live));
    EXPECT_TRUE(std::filesystem::exists(model)) << "a file in it was written just now";
    std::filesystem::last_write_time(model / "weights", long_ago);
    std::filesystem::last_write_time(model, long_ago);
    EXPECT_EQ(remove_stale_temporaries(folder.path()), 1);
}

TEST(File, TemporaryNamesAreOfOneProcessAloneAndFitTheFileSystem) {
    const TemporaryFolder folder;
    const std::filesystem::path longest = folder / std::string(255, 'n');
    EXPECT_NE(temporary_beside(longest), temporary_beside(longest));
    EXPECT_NE(temporary_beside(longest).filename().string().find(this_process().tag()), std::string::npos);
    write_file_atomic(longest, "x");
    EXPECT_EQ(read_file(longest), "x");
}

TEST(File, AppendsWholeLines) {
    const TemporaryFolder folder;
    append_line(folder / "log", "a");
    append_line(folder / "log", "b");
    EXPECT_EQ(read_file(folder / "log"), "a\nb\n");
}

TEST(File, AppendsBehindATornLineWithoutTouchingIt) {
    const TemporaryFolder folder;
    write_file_atomic(folder / "log", "a\n{\"half");
    append_line(folder / "log", "b");
    EXPECT_EQ(lines_of(folder / "log"), (std::vector<std::string>{"a", "{\"half", "b"}));
}

TEST(File, LinesLongerThanTheBufferAreWhole) {
    const TemporaryFolder folder;
    const std::string longer(700000, 'x');
    write_file_atomic(folder / "long", longer + "\nend\n");
    EXPECT_EQ(lines_of(folder / "long"), (std::vector<std::string>{longer, "end"}));
    write_file_atomic(folder / "none", "");
    EXPECT_TRUE(lines_of(folder / "none").empty());
}

TEST(File, WritingDoesNotFollowALinkAtTheName) {
    const TemporaryFolder folder;
    write_file_atomic(folder / "kept", "kept");
    std::filesystem::create_symlink(folder / "kept", folder / "link");
    write_file_atomic(folder / "link", "new");
    EXPECT_EQ(read_file(folder / "kept"), "kept");
    EXPECT_FALSE(std::filesystem::is_symlink(folder / "link"));
    std::filesystem::create_symlink(folder / "kept", folder / "log");
    EXPECT_THROW(append_line(folder / "log", "x"), Error);
}

}  // namespace
}  // namespace xlrm
