#include <algorithm>
#include <chrono>

#include "cases.hpp"
#include "xlrm/bench/flops.hpp"
#include "xlrm/core/profile.hpp"
#include "xlrm/model/packed_batch.hpp"
#include "xlrm/train/plan.hpp"
#include "xlrm/train/step_probe.hpp"

namespace xlrm {
namespace {

TrainOptions train_options(const Bench& bench, const std::string& dtype, std::int64_t batch_pairs, bool share) {
    TrainOptions options;
    options.model = bench.options.model;
    options.dtype = dtype;
    options.reduction = bench.options.reduction;
    options.batch_pairs = batch_pairs;
    options.token_budget = bench.options.token_budget;
    options.share_prefix = share;
    options.seed = bench.options.seed;
    options.device = bench.options.device;
    return options;
}

std::vector<std::int64_t> answers_of(const ItemSet& set, const std::vector<std::int64_t>& items) {
    std::vector<std::int64_t> answers;
    for (const std::int64_t item : items) {
        const Item& entry = set.items[static_cast<std::size_t>(item)];
        for (std::int32_t k = 0; k < entry.answers; ++k) answers.push_back(entry.first_answer + k);
    }
    return answers;
}

constexpr const char* kParts[] = {"forward", "backward", "optimiser", "reduction"};

}  // namespace

struct TrainingRun::State {
    State(Bench& b, const ModelConfig& c, const ItemSet& p, const std::string& d, std::int64_t batch_pairs, bool shared)
        : bench(b),
          config(c),
          pairs(p),
          dtype(d),
          share(shared),
          probe(b.world, train_options(b, d, batch_pairs, shared), c, p) {}
    Bench& bench;
    const ModelConfig& config;
    const ItemSet& pairs;
    const std::string dtype;
    const bool share;
    Profile profile{false};
    StepProbe probe;
};

TrainingRun::TrainingRun(Bench& bench, const ModelConfig& config, const ItemSet& pairs, const std::string& dtype,
                         std::int64_t batch_pairs, bool share)
    : state_(std::make_unique<State>(bench, config, pairs, dtype, batch_pairs, share)) {}
TrainingRun::~TrainingRun() = default;
std::int64_t TrainingRun::steps_per_epoch() const { return state_->probe.steps_per_epoch(); }

double TrainingRun::step(BenchRow* row) {
    State& s = *state_;
    s.profile.clear();
    StepProbe::Step step;
    {
        const ProfileOn on(s.profile);
        step = s.probe.step();
    }
    if (row == nullptr) return step.seconds;
    const auto add = [&](const std::string& name, const std::string& unit, double value) {
        row->figure(name, unit).samples.push_back(value);
    };
    const double pairs = static_cast<double>(step.items.size());
    const double flops = training_flops(s.config, pack(s.pairs, answers_of(s.pairs, step.items), s.share).segments);
    add("pairs", "pairs/s", pairs / step.seconds);
    add("logical", "tokens/s", step.tokens / step.seconds);
    add("physical", "tokens/s", step.physical / step.seconds);
    add("step", "ms", 1e3 * step.seconds);
    std::vector<double> parts;
    for (const char* part : kParts) parts.push_back(s.profile.stage_seconds(part));
    s.bench.world.sum(std::span<double>(parts));
    double rest = step.seconds;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        parts[i] /= static_cast<double>(s.bench.world.size());
        rest -= parts[i];
        add(kParts[i], "ms", 1e3 * parts[i]);
    }
    add("rest", "ms", 1e3 * rest);
    add("rest share", "%", 100.0 * rest / step.seconds);
    add("exposed reduction", "%", 100.0 * parts[3] / step.seconds);
    add("model speed", "GFLOP/s", 1e-9 * flops / step.seconds);
    add_roof_shares(*row, roof(s.bench, s.dtype), flops / step.seconds);
    return step.seconds;
}

std::int64_t pairs_in(const ItemSet& set, std::int64_t budget) {
    std::int64_t tokens = 0;
    const auto items = static_cast<std::int64_t>(set.items.size());
    for (std::int64_t i = 0; i < items; ++i) tokens += physical_tokens(set, i, true);
    return std::clamp<std::int64_t>(budget * items / std::max<std::int64_t>(tokens, 1), 1, items);
}

std::int64_t pairs_in(const RowShape& shape, std::int64_t budget) {
    return std::max<std::int64_t>(1, budget / (shape.prompt + shape.answers * shape.answer));
}

namespace {

void measure(Bench& bench, const std::string& name, const std::string& dtype, const ItemSet& pairs, std::int64_t batch_pairs) {
    roof(bench, dtype);
    const bool fresh_peak = reset_peak_memory();
    BenchRow row{"train", name, dtype};
    const auto start = std::chrono::steady_clock::now();
    TrainingRun run(bench, bench.config, pairs, dtype, batch_pairs, true);
    const double building = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    for (std::int64_t i = 0; i < bench.runs(); ++i) run.step(bench.counts(i) ? &row : nullptr);
    row.figure("model and buffers", "s").samples.push_back(bench.world.max(building));
    row.figure(fresh_peak ? "peak memory" : "peak of process", "MiB")
        .samples.push_back(bench.world.max(static_cast<double>(peak_resident_bytes())) / 1048576.0);
    bench.rows.push_back(row);
}

}  // namespace

void add_training(const Bench& bench, const std::shared_ptr<const ItemSet>& pairs, BenchCases& cases) {
    const BenchOptions& o = bench.options;
    const std::int64_t budget = o.token_budget * bench.world.size();
    const auto add = [&](const std::string& name, std::int64_t batch, double tokens,
                         const std::function<std::shared_ptr<const ItemSet>()>& make) {
        for (const std::string& dtype : dtypes_of(o)) {
            const double flops =
                6.0 * static_cast<double>(bench.config.body_parameters()) * tokens * static_cast<double>(bench.runs());
            cases.push_back({"train", name, dtype, flops, 0.0, [=](Bench& b) { measure(b, name, dtype, *make(), batch); }});
        }
    };
    // Tokens of a step, `fill` pairs being a budget.
    const auto tokens_of = [&](std::int64_t batch, std::int64_t fill) {
        return static_cast<double>(budget) * static_cast<double>(batch) / static_cast<double>(fill);
    };
    if (pairs != nullptr) {
        const std::int64_t fill = pairs_in(*pairs, budget), batch = o.batch_pairs > 0 ? o.batch_pairs : fill;
        add("data", batch, tokens_of(batch, fill), [pairs] { return pairs; });
    }
    for (const RowShape& shape : row_shapes(o)) {
        const std::int64_t fill = pairs_in(shape, budget), batch = o.batch_pairs > 0 ? o.batch_pairs : fill;
        add(shape.name, batch, tokens_of(batch, fill), [=, runs = bench.runs(), vocab = bench.config.vocab_size, seed = o.seed] {
            return std::make_shared<const ItemSet>(synthetic_items(shape, batch * runs, vocab, seed));
        });
    }
}

}  // namespace xlrm
