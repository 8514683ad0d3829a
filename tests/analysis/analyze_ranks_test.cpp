// An analysis on several ranks: the same bytes, and one error for all.
#include <gtest/gtest.h>

#include <optional>

#include "analysis/planted.hpp"
#include "support/expect_error.hpp"
#include "xlrm/comm/shared_temporary_folder.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/core/output_lock.hpp"

namespace xlrm {
namespace {

using test::PlantedFolder;

std::map<std::string, std::string> files_of(const std::filesystem::path& folder) {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
        if (entry.is_regular_file()) files[entry.path().lexically_relative(folder)] = read_file(entry.path());
    return files;
}

TEST(Analyze, GivesTheSameBytesOnAnyNumberOfRanks) {
    const Communicator world = Communicator::world();
    SharedTemporaryFolder folder(world, "xlrm-analyze-test");
    for (const std::string name : {"all", "alone"}) {
        on_root(world, [&] {
            PlantedFolder(folder / name).write_grid({"en", "es", "ko"}, {"en", "es", "ko"}, {1, 2}, 40, [](Cell& cell) {
                for (std::size_t i = 0; i < cell.subset.size(); ++i) cell.subset[i] = i % 2 == 0 ? "even" : "odd";
            });
        });
    }
    run_analyze(world, test::options_for(folder / "all"));
    on_root(world, [&] {
        run_analyze(Communicator::self(), test::options_for(folder / "alone"));
        const auto all = files_of(folder / "all/analysis"), alone = files_of(folder / "alone/analysis");
        EXPECT_GT(all.size(), 40U);
        ASSERT_EQ(all.size(), alone.size());
        for (const auto& [name, bytes] : all) EXPECT_TRUE(alone.contains(name) && alone.at(name) == bytes) << name;
    });
}

TEST(Analyze, AnotherRunHoldsTheFolder) {
    const Communicator world = Communicator::world();
    SharedTemporaryFolder folder(world, "xlrm-analyze-test");
    std::optional<OutputLock> sweep;
    on_root(world, [&] {
        PlantedFolder(folder / "x").write_grid({"en"}, {"en"}, {1}, 10);
        sweep.emplace(folder / "x", OutputKind::filled);
    });
    expect_error([&] { run_analyze(world, test::options_for(folder / "x")); }, {"x"});
    on_root(world, [&] { EXPECT_FALSE(std::filesystem::exists(folder / "x/analysis/summary.json")); });
}

TEST(Analyze, RefusesWhatItCannotDo) {
    const Communicator world = Communicator::world();
    SharedTemporaryFolder folder(world, "xlrm-analyze-test");
    on_root(world, [&] { PlantedFolder(folder / "x").write_grid({"en"}, {"en"}, {1}, 10); });
    AnalyzeOptions options = test::options_for(folder / "x");
    options.parts = {"gasp"};
    expect_error([&] { run_analyze(world, options); }, {"'gasp' is not a part", "gaps"});
    options = test::options_for(folder / "x");
    options.resamples = 3;
    expect_error([&] { run_analyze(world, options); }, {"--resamples"});
    options = test::options_for(folder / "nowhere");
    expect_error([&] { run_analyze(world, options); }, {"nowhere", "no such folder"});
    options.words = {};
    expect_error([&] { run_analyze(world, options); }, {"xlrm_analyze OUT"});
}

}  // namespace
}  // namespace xlrm
