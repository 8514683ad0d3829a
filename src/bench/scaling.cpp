#include <algorithm>

#include "cases.hpp"

namespace xlrm {
namespace {

constexpr std::int64_t kBatch = 256;
constexpr std::int64_t kPairsEnough = 200'000;  // of all runs of one number

const RowShape kShape{"short", 37, 18};

void measure(Bench& bench, const ModelConfig& config, const BenchOptions& options, std::int64_t pairs, const std::string& dtype) {
    const ItemSet set = synthetic_items(kShape, pairs, config.vocab_size, options.seed);
    const auto model = scoring_model(options, config, scalar_of(dtype));
    ScoreOptions score;
    score.token_budget = options.token_budget;
    ScoringRun scoring(bench.world, *model, set, score);
    TrainingRun training(bench, config, set, dtype, kBatch, true);
    for (std::int64_t i = 0; i < options.warm_up; ++i) training.step(nullptr);
    if (options.warm_up > 0) scoring.run();
    BenchRow row{"scaling", std::to_string(pairs) + " pairs", dtype};
    const std::int64_t runs = std::clamp<std::int64_t>(kPairsEnough / pairs, 1, options.repeat);
    for (std::int64_t i = 0; i < runs; ++i) {
        double seconds = 0.0;
        for (std::int64_t step = 0; step < training.steps_per_epoch(); ++step) seconds += training.step(nullptr);
        row.figure("train", "tokens/s").samples.push_back(scoring.tokens / seconds);
        row.figure("score", "tokens/s").samples.push_back(scoring.tokens / scoring.run());
    }
    compare_with_first(bench.rows, row, {"train", "score"});
    bench.rows.push_back(row);
}

}  // namespace

void add_scaling(const Bench& bench, BenchCases& cases) {
    const std::string dtype = dtypes_of(bench.options).front();
    const ModelConfig config = named_size(bench.options.scaling_size);
    for (const std::string& text : bench.options.scaling_pairs) {
        const std::int64_t pairs = std::stoll(text);
        const double runs = static_cast<double>(std::clamp<std::int64_t>(kPairsEnough / pairs, 1, bench.options.repeat));
        const double tokens = static_cast<double>(pairs * (kShape.prompt + 2 * kShape.answer));
        // A tiny model spends more on the rest than on its products.
        const double flops = 8.0 * static_cast<double>(config.body_parameters()) * tokens * runs;
        cases.push_back({"scaling", text + " pairs", dtype, flops, tokens * runs / 2e5, [=](Bench& b) {
                             BenchOptions options = b.options;
                             options.model.clear();
                             measure(b, config, options, pairs, dtype);
                         }});
    }
}

}  // namespace xlrm
