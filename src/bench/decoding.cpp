#include <vector>

#include "cases.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/core/progress.hpp"
#include "xlrm/core/random.hpp"
#include "xlrm/infer/generator.hpp"

namespace xlrm {
namespace {

constexpr std::int64_t kShort = 64, kLong = 2048;  // tokens that a text has before the timed ones
constexpr std::int64_t kTokens = 16;               // timed ones, each by itself

std::vector<std::int32_t> random_tokens(std::int64_t count, const Bench& bench) {
    Random random(static_cast<std::uint64_t>(bench.options.seed));
    std::vector<std::int32_t> out;
    for (std::int64_t i = 0; i < count; ++i)
        out.push_back(static_cast<std::int32_t>(random.uniform() * static_cast<double>(bench.config.vocab_size)));
    return out;
}

// A text of a given length in a cache, from which each run starts anew.
class DecodingRun {
public:
    DecodingRun(const Bench& bench, const Decoder& decoder, std::int64_t before)
        : bench_(bench),
          decoder_(decoder),
          tokens_(random_tokens(before + kTokens, bench)),
          cache_(decoder.config(), decoder.parameters().flat.scalar_type(), decoder.device()),
          sequence_(cache_.add()) {
        first_ = timed(bench.world, [&] { continue_text(decoder_, cache_, sequence_, std::span(tokens_).first(text_length())); });
    }

    //! Collective. Seconds of one token on the slowest rank, up to its logits.
    double run() {
        const std::int64_t fork = cache_.fork(sequence_);
        const double seconds = timed(bench_.world, [&] {
            for (std::size_t i = text_length(); i < tokens_.size(); ++i) {
                const at::Tensor row = continue_text(decoder_, cache_, fork, std::span(tokens_).subspan(i, 1));
                lm_logits(decoder_, decoder_.final_norm(row));
            }
        });
        cache_.remove(fork);
        return seconds / static_cast<double>(kTokens);
    }
    double tokens_per_second_of_the_prompt() const { return static_cast<double>(text_length()) / first_; }
    double cache_bytes_per_token() const {
        return static_cast<double>(cache_.bytes()) / static_cast<double>(cache_.length(sequence_));
    }

private:
    std::size_t text_length() const { return tokens_.size() - static_cast<std::size_t>(kTokens); }

    const Bench& bench_;
    const Decoder& decoder_;
    std::vector<std::int32_t> tokens_;
    KvCache cache_;
    std::int64_t sequence_;
    double first_ = 0.0;
};

void measure_decoding(Bench& bench, const std::string& dtype) {
    const BenchModel model = generating_model(bench, scalar_of(dtype));
    const Decoder decoder(model.config, model.parameters);
    DecodingRun few(bench, decoder, kShort), many(bench, decoder, kLong);
    BenchRow row{"decode", "one text", dtype};
    const auto ranks = static_cast<double>(bench.world.size());
    for (std::int64_t i = 0; i < bench.runs(); ++i) {  // in turn, so that both see the same machine
        const double at_few = few.run(), at_many = many.run();
        if (!bench.counts(i)) continue;
        row.figure("behind 64", "tokens/s").samples.push_back(ranks / at_few);
        row.figure("behind 2048", "tokens/s").samples.push_back(ranks / at_many);
        row.figure("time of a token grows", "x").samples.push_back(at_many / at_few);
    }
    row.figure("prompt of 2048", "tokens/s").samples.push_back(ranks * many.tokens_per_second_of_the_prompt());
    row.figure("cache of a token", "bytes").samples.push_back(many.cache_bytes_per_token());
    bench.rows.push_back(row);
}

}  // namespace

BenchModel generating_model(const Bench& bench, at::ScalarType dtype) {
    BenchModel model;
    together(bench.world, [&] {
        const Activity activity("making the model");
        if (bench.options.model.empty()) {
            const auto seed = static_cast<std::uint64_t>(bench.options.seed);
            model = {bench.config, init_parameters(bench.config, HeadKind::lm, seed, dtype, bench.options.device)};
            return;
        }
        LoadedModel loaded = load_model(bench.options.model, HeadKind::lm, dtype, false, kOnlyLabel, bench.options.device);
        model = {std::move(loaded.config), std::move(loaded.parameters)};
    });
    return model;
}

bool decodable(const Bench& bench) { return bench.options.model.empty() || stored_head(bench.options.model) == HeadKind::lm; }

void add_decoding(const Bench& bench, BenchCases& cases) {
    const auto runs = static_cast<double>(bench.runs());
    for (const std::string& dtype : dtypes_of(bench.options)) {
        // A row alone costs what 64 do where the library's products are taken.
        const double rows = static_cast<double>(kShort + kLong) + runs * 2.0 * 64.0 * static_cast<double>(kTokens);
        const double weights =
            static_cast<double>(bench.config.body_parameters() + bench.config.hidden * bench.config.vocab_size);
        cases.push_back({"decode", "one text", dtype, 2.0 * weights * rows, 0.0, [=](Bench& b) { measure_decoding(b, dtype); }});
    }
}

}  // namespace xlrm
