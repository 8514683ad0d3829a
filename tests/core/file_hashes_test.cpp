#include "xlrm/core/file_hashes.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "support/temporary_folder.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/json.hpp"
#include "xlrm/core/sha256.hpp"

namespace xlrm {
namespace {

//! As if the file had been written `seconds` ago.
void age(const std::filesystem::path& path, std::time_t seconds) {
    const timespec when{std::time(nullptr) - seconds, 0};
    const timespec times[2] = {when, when};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
}

class FileHashesTest : public testing::Test {
protected:
    std::filesystem::path file(const std::string& name, const std::string& bytes) const {
        write_file_atomic(folder_ / name, bytes);
        return folder_ / name;
    }
    TemporaryFolder folder_;
};

TEST_F(FileHashesTest, ReadsAFileOnce) {
    const auto a = file("a", "first");
    FileHashes hashes;
    EXPECT_EQ(hashes.sha256(a), sha256("first"));
    EXPECT_EQ(hashes.sha256(a), sha256("first"));
    EXPECT_EQ(hashes.files_read(), 1);
    EXPECT_EQ(hashes.bytes_read(), 5);
}

TEST_F(FileHashesTest, ReadsAgainWhatChanged) {
    const auto a = file("a", "first");
    FileHashes hashes;
    hashes.sha256(a);
    file("a", "other");  // the same size, another inode
    EXPECT_EQ(hashes.sha256(a), sha256("other"));
    {
        const int fd = ::open(a.c_str(), O_WRONLY);  // the same inode and size
        ASSERT_EQ(::pwrite(fd, "O", 1, 0), 1);
        ::close(fd);
    }
    age(a, 100);
    EXPECT_EQ(hashes.sha256(a), sha256("Other"));
    EXPECT_EQ(hashes.files_read(), 3);
    std::filesystem::remove(a);
    EXPECT_THROW(hashes.sha256(a), Error);
}

TEST_F(FileHashesTest, KeepsInTheCacheWhatIsOldEnoughToBeSure) {
    const auto young = file("young", "young");
    {
        FileHashes hashes(folder_ / "hashes.json");
        hashes.sha256(young);
        hashes.save();
    }
    FileHashes again(folder_ / "hashes.json");
    again.sha256(young);
    EXPECT_EQ(again.files_read(), 1);  // written within the clock's grain: read again
}

TEST_F(FileHashesTest, ACacheThatIsDamagedOrLostCountsAsEmpty) {
    const auto a = file("a", "first");
    for (const char* text :
         {"", "{", "{\"schema\": \"XLRM-hashes-9\"}", "{\"schema\": \"XLRM-hashes-1\", \"files\": {\"a\": [1]}}", "[]"}) {
        file("hashes.json", text);
        FileHashes hashes(folder_ / "hashes.json");
        EXPECT_EQ(hashes.sha256(a), sha256("first")) << text;
        EXPECT_EQ(hashes.files_read(), 1) << text;
    }
    FileHashes nowhere("/proc/none/hashes.json");
    EXPECT_EQ(nowhere.sha256(a), sha256("first"));
    nowhere.save();
}

TEST_F(FileHashesTest, ACacheServesTheNextProcessAndAMovedFolder) {
    const auto a = file("here/a", "first");
    struct stat facts {};
    ASSERT_EQ(::stat(a.c_str(), &facts), 0);
    const auto ns = [](const timespec& t) { return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec; };
    const Json entry = {facts.st_size, ns(facts.st_mtim), ns(facts.st_ctim), facts.st_ino, "as remembered"};
    file("here/hashes.json", Json{{"schema", "XLRM-hashes-1"}, {"files", {{"a", entry}}}}.dump());
    EXPECT_EQ(FileHashes(folder_ / "here" / "hashes.json").sha256(a), "as remembered");
    std::filesystem::rename(folder_ / "here", folder_ / "there");
    EXPECT_EQ(FileHashes(folder_ / "there" / "hashes.json").sha256(folder_ / "there" / "a"), "as remembered");
}

}  // namespace
}  // namespace xlrm
