// Planted cells through the whole analysis.
#include "xlrm/analysis/analyze.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "analysis/planted.hpp"
#include "xlrm/comm/shared_temporary_folder.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/stats/mcnemar.hpp"

namespace xlrm {
namespace {

using test::PlantedFolder;
using test::row;
using test::rows;

//! `right` of `items` margins 1, the others −1, those that are right beginning at `first`.
std::vector<float> verdicts(std::size_t items, std::size_t first, std::size_t right) {
    std::vector<float> margins(items, -1.0F);
    for (std::size_t i = 0; i < right; ++i) margins[(first + i) % items] = 1.0F;
    return margins;
}

TEST(Analyze, FindsPlantedGaps) {
    const Communicator world = Communicator::world();
    SharedTemporaryFolder folder(world, "xlrm-analyze-test");
    on_root(world, [&] {
        const PlantedFolder cells(folder / "x");
        // Of 100 items: en right on 0 … 79 of either target; ko on 10 … 69 of ko (60) and on 0 … 89 of en (90).
        cells.write("en", 1, "en", verdicts(100, 0, 80));
        cells.write("en", 1, "ko", verdicts(100, 0, 80));
        cells.write("ko", 1, "ko", verdicts(100, 10, 60));
        cells.write("ko", 1, "en", verdicts(100, 0, 90));
        const Json summary = test::analysed(Communicator::self(), test::options_for(cells.root()));
        EXPECT_EQ(summary.at("cells").at("used"), 4);

        const Json headline = row(summary, "headline", {{"target", "ko"}, {"category", "all"}});
        EXPECT_NEAR(headline.at("english").get<double>(), 0.8, 1e-12);
        EXPECT_NEAR(headline.at("own").get<double>(), 0.6, 1e-12);
        EXPECT_NEAR(headline.at("gap").get<double>(), 0.2, 1e-12);
        EXPECT_GT(headline.at("gap_low").get<double>(), 0.1);
        EXPECT_LT(headline.at("gap_high").get<double>(), 0.3);
        EXPECT_EQ(headline.at("published"), "");
        EXPECT_NEAR(headline.at("p").get<double>(), std::pow(0.5, 19), 1e-12);  // 20 items, all one way
        EXPECT_EQ(headline.at("family"), 1);
        EXPECT_NEAR(row(summary, "headline", {{"target", "mean"}, {"category", "all"}}).at("gap").get<double>(), 0.2, 1e-12);

        const Json pair = row(summary, "pairs", {{"target", "ko"}});
        EXPECT_EQ(pair.at("first"), 20);
        EXPECT_EQ(pair.at("second"), 0);
        EXPECT_NEAR(pair.at("exact").get<double>(), mcnemar({60, 20, 0, 20}).exact.value(), 1e-15);
        EXPECT_NEAR(pair.at("agreement").get<double>(), 0.8, 1e-12);
        EXPECT_NEAR(pair.at("kappa_order").get<double>(), 0.6, 1e-12);

        const Json gap = row(summary, "gaps", {{"kind", "own"}, {"source", "ko"}, {"target", "en"}});
        EXPECT_NEAR(gap.at("gap").get<double>(), 0.1, 1e-12);
        EXPECT_NEAR(gap.at("relative").get<double>(), 0.4 / 0.3, 1e-12);
        EXPECT_EQ(gap.at("family"), 2);  // ko on en, en on ko
        EXPECT_NEAR(gap.at("p_holm").get<double>(), 2 * std::pow(0.5, 19) > std::pow(0.5, 9) ? 1.0 : std::pow(0.5, 9), 1e-12);
        const double se = gap.at("gap_se").get<double>();
        EXPECT_NEAR(gap.at("detectable").get<double>(), (1.959963984540054 + 0.8416212335729143) * se, 1e-12);

        // A = mean + source + target + home: en,en .8; en,ko .8; ko,en .9; ko,ko .6.
        const auto effect = [&](const std::string& term, const std::string& language) {
            return row(summary, "additive", {{"term", term}, {"language", language}}).at("effect").get<double>();
        };
        EXPECT_NEAR(effect("home", ""), (0.8 + 0.6 - 0.8 - 0.9) / 2, 1e-12);
        EXPECT_NEAR(effect("source", "en"), (0.8 + 0.8 - 0.9 - 0.6) / 4, 1e-12);
        EXPECT_NEAR(effect("target", "en"), (0.8 + 0.9 - 0.8 - 0.6) / 4, 1e-12);

        EXPECT_EQ(rows(summary, "english_only", {{"target", "ko"}}).size(), 20U);
        const Json languages = row(summary, "languages", {{"source", "en"}});
        EXPECT_EQ(languages.at("items"), 100);
        EXPECT_EQ(languages.at("agreement"), 1.0);
        EXPECT_EQ(row(summary, "seeds", {{"source", "en"}, {"target", "en"}}).at("undefined").at("seed_sd"), "one_seed");
        EXPECT_EQ(test::statements(summary, "one_seed").size(), 1U);
        EXPECT_NEAR(row(summary, "calibration", {{"source", "en"}, {"target", "en"}}).at("nll").get<double>(),
                    0.8 * std::log1p(std::exp(-1.0)) + 0.2 * std::log1p(std::exp(1.0)), 1e-12);
        // Chosen 5, 6, 7 tokens in turn against 6: of 100 items 33 longer, 33 equal.
        EXPECT_NEAR(row(summary, "baselines", {{"source", "en"}, {"target", "en"}}).at("longer_wins").get<double>(), 0.33 + 0.165,
                    1e-12);
    });
}

TEST(Analyze, PoolsSeedsAndShowsHowTheyVary) {
    const Communicator world = Communicator::world();
    SharedTemporaryFolder folder(world, "xlrm-analyze-test");
    on_root(world, [&] {
        const PlantedFolder cells(folder / "x");
        for (const std::string source : {"en", "ko"}) {
            for (const std::string target : {"en", "ko"}) {
                cells.write(source, 1, target, verdicts(50, 0, source == "en" ? 40 : 30));
                cells.write(source, 2, target, verdicts(50, 0, source == "en" ? 30 : 30));
            }
        }
        const Json summary = test::analysed(Communicator::self(), test::options_for(cells.root()));
        const Json seeds = row(summary, "seeds", {{"source", "en"}, {"target", "ko"}});
        EXPECT_NEAR(seeds.at("accuracy").get<double>(), 0.7, 1e-12);
        EXPECT_NEAR(seeds.at("seed_sd").get<double>(), std::sqrt(0.02), 1e-12);  // 0.8 and 0.6
        EXPECT_NEAR(seeds.at("lowest").get<double>(), 0.6, 1e-12);
        const Json headline = row(summary, "headline", {{"target", "ko"}, {"category", "all"}});
        EXPECT_NEAR(headline.at("gap").get<double>(), 0.1, 1e-12);
        // Ten clusters differ by one seed each, all one way.
        EXPECT_NEAR(headline.at("p").get<double>(), std::pow(0.5, 9), 1e-12);
        EXPECT_TRUE(test::statements(summary, "one_seed").empty());
        EXPECT_EQ(rows(summary, "pairs", {{"target", "ko"}}).size(), 2U);  // a row a seed
    });
}

// Subset names of M-RewardBench: its sections and their average, by its weights, with the paper's figures beside them.
TEST(Analyze, WeighsABenchmarkThatItRecognises) {
    const Communicator world = Communicator::world();
    SharedTemporaryFolder folder(world, "xlrm-analyze-test");
    on_root(world, [&] {
        const PlantedFolder cells(folder / "x");
        const std::vector<std::string> subsets = {"math-prm", "hep-python", "donotanswer", "alpacaeval-easy"};
        const auto name = [&](Cell& cell) {
            for (std::size_t i = 0; i < cell.subset.size(); ++i) cell.subset[i] = subsets[i % 4];
        };
        // On each subset every fourth item: en is right on all, ko on none of math-prm and on all else.
        for (const std::string target : {"en", "ko"}) {
            cells.write("en", 1, target, verdicts(80, 0, 80), name);
            std::vector<float> own = verdicts(80, 0, 80);
            for (std::size_t i = 0; i < own.size(); i += 4) own[i] = -1.0F;
            cells.write("ko", 1, target, own, name);
        }
        const Json summary = test::analysed(Communicator::self(), test::options_for(cells.root()));
        // M-RewardBench: math-prm weighs 983, the 983 items of code as much; hep-python alone has 163 of them.
        const Json reasoning = row(summary, "headline", {{"target", "ko"}, {"category", "Reasoning"}});
        EXPECT_NEAR(reasoning.at("gap").get<double>(), 983.0 / (983.0 + 164.0), 2e-3);
        EXPECT_EQ(reasoning.at("published"), "+12 to +27");
        EXPECT_EQ(reasoning.at("undefined").at("p"), "no_rule");
        const Json average = row(summary, "headline", {{"target", "ko"}, {"category", "average"}});
        EXPECT_NEAR(average.at("gap").get<double>(), reasoning.at("gap").get<double>() / 3, 1e-12);  // Chat, Safety: equal
        EXPECT_EQ(row(summary, "headline", {{"target", "mean"}, {"category", "average"}}).at("published"), "+3 to +4");
        EXPECT_NEAR(row(summary, "headline", {{"target", "ko"}, {"category", "all"}}).at("gap").get<double>(), 0.25, 1e-12);
        EXPECT_EQ(row(summary, "accuracy", {{"source", "en"}, {"target", "en"}, {"category", "average"}}).at("rule"),
                  "rewardbench");
        EXPECT_TRUE(rows(summary, "headline", {{"category", "Chat Hard"}}).empty());  // the data have none
    });
}

TEST(Analyze, ComputesAPartAgainOnlyWhereSomethingChanged) {
    const Communicator world = Communicator::world();
    SharedTemporaryFolder folder(world, "xlrm-analyze-test");
    on_root(world, [&] {
        const PlantedFolder cells(folder / "x");
        cells.write_grid({"en", "ko"}, {"en", "ko"}, {1}, 30);
        AnalyzeOptions options = test::options_for(cells.root());
        options.parts = {"gaps"};
        const Communicator self = Communicator::self();
        Json summary = test::analysed(self, options);
        EXPECT_EQ(summary.at("parts").at("gaps"), "done");
        EXPECT_EQ(summary.at("parts").at("seeds"), "not computed");
        EXPECT_FALSE(summary.at("tables").contains("seeds"));

        // A stored part is used as it is: a planted title shows it.
        const auto part = cells.root() / "analysis/parts/gaps.json";
        Json stored = read_json(part);
        stored["tables"][0]["title"] = "planted";
        write_file_atomic(part, stored.dump());
        options.parts = {};
        summary = test::analysed(self, options);
        EXPECT_EQ(summary.at("tables").at("gaps").at("title"), "planted");
        EXPECT_EQ(summary.at("parts").at("seeds"), "done");

        options.seed = 2;
        EXPECT_NE(test::analysed(self, options).at("tables").at("gaps").at("title"), "planted");
        write_file_atomic(part, stored.dump());
        options.seed = 1;
        cells.write("en", 1, "ko", verdicts(30, 0, 10));  // another cell
        EXPECT_NE(test::analysed(self, options).at("tables").at("gaps").at("title"), "planted");
        write_file_atomic(part, "{\"identity\": ");  // a torn file counts as absent
        EXPECT_EQ(test::analysed(self, options).at("parts").at("gaps"), "done");
    });
}

}  // namespace
}  // namespace xlrm
