#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "figures.hpp"
#include "inputs.hpp"
#include "xlrm/bench/bench.hpp"
#include "xlrm/infer/scorer.hpp"

namespace xlrm {

//! FLOP/s of all ranks in a large square product: libtorch's own, and the faster of it and xlrm's.
struct Roof {
    double library = 0.0, best = 0.0;
};

//! What all measurements of one call share.
struct Bench {
    const Communicator& world;
    const BenchOptions& options;
    ModelConfig config;
    std::vector<BenchRow> rows = {};
    std::map<std::string, Roof> roofs = {};  //!< by dtype, once measured

    std::int64_t runs() const { return options.warm_up + options.repeat; }
    bool counts(std::int64_t run) const { return run >= options.warm_up; }
};

//! One measurement that could run.
struct BenchCase {
    std::string what, name, dtype;
    double flops = 0.0;    //!< of all its runs, over all ranks: what the estimate of --dry-run is made of …
    double seconds = 0.0;  //!< … and time that does not depend on them
    std::function<void(Bench&)> run;
};
using BenchCases = std::vector<BenchCase>;

//! Collective. FLOP/s of all ranks together in large square products, the best of libtorch's and xlrm's; measured once.
Roof roof(Bench& bench, const std::string& dtype);
//! Adds what share of both roofs `flops` FLOP/s are.
void add_roof_shares(BenchRow& row, const Roof& roof, double flops);
//! Collective. FLOP/s of one n × n × n product, all ranks at once.
double quick_product(const Bench& bench, std::int64_t n, const std::string& dtype);

void add_roof(const Bench& bench, BenchCases& cases);
//! `pairs`: the rows of --data; none: synthetic ones.
void add_training(const Bench& bench, const std::shared_ptr<const ItemSet>& pairs, BenchCases& cases);
void add_scoring(const Bench& bench, const std::shared_ptr<const ItemSet>& pairs, BenchCases& cases);
void add_capture(const Bench& bench, const std::shared_ptr<const ItemSet>& pairs, BenchCases& cases);
//! Whether the model has an LM head.
bool decodable(const Bench& bench);
//! New tokens one at a time, at two lengths of the text before them.
void add_decoding(const Bench& bench, BenchCases& cases);
//! Texts of many prompts at once: continuous batching.
void add_generating(const Bench& bench, BenchCases& cases);
//! Collective. Weights with an LM head.
BenchModel generating_model(const Bench& bench, at::ScalarType dtype);
void add_prefix(const Bench& bench, BenchCases& cases);
void add_tokenizing(const Bench& bench, BenchCases& cases);
//! Whether there are rows and a tokenizer.model.
bool preparable(const Bench& bench);
//! Rows of --data through the work of xlrm_prepare; needs a tokenizer.model.
void add_preparing(const Bench& bench, BenchCases& cases);
void add_reduction(const Bench& bench, BenchCases& cases);
void add_scaling(const Bench& bench, BenchCases& cases);
void add_cells(const Bench& bench, BenchCases& cases);

//! Pairs whose tokens fill `budget`, prompts shared.
std::int64_t pairs_in(const ItemSet& set, std::int64_t budget);
std::int64_t pairs_in(const RowShape& shape, std::int64_t budget);

//! Training of one set with or without shared prompts; several may be stepped in turn.
class TrainingRun {
public:
    TrainingRun(Bench& bench, const ModelConfig& config, const ItemSet& pairs, const std::string& dtype, std::int64_t batch_pairs,
                bool share);
    ~TrainingRun();
    //! Collective. One step; its figures go to `row` where one is given. Returns the seconds.
    double step(BenchRow* row);
    std::int64_t steps_per_epoch() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

//! Scoring of one set, items divided among the ranks; several may run in turn.
class ScoringRun {
public:
    ScoringRun(const Communicator& world, const BenchModel& model, const ItemSet& set, const ScoreOptions& options);
    //! Collective. All items once. Returns the seconds.
    double run();
    double texts = 0.0, tokens = 0.0, physical = 0.0, flops = 0.0;  //!< of all ranks

private:
    const Communicator& world_;
    const ItemSet& set_;
    const ScoreOptions options_;
    const Decoder decoder_;
    std::vector<std::int64_t> answers_;
};

}  // namespace xlrm
