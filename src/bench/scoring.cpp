#include <algorithm>

#include "cases.hpp"
#include "xlrm/bench/flops.hpp"
#include "xlrm/core/partition.hpp"
#include "xlrm/core/profile.hpp"
#include "xlrm/eval/row_spool.hpp"
#include "xlrm/model/packed_batch.hpp"

namespace xlrm {

ScoringRun::ScoringRun(const Communicator& world, const BenchModel& model, const ItemSet& set, const ScoreOptions& options)
    : world_(world), set_(set), options_(options), decoder_(model.config, model.parameters) {
    const Range mine = block_range(static_cast<std::int64_t>(set.items.size()), world.rank(), world.size());
    for (std::int64_t i = mine.begin; i < mine.end; ++i) {
        const Item& item = set.items[static_cast<std::size_t>(i)];
        for (std::int32_t k = 0; k < item.answers; ++k) answers_.push_back(item.first_answer + k);
    }
    std::vector<double> counts(4, 0.0);
    counts[0] = static_cast<double>(answers_.size());
    for (const std::int64_t answer : answers_) counts[1] += set.answers[static_cast<std::size_t>(answer)].length;
    for (const auto& batch : score_batches(set, answers_, options)) {
        const PackedBatch packed = pack(set, batch, options.share_prefixes);
        counts[2] += static_cast<double>(packed.physical_tokens());
        counts[3] += forward_flops(model.config, packed.segments);
    }
    world.sum(std::span<double>(counts));
    texts = counts[0], tokens = counts[1], physical = counts[2], flops = counts[3];
}

double ScoringRun::run() {
    std::vector<RowSpool::Part> parts;
    for (const auto& [capture, asked] :
         {std::pair{Capture::last, options_.capture_last}, std::pair{Capture::mean, options_.capture_mean}})
        for (const std::int64_t layer : options_.layers)
            if (asked) parts.push_back({capture, layer, DType::bf16});
    return timed(world_, [&] {
        RowSpool spool(parts, decoder_.config().hidden, static_cast<std::int64_t>(answers_.size()));
        score_texts(decoder_, set_, answers_, options_, {}, [&](const CapturedRows& rows) { spool.take(rows); });
    });
}

namespace {

using Make = std::function<std::shared_ptr<const ItemSet>()>;

// Calls add(name, tokens of all items, items) for the data or for each synthetic shape.
void for_each_set(const Bench& bench, const std::shared_ptr<const ItemSet>& pairs,
                  const std::function<void(const std::string&, double, const Make&)>& add) {
    const BenchOptions& o = bench.options;
    const std::int64_t budget = 2 * o.token_budget * bench.world.size();
    if (pairs != nullptr) {
        const double items = static_cast<double>(pairs->items.size());
        add("data", static_cast<double>(budget) * items / static_cast<double>(pairs_in(*pairs, budget)),
            [pairs] { return pairs; });
    }
    for (const RowShape& shape : row_shapes(o)) {
        const std::int64_t count = o.pairs > 0 ? o.pairs : pairs_in(shape, budget);
        const double tokens = static_cast<double>(count * (shape.prompt + shape.answers * shape.answer));
        add(shape.name, tokens, [=, vocab = bench.config.vocab_size, seed = o.seed] {
            return std::make_shared<const ItemSet>(synthetic_items(shape, count, vocab, seed));
        });
    }
}

ScoreOptions score_options(const Bench& bench) {
    ScoreOptions options;
    options.token_budget = bench.options.token_budget;
    return options;
}

void measure(Bench& bench, const std::string& name, const std::string& dtype, const ItemSet& set) {
    const Roof top = roof(bench, dtype);
    const bool fresh_peak = reset_peak_memory();
    const auto model = scoring_model(bench.world, bench.options, bench.config, scalar_of(dtype));
    ScoringRun scoring(bench.world, *model, set, score_options(bench));
    BenchRow row{"score", name, dtype};
    for (std::int64_t i = 0; i < bench.runs(); ++i) {
        const double seconds = scoring.run();
        if (!bench.counts(i)) continue;
        row.figure("texts", "texts/s").samples.push_back(scoring.texts / seconds);
        row.figure("logical", "tokens/s").samples.push_back(scoring.tokens / seconds);
        row.figure("physical", "tokens/s").samples.push_back(scoring.physical / seconds);
        row.figure("model speed", "GFLOP/s").samples.push_back(1e-9 * scoring.flops / seconds);
        add_roof_shares(row, top, scoring.flops / seconds);
    }
    row.figure(fresh_peak ? "peak memory" : "peak of process", "MiB")
        .samples.push_back(bench.world.max(static_cast<double>(peak_resident_bytes())) / 1048576.0);
    bench.rows.push_back(row);
}

void measure_capture(Bench& bench, const std::string& name, const std::string& dtype, const ItemSet& set) {
    const auto model = scoring_model(bench.world, bench.options, bench.config, scalar_of(dtype));
    ScoreOptions all = score_options(bench);
    for (std::int64_t layer = 0; layer <= model->config.layers; ++layer) all.layers.push_back(layer);
    all.capture_last = all.capture_mean = true;
    // The mean of the last layer needs all its rows, which scores do not: that part is arithmetic, the rest is capture's own.
    ScoreOptions last_layer = score_options(bench);
    last_layer.layers = {model->config.layers};
    last_layer.capture_mean = true;
    ScoringRun without(bench.world, *model, set, score_options(bench)), whole(bench.world, *model, set, last_layer),
        with(bench.world, *model, set, all);
    BenchRow row{"capture", name, dtype};
    for (std::int64_t i = 0; i < bench.runs(); ++i) {  // in turn, so that both see the same machine
        const double plain = without.run(), untrimmed = whole.run(), captured = with.run();
        if (!bench.counts(i)) continue;
        row.figure("without", "tokens/s").samples.push_back(without.tokens / plain);
        row.figure("all layers", "tokens/s").samples.push_back(with.tokens / captured);
        row.figure("slower by", "%").samples.push_back(100.0 * (captured / plain - 1.0));
        row.figure("last layer whole", "%").samples.push_back(100.0 * (untrimmed / plain - 1.0));
        row.figure("all layers beside it", "%").samples.push_back(100.0 * (captured / untrimmed - 1.0));
    }
    bench.rows.push_back(row);
}

}  // namespace

void add_scoring(const Bench& bench, const std::shared_ptr<const ItemSet>& pairs, BenchCases& cases) {
    for_each_set(bench, pairs, [&](const std::string& name, double tokens, const Make& make) {
        for (const std::string& dtype : dtypes_of(bench.options)) {
            const double flops =
                2.0 * static_cast<double>(bench.config.body_parameters()) * tokens * static_cast<double>(bench.runs());
            cases.push_back({"score", name, dtype, flops, 0.0, [=](Bench& b) { measure(b, name, dtype, *make()); }});
        }
    });
}

void add_capture(const Bench& bench, const std::shared_ptr<const ItemSet>& pairs, BenchCases& cases) {
    for_each_set(bench, pairs, [&](const std::string& name, double tokens, const Make& make) {
        for (const std::string& dtype : dtypes_of(bench.options)) {
            const double flops =
                4.0 * static_cast<double>(bench.config.body_parameters()) * tokens * static_cast<double>(bench.runs());
            cases.push_back({"capture", name, dtype, flops, 0.0, [=](Bench& b) { measure_capture(b, name, dtype, *make()); }});
        }
    });
}

}  // namespace xlrm
