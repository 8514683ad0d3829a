#include "xlrm/bench/bench.hpp"

#include <gtest/gtest.h>

#include "support/temporary_folder.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/text/tokenizer.hpp"

namespace xlrm {
namespace {

BenchOptions tiny(const std::string& what) {
    BenchOptions options;
    options.what = {what};
    options.size = "tiny";
    options.token_budget = 256;
    options.repeat = 2;
    options.square = 64;
    options.scaling_pairs = {"20", "40"};
    options.cell_counts = {"10", "20"};
    return options;
}

Json results(const BenchOptions& options) {
    const Communicator world = Communicator::world();
    const BenchReport report = run_bench(world, options);
    EXPECT_EQ(report.json.at("machine").at("ranks"), world.size());
    EXPECT_NE(report.table.find(options.what.at(0)), std::string::npos);
    return report.json.at("results");
}

const Json& result(const Json& all, const std::string& name, const std::string& dtype) {
    for (const Json& one : all)
        if (one.at("case") == name && one.at("dtype") == dtype) return one.at("figures");
    throw std::runtime_error("no case " + name + " " + dtype + " in " + all.dump());
}

// Figures are there, with as many samples as were asked for, and above zero.
void expect_figures(const Json& figures, const std::vector<std::string>& names, std::size_t samples = 2) {
    for (const std::string& name : names) {
        ASSERT_TRUE(figures.contains(name)) << name << " in " << figures.dump();
        const Json& figure = figures.at(name);
        EXPECT_EQ(figure.at("samples").size(), samples) << name;
        EXPECT_GT(figure.at("min").get<double>(), 0.0) << name;
        EXPECT_LE(figure.at("min"), figure.at("median"));
        EXPECT_LE(figure.at("median"), figure.at("max"));
    }
}

TEST(Bench, MeasuresProducts) {
    const Json all = results(tiny("roof"));
    EXPECT_EQ(all.size(), 10U);
    for (const std::string dtype : {"fp32", "bf16"}) {
        expect_figures(result(all, "n=64", dtype), {"library", "linear"});
        expect_figures(result(all, "down 256x64x128", dtype), {"library", "linear", "weight gradient"});
    }
}

TEST(Bench, MeasuresTrainingAndItsParts) {
    const Json all = results(tiny("train"));
    ASSERT_EQ(all.size(), 4U);
    for (const std::string rows : {"short", "long"}) {
        const Json& figures = result(all, rows, "bf16");
        expect_figures(figures, {"pairs", "logical", "physical", "step", "forward", "backward", "optimiser", "model speed",
                                 "share of roof"});
        double parts = 0.0;
        for (const char* part : {"forward", "backward", "optimiser", "reduction", "rest"})
            parts += figures.at(part).at("samples").at(0).get<double>();
        EXPECT_NEAR(parts, figures.at("step").at("samples").at(0).get<double>(), 1e-6);
        EXPECT_GT(figures.at("logical").at("median"), figures.at("physical").at("median"));
    }
}

TEST(Bench, MeasuresScoring) {
    const Json all = results(tiny("score"));
    ASSERT_EQ(all.size(), 4U);
    expect_figures(result(all, "short", "fp32"), {"texts", "logical", "physical", "model speed", "share of roof"});
}

TEST(Bench, MeasuresCapture) {
    BenchOptions options = tiny("capture");
    options.prompt_tokens = 20;
    options.answer_tokens = 10;
    options.dtype = "bf16";
    const Json all = results(options);
    ASSERT_EQ(all.size(), 1U);
    expect_figures(result(all, "20+10", "bf16"), {"without", "all layers"});
}

TEST(Bench, MeasuresDecoding) {
    BenchOptions options = tiny("decode");
    options.dtype = "bf16";
    const Json all = results(options);
    ASSERT_EQ(all.size(), 1U);
    const Json& figures = result(all, "one text", "bf16");
    expect_figures(figures, {"behind 64", "behind 2048", "time of a token grows"});
    expect_figures(figures, {"prompt of 2048", "cache of a token"}, 1);
}

TEST(Bench, MeasuresGenerating) {
    BenchOptions options = tiny("generate");
    options.dtype = "fp32";
    const Json all = results(options);
    ASSERT_EQ(all.size(), 2U);
    for (const char* name : {"64 x 32 -> 64, greedy", "4 samples, varied"})
        expect_figures(result(all, name, "fp32"),
                       {"new", "prompts", "decode", "decode, of roof", "model speed", "share of roof"});
    const TemporaryFolder folder;
    options.generate_data = (folder / "prompts.jsonl").string();
    options.generate_output = (folder / "texts.jsonl").string();
    write_file_atomic(options.generate_data, "{\"ids\": [1, 2, 3], \"new\": 5}\n{\"ids\": [4], \"new\": 2}\n");
    if (Communicator::world().size() > 1) return;  // their ids are written by one rank
    results(options);
    std::vector<std::size_t> lengths;
    for_each_line(options.generate_output,
                  [&](std::int64_t, std::string_view line) { lengths.push_back(parse_json(line, "texts").at("ids").size()); });
    EXPECT_EQ(lengths, (std::vector<std::size_t>{5, 2}));
    write_file_atomic(options.generate_data, "{\"ids\": [512], \"new\": 5}\n");
    EXPECT_THROW(run_bench(Communicator::world(), options), Error);
}

TEST(Bench, MeasuresSharedPrefixes) {
    BenchOptions options = tiny("prefix");
    options.dtype = "fp32";
    options.token_budget = 8192;
    options.pairs = 2;
    options.batch_pairs = 2;
    const Json all = results(options);
    ASSERT_EQ(all.size(), 3U);
    expect_figures(result(all, "train pairs 150+150", "fp32"), {"shared", "apart", "gain"});
    // 16 · (300 + 200) tokens apart, 300 + 16 · 200 shared.
    EXPECT_DOUBLE_EQ(result(all, "score best of 16", "fp32").at("tokens saved").at("median").get<double>(), 8000.0 / 3500.0);
    EXPECT_DOUBLE_EQ(result(all, "score pairs 150+150", "fp32").at("tokens saved").at("median").get<double>(), 600.0 / 450.0);
}

TEST(Bench, MeasuresGrowingWork) {
    BenchOptions options = tiny("scaling");
    options.dtype = "fp32";
    const Json all = results(options);
    expect_figures(result(all, "40 pairs", "fp32"), {"train", "score"});
    for (const std::string figure : {"train", "score"}) {
        const Json ratios = result(all, "40 pairs", "fp32").at(figure + ", to the first").at("samples");
        const Json rates = result(all, "40 pairs", "fp32").at(figure).at("samples"),
                   first = result(all, "20 pairs", "fp32").at(figure).at("samples");
        ASSERT_EQ(ratios.size(), static_cast<std::size_t>(options.repeat));
        for (std::size_t i = 0; i < ratios.size(); ++i)
            EXPECT_DOUBLE_EQ(ratios[i].get<double>(), rates[i].get<double>() / first[i].get<double>());
    }
}

TEST(Bench, MeasuresGrowingSweeps) {
    const Json all = results(tiny("cells"));
    ASSERT_EQ(all.size(), 2U);
    for (const std::string cells : {"10 cells", "20 cells"}) {
        const Json& figures = result(all, cells, "fp32");
        expect_figures(figures, {"cells", "a cell"});
        EXPECT_NEAR(
            figures.at("cells").at("samples").at(0).get<double>() * figures.at("a cell").at("samples").at(0).get<double>(), 1e3,
            1e-6);
    }
    EXPECT_EQ(result(all, "10 cells", "fp32").at("cells, to the first").at("median"), 1.0);
}

// A sentencepiece model of the rows' own letters, and rows.
class PreparedRows : public testing::Test {
protected:
    PreparedRows() {
        const Communicator world = Communicator::world();
        on_root(world, [&] {
            std::vector<std::string> texts;
            std::string rows;
            for (int i = 0; i < 200; ++i) {
                texts.push_back("the " + std::to_string(i) + ". text tells of " + std::to_string(i * i) + " stones and a river");
                rows += Json{{"id", std::to_string(i)}, {"lang", "en"}, {"text", texts.back()}}.dump() + "\n";
            }
            train_sentencepiece(texts, 288, folder_ / "tokenizer", 1);
            write_file_atomic(folder_ / "rows.jsonl", rows);
        });
        path_ = world.broadcast(folder_.path().string());
    }
    TemporaryFolder folder_;
    std::string path_;
};

TEST_F(PreparedRows, AreMeasuredBesideTheLibrary) {
    BenchOptions options = tiny("prepare");
    options.tokenizer = path_ + "/tokenizer";
    options.data = {path_ + "/rows.jsonl"};
    const Json all = results(options);
    ASSERT_EQ(all.size(), 1U);
    const Json& figures = all.at(0).at("figures");
    expect_figures(figures, {"prepare", "library", "library tokens", "prepare / library"});
    const double ratio = figures.at("prepare / library").at("samples").at(0);
    EXPECT_NEAR(ratio,
                figures.at("prepare").at("samples").at(0).get<double>() / figures.at("library").at("samples").at(0).get<double>(),
                1e-9);
}

TEST(Bench, MeasuresTokenizingAndGivenRows) {
    const std::string folder = XLRM_SOURCE_DIR "/tests/fixtures/train/trl_run/model";
    BenchOptions options = tiny("tokenize");
    options.size = BenchOptions{}.size;
    options.model = folder;
    options.texts = {folder + "/config.json"};
    expect_figures(results(options).at(0).at("figures"), {"text", "tokens"});
    options.what = {"train"};
    options.dtype = "fp32";
    options.data = {XLRM_SOURCE_DIR "/tests/fixtures/train/trl_run/pairs.jsonl"};
    expect_figures(result(results(options), "data", "fp32"), {"pairs", "share of roof"});
}

TEST(Bench, MeasuresTheReductionOfSeveralRanks) {
    const Communicator world = Communicator::world();
    const BenchOptions options = tiny("reduce");
    if (world.size() == 1) {
        EXPECT_THROW(run_bench(world, options), Error);
        return;
    }
    expect_figures(results(options).at(0).at("figures"),
                   {"all-reduce", "all-reduce in buckets", "reducer", "reducer / all-reduce"});
    expect_figures(result(results(options), "1 MiB", "fp32"),
                   {"MPI's all-reduce", "flat, fp32", "flat, bf16", "hierarchical", "hierarchical, 1 rank a node, fp32",
                    "hierarchical, 1 rank a node, bf16"});
}

TEST(Bench, PlansWithoutRunning) {
    const Communicator world = Communicator::world();
    BenchOptions options = tiny("train");
    options.size = "medium";
    const std::string plan = bench_plan(world, options);
    EXPECT_NE(plan.find("4 measurements, about"), std::string::npos) << plan;
}

TEST(Bench, RefusesWhatItDoesNotKnow) {
    BenchOptions options = tiny("speed");
    EXPECT_THROW(check(options), Error);
    options = tiny("tokenize");
    EXPECT_THROW(check(options), Error);
    options = tiny("prepare");
    EXPECT_THROW(check(options), Error);
    options = tiny("cells");
    options.cell_counts = {"15"};
    EXPECT_THROW(check(options), Error);
    EXPECT_THROW(named_size("large"), Error);
    EXPECT_THROW(named_size("llama:8:1:3:1:16"), Error);
}

}  // namespace
}  // namespace xlrm
