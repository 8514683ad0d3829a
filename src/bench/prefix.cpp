#include <algorithm>

#include "cases.hpp"

namespace xlrm {
namespace {

// Gain of the on/off ratio of times, taken in turn.
void add_gain(BenchRow& row, double on, double off, double items, const std::string& unit) {
    row.figure("shared", unit).samples.push_back(items / on);
    row.figure("apart", unit).samples.push_back(items / off);
    row.figure("gain", "x").samples.push_back(off / on);
}

void measure_training(Bench& bench, const RowShape& shape, const std::string& dtype, std::int64_t batch) {
    const ItemSet pairs = synthetic_items(shape, batch * bench.runs(), bench.config.vocab_size, bench.options.seed);
    TrainingRun on(bench, bench.config, pairs, dtype, batch, true), off(bench, bench.config, pairs, dtype, batch, false);
    BenchRow row{"prefix", "train " + shape.name, dtype};
    for (std::int64_t i = 0; i < bench.runs(); ++i) {
        const double shared = on.step(nullptr), apart = off.step(nullptr);
        if (bench.counts(i)) add_gain(row, shared, apart, static_cast<double>(batch), "pairs/s");
    }
    bench.rows.push_back(row);
}

void measure_scoring(Bench& bench, const RowShape& shape, const std::string& dtype, std::int64_t items) {
    const ItemSet set = synthetic_items(shape, items, bench.config.vocab_size, bench.options.seed);
    const auto model = scoring_model(bench.world, bench.options, bench.config, scalar_of(dtype));
    ScoreOptions shared, apart;
    shared.token_budget = apart.token_budget = bench.options.token_budget;
    apart.share_prefixes = false;
    ScoringRun on(bench.world, *model, set, shared), off(bench.world, *model, set, apart);
    BenchRow row{"prefix", "score " + shape.name, dtype};
    for (std::int64_t i = 0; i < bench.runs(); ++i) {
        const double first = on.run(), second = off.run();
        if (bench.counts(i)) add_gain(row, first, second, on.texts, "texts/s");
    }
    row.figure("tokens saved", "x").samples.push_back(off.physical / on.physical);
    bench.rows.push_back(row);
}

}  // namespace

void add_prefix(const Bench& bench, BenchCases& cases) {
    const BenchOptions& o = bench.options;
    const RowShape even = o.prompt_tokens > 0 ? RowShape{"pairs", o.prompt_tokens, o.answer_tokens, 2, false}
                                              : RowShape{"pairs 150+150", 150, 150, 2, false};
    const RowShape many{"best of 16", 300, 200, 16, false};
    const double body = static_cast<double>(bench.config.body_parameters());
    const auto tokens = [](const RowShape& shape, std::int64_t items) {  // shared and apart
        return static_cast<double>(items * (shape.prompt + shape.answers * (2 * shape.answer + shape.prompt)));
    };
    for (const std::string& dtype : dtypes_of(o)) {
        const std::int64_t batch = o.batch_pairs > 0 ? o.batch_pairs : pairs_in(even, o.token_budget * bench.world.size());
        const std::int64_t items = o.pairs > 0 ? o.pairs : batch, groups = std::max<std::int64_t>(bench.world.size(), items / 16);
        const double runs = static_cast<double>(bench.runs());
        cases.push_back({"prefix", "train " + even.name, dtype, 6.0 * body * tokens(even, batch) * runs, 0.0,
                         [=](Bench& b) { measure_training(b, even, dtype, batch); }});
        cases.push_back({"prefix", "score " + even.name, dtype, 2.0 * body * tokens(even, items) * runs, 0.0,
                         [=](Bench& b) { measure_scoring(b, even, dtype, items); }});
        cases.push_back({"prefix", "score " + many.name, dtype, 2.0 * body * tokens(many, groups) * runs, 0.0,
                         [=](Bench& b) { measure_scoring(b, many, dtype, groups); }});
    }
}

}  // namespace xlrm
