#include "xlrm/core/sha256.hpp"

#include <gtest/gtest.h>

#include "support/temporary_folder.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"

namespace xlrm {
namespace {

// Vectors of FIPS 180-4 (NIST's examples).
TEST(Sha256, GivesThePublishedDigests) {
    EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(sha256(std::string(1000000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, PiecesAndFilesGiveTheDigestOfTheWhole) {
    const TemporaryFolder folder;
    write_file_atomic(folder / "a", std::string(1000000, 'a'));
    Sha256 pieces;
    for (int i = 0; i < 1000; ++i) pieces.add(std::string(1000, 'a'));
    const std::string expected = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
    EXPECT_EQ(pieces.hex(), expected);
    EXPECT_EQ(sha256_file(folder / "a"), expected);
}

TEST(Sha256, FileThatCannotBeReadIsAnIoError) {
    const TemporaryFolder folder;
    for (const std::filesystem::path& path : {folder / "missing", folder.path()}) {
        try {
            sha256_file(path);
            ADD_FAILURE() << "no error for " << path;
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ExitCode::io);
            EXPECT_NE(std::string(error.what()).find(path.string()), std::string::npos);
        }
    }
}

}  // namespace
}  // namespace xlrm
