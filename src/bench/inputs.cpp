#include "inputs.hpp"

#include <algorithm>
#include <cmath>

#include "xlrm/comm/together.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/random.hpp"
#include "xlrm/data/prepare.hpp"

namespace xlrm {
namespace {

// About `length`, between a third and three times of it.
std::int32_t drawn(Random& random, std::int64_t length, bool varied) {
    const double factor = varied ? std::clamp(std::exp(0.35 * random.normal()), 1.0 / 3.0, 3.0) : 1.0;
    return std::max(1, static_cast<std::int32_t>(std::lround(factor * static_cast<double>(length))));
}

}  // namespace

std::vector<RowShape> row_shapes(const BenchOptions& bench) {
    std::vector<RowShape> shapes;
    if (!bench.data.empty()) return shapes;
    if (bench.prompt_tokens > 0)
        return {{std::to_string(bench.prompt_tokens) + "+" + std::to_string(bench.answer_tokens), bench.prompt_tokens,
                 bench.answer_tokens}};
    for (const std::string& rows : bench.rows)
        shapes.push_back(rows == "short" ? RowShape{"short", 37, 18} : RowShape{"long", 60, 470});
    return shapes;
}

ItemSet synthetic_items(const RowShape& shape, std::int64_t items, std::int64_t vocab, std::int64_t seed) {
    Random random(static_cast<std::uint64_t>(seed), 17);
    ItemSet set;
    const auto add_tokens = [&](std::int32_t count) {
        for (std::int32_t i = 0; i < count; ++i)
            set.tokens.push_back(static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(vocab))));
    };
    for (std::int64_t i = 0; i < items; ++i) {
        set.items.push_back(
            {"s" + std::to_string(i), "en", "", static_cast<std::int64_t>(set.answers.size()), shape.answers, 1, std::nanf("")});
        const std::int32_t prompt = drawn(random, shape.prompt, shape.varied);
        const auto first = static_cast<std::int64_t>(set.tokens.size());
        for (std::int32_t k = 0; k < shape.answers; ++k) {
            const auto begin = static_cast<std::int64_t>(set.tokens.size());
            const std::int32_t answer = drawn(random, shape.answer, shape.varied);
            if (k == 0)
                add_tokens(prompt);
            else
                for (std::int64_t t = 0; t < prompt; ++t) set.tokens.push_back(set.tokens[static_cast<std::size_t>(first + t)]);
            add_tokens(answer);
            set.answers.push_back({begin, prompt + answer, prompt});
        }
    }
    return set;
}

std::filesystem::path tokenizer_folder(const BenchOptions& bench) {
    return bench.tokenizer.empty() ? bench.model : bench.tokenizer;
}

ItemSet read_pairs(const Communicator& world, const BenchOptions& bench) {
    std::unique_ptr<Tokenizer> tokenizer;
    std::unique_ptr<ChatTemplate> chat_template;
    together(world, [&] {
        const Activity activity("reading the tokenizer and the template");
        tokenizer = load_tokenizer(tokenizer_folder(bench));
        chat_template = load_chat_template(bench.chat_template, tokenizer_folder(bench), bench.template_date);
    });
    PrepareOptions options;
    options.inputs.assign(bench.data.begin(), bench.data.end());
    options.max_length = bench.max_length;
    ItemSet set = prepare(world, options, *tokenizer, *chat_template).set;
    together(world, [&] {
        require(!set.items.empty(),
                "--data has no pair that is used (all are tied or longer than --max-length); give other rows");
        require_known_tokens(set, bench_config(bench).vocab_size,
                             bench.model.empty() ? "the model of --size " + bench.size : bench.model);
    });
    if (bench.pairs > 0 && static_cast<std::int64_t>(set.items.size()) > bench.pairs)
        set.items.resize(static_cast<std::size_t>(bench.pairs));
    return set;
}

namespace {

std::unique_ptr<BenchModel> make_scoring_model(const BenchOptions& bench, const ModelConfig& config, at::ScalarType dtype) {
    auto model = std::make_unique<BenchModel>();
    const auto seed = static_cast<std::uint64_t>(bench.seed);
    if (bench.model.empty()) {
        model->config = config;
        model->parameters = init_parameters(config, HeadKind::reward, seed, dtype, bench.device);
        init_reward_head(model->parameters, config, "paper", seed);
        return model;
    }
    const bool fresh = stored_labels(bench.model) != 1;
    LoadedModel loaded = load_model(bench.model, HeadKind::reward, dtype, fresh, kOnlyLabel, bench.device);
    model->config = std::move(loaded.config);
    model->parameters = std::move(loaded.parameters);
    if (fresh) init_reward_head(model->parameters, model->config, "paper", seed);
    return model;
}

}  // namespace

std::unique_ptr<BenchModel> scoring_model(const Communicator& world, const BenchOptions& bench, const ModelConfig& config,
                                          at::ScalarType dtype) {
    std::unique_ptr<BenchModel> model;
    together(world, [&] {
        const Activity activity("making the model");
        model = make_scoring_model(bench, config, dtype);
    });
    return model;
}

ModelConfig bench_config(const BenchOptions& bench) {
    return bench.model.empty() ? named_size(bench.size) : read_model_config(std::filesystem::path(bench.model) / "config.json");
}

std::vector<std::string> dtypes_of(const BenchOptions& bench) {
    return bench.dtype == "both" ? std::vector<std::string>{"fp32", "bf16"} : std::vector<std::string>{bench.dtype};
}

at::ScalarType scalar_of(const std::string& dtype) { return dtype == "bf16" ? at::kBFloat16 : at::kFloat; }

}  // namespace xlrm
