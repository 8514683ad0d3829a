#include "xlrm/core/file.hpp"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>
#include <zlib.h>

#include <fstream>
#include <vector>

#include "support/temporary_folder.hpp"
#include "xlrm/core/error.hpp"

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

TEST(File, StaleTemporariesOfDeadWritersAreRemoved) {
    const TemporaryFolder folder;
    std::ofstream(folder / ".xlrm-tmp.999999999.0.x") << "left";
    std::ofstream(folder / (".xlrm-tmp." + std::to_string(::getpid()) + ".0.y")) << "mine";
    std::ofstream(folder / "z") << "kept";
    EXPECT_EQ(remove_stale_temporaries(folder.path()), 1);
    EXPECT_TRUE(std::filesystem::exists(folder / "z"));
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
