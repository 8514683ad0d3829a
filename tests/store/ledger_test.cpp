#include "xlrm/store/ledger.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"

namespace xlrm {
namespace {

TEST(Ledger, KeepsEntriesInOrder) {
    const TemporaryFolder folder;
    const Ledger ledger(folder / "ledger.jsonl");
    EXPECT_TRUE(ledger.read().empty());
    for (int i = 0; i < 3; ++i) ledger.append({{"cell", "한국어\n" + std::to_string(i)}, {"seconds", 0.5 * i}});
    const std::vector<Json> entries = ledger.read();
    ASSERT_EQ(entries.size(), 3U);
    EXPECT_EQ(entries[2]["cell"], "한국어\n2");
    EXPECT_EQ(entries[2]["seconds"], 1.0);
}

TEST(Ledger, TornLastLineIsIgnoredAndDoesNotSwallowTheNextEntry) {
    const TemporaryFolder folder;
    const Ledger ledger(folder / "ledger.jsonl");
    ledger.append({{"cell", "a"}});
    std::ofstream(folder / "ledger.jsonl", std::ios::app) << R"({"cell": "b", "sta)";
    int damaged = -1;
    EXPECT_EQ(ledger.read(&damaged).size(), 1U);
    EXPECT_EQ(damaged, 0);
    ledger.append({{"cell", "c"}});
    const std::vector<Json> entries = ledger.read(&damaged);
    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(entries[1]["cell"], "c");
    EXPECT_EQ(damaged, 1);
}

TEST(Ledger, WholeEntryWithoutItsLineEndIsTorn) {
    const TemporaryFolder folder;
    const Ledger ledger(folder / "ledger.jsonl");
    std::ofstream(folder / "ledger.jsonl") << R"({"cell": "a"})";
    EXPECT_TRUE(ledger.read().empty());
}

TEST(Ledger, CountsDamagedLinesInTheMiddle) {
    const TemporaryFolder folder;
    const Ledger ledger(folder / "ledger.jsonl");
    ledger.append({{"cell", "a"}});
    std::ofstream(folder / "ledger.jsonl", std::ios::app | std::ios::binary) << std::string("\xff\xfe\0 \n[1]\n", 9);
    ledger.append({{"cell", "b"}});
    int damaged = 0;
    EXPECT_EQ(ledger.read(&damaged).size(), 2U);
    EXPECT_EQ(damaged, 2);
}

TEST(Ledger, UnwritableFolderIsNamed) {
    const Ledger ledger("/proc/none/ledger.jsonl");
    expect_error([&] { ledger.append({{"cell", "a"}}); }, {"/proc/none/ledger.jsonl"});
}

}  // namespace
}  // namespace xlrm
