#include <algorithm>
#include <memory>

#include "cases.hpp"

namespace xlrm {
namespace {

constexpr std::int64_t kBatch = 256;
constexpr std::int64_t kPairsEnough = 20'000, kMostPasses = 20;  // of one turn

std::int64_t passes_over(std::int64_t pairs) { return std::clamp<std::int64_t>(kPairsEnough / pairs, 1, kMostPasses); }

const RowShape kShape{"short", 37, 18};

//! Training and scoring of one number of pairs.
class Size {
public:
    Size(Bench& bench, const ModelConfig& config, const std::shared_ptr<const BenchModel>& model, std::int64_t pairs,
         const std::string& dtype)
        : row{"scaling", std::to_string(pairs) + " pairs", dtype},
          passes_(passes_over(pairs)),
          set_(synthetic_items(kShape, pairs, config.vocab_size, bench.options.seed)),
          model_(model),
          scoring_(bench.world, *model, set_, score_options(bench)),
          training_(bench, config, set_, dtype, kBatch, true) {}

    struct Rates {
        double train, score;  //!< tokens/s
    };
    Rates turn() {
        double train = 0.0, score = 0.0;
        for (std::int64_t pass = 0; pass < passes_; ++pass) {
            for (std::int64_t step = 0; step < training_.steps_per_epoch(); ++step) train += training_.step(nullptr);
            score += scoring_.run();
        }
        const double tokens = scoring_.tokens * static_cast<double>(passes_);
        return {tokens / train, tokens / score};
    }
    void warm_up() {
        training_.step(nullptr);
        scoring_.run();
    }

    BenchRow row;

private:
    static ScoreOptions score_options(const Bench& bench) {
        ScoreOptions score;
        score.token_budget = bench.options.token_budget;
        return score;
    }

    std::int64_t passes_;
    const ItemSet set_;
    const std::shared_ptr<const BenchModel> model_;
    ScoringRun scoring_;
    TrainingRun training_;
};

// All numbers in turn, so that they see the same machine.
void measure(Bench& bench, const ModelConfig& config, const BenchOptions& options, const std::string& dtype) {
    const std::shared_ptr<const BenchModel> model = scoring_model(bench.world, options, config, scalar_of(dtype));
    std::vector<std::unique_ptr<Size>> sizes;
    for (const std::string& pairs : options.scaling_pairs)
        sizes.push_back(std::make_unique<Size>(bench, config, model, std::stoll(pairs), dtype));
    for (std::int64_t i = 0; i < options.warm_up; ++i)
        for (const auto& size : sizes) size->warm_up();
    for (std::int64_t i = 0; i < options.repeat; ++i) {
        Size::Rates first{};
        for (const auto& size : sizes) {
            const Size::Rates rates = size->turn();
            if (size == sizes.front()) first = rates;
            size->row.figure("train", "tokens/s").samples.push_back(rates.train);
            size->row.figure("score", "tokens/s").samples.push_back(rates.score);
            size->row.figure("train, to the first", "x").samples.push_back(rates.train / first.train);
            size->row.figure("score, to the first", "x").samples.push_back(rates.score / first.score);
        }
    }
    for (const auto& size : sizes) bench.rows.push_back(size->row);
}

}  // namespace

void add_scaling(const Bench& bench, BenchCases& cases) {
    const BenchOptions& o = bench.options;
    const std::string dtype = dtypes_of(o).front();
    const ModelConfig config = named_size(o.scaling_size);
    double tokens = 0.0;
    std::string name;
    for (const std::string& text : o.scaling_pairs) {
        const std::int64_t pairs = std::stoll(text);
        tokens += static_cast<double>(pairs * passes_over(pairs) * (kShape.prompt + 2 * kShape.answer) * o.repeat);
        name += (name.empty() ? "" : ",") + text;
    }
    // A tiny model spends more on the rest than on its products.
    cases.push_back({"scaling", name + " pairs", dtype, 8.0 * static_cast<double>(config.body_parameters()) * tokens,
                     tokens / 2e5, [=](Bench& b) {
                         BenchOptions options = b.options;
                         options.model.clear();
                         measure(b, config, options, dtype);
                     }});
}

}  // namespace xlrm
