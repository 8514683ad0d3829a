#include "xlrm/core/scratch_file.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <vector>

#include "support/expect_error.hpp"
#include "support/full_disk.hpp"
#include "support/temporary_folder.hpp"

namespace xlrm {
namespace {

//! TMPDIR while it lives.
class TemporaryFiles {
public:
    explicit TemporaryFiles(const std::filesystem::path& folder) { ::setenv("TMPDIR", folder.c_str(), 1); }
    ~TemporaryFiles() { ::unsetenv("TMPDIR"); }
};

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

TEST(ScratchFile, KeepsWhatIsWrittenAnywhereAndHasNoName) {
    const TemporaryFolder folder;
    const TemporaryFiles here(folder.path());
    ScratchFile file(100, "these rows");
    file.write(50, bytes_of("behind"));
    file.write(10, bytes_of("before"));
    std::vector<std::byte> read(6);
    file.read(50, read);
    EXPECT_TRUE(std::ranges::equal(read, bytes_of("behind")));
    file.read(10, read);
    EXPECT_TRUE(std::ranges::equal(read, bytes_of("before")));
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
    expect_error([&] { file.read(95, read); }, {folder.path().string(), "these rows", "TMPDIR"});
}

TEST(ScratchFile, ADiskThatIsTooSmallIsFoundAtOnce) {
    const SmallDisk disk(1 << 16);
    if (!disk.mounted()) GTEST_SKIP() << "a small disk can only be mounted by root";
    const TemporaryFiles here(disk.path());
    expect_error([] { ScratchFile(1 << 20, "these rows"); }, {disk.path().string(), "1048576 bytes", "these rows", "TMPDIR"});
    EXPECT_TRUE(std::filesystem::is_empty(disk.path()));
    EXPECT_NO_THROW(ScratchFile(1 << 12, "these rows"));
}

}  // namespace
}  // namespace xlrm
