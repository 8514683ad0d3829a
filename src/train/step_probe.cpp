#include "xlrm/train/step_probe.hpp"

#include <ATen/core/Tensor.h>

#include <chrono>
#include <optional>

#include "optimizer.hpp"
#include "step_engine.hpp"
#include "training_inputs.hpp"
#include "training_model.hpp"
#include "xlrm/comm/together.hpp"

namespace xlrm {
namespace {

TrainingModel make_model(const TrainOptions& options, const ModelConfig& config) {
    TrainingModel model;
    model.head = HeadKind::reward;
    const auto seed = static_cast<std::uint64_t>(options.seed);
    Parameters parameters;
    bool fresh_head = true;
    if (options.model.empty()) {
        model.config = config;
        parameters = init_parameters(config, HeadKind::reward, seed, at::kFloat, options.device);
    } else {
        fresh_head = stored_labels(options.model) != 1;
        LoadedModel loaded = load_model(options.model, HeadKind::reward, at::kFloat, fresh_head, kOnlyLabel, options.device);
        model.config = std::move(loaded.config);
        parameters = std::move(loaded.parameters);
    }
    if (fresh_head) init_reward_head(parameters, model.config, options.head_init, seed);
    model.weights = parameters.flat;
    model.compute.layout = parameters.layout;
    model.compute.flat = options.dtype == "bf16" ? parameters.flat.to(at::kBFloat16) : parameters.flat;
    return model;
}

}  // namespace

struct StepProbe::State {
    State(const Communicator& communicator, const TrainOptions& given, const ModelConfig& config, const ItemSet& pairs)
        : group(communicator), options(given) {
        together(group, [&] {
            model = make_model(options, config);
            require_known_tokens(pairs, model.config.vocab_size, options.model.empty() ? "the model" : options.model);
            in.objective = make_bradley_terry({.head = {parse_pooling(options.pooling), options.share_prefix}});
            in.objective->check(pairs);
            in.order.emplace(static_cast<std::int64_t>(pairs.items.size()), options.batch_pairs,
                             static_cast<std::uint64_t>(options.seed));
        });
        in.data.train = pairs;
        optimizer.emplace(group, model, options);
        engine.emplace(group, options, in, model);
    }

    const Communicator& group;
    const TrainOptions options;
    TrainingInputs in;
    TrainingModel model;
    std::optional<Optimizer> optimizer;
    std::optional<StepEngine> engine;
    std::int64_t taken = 0;
};

StepProbe::StepProbe(const Communicator& group, const TrainOptions& options, const ModelConfig& config, const ItemSet& pairs)
    : state_(std::make_unique<State>(group, options, config, pairs)) {}

StepProbe::~StepProbe() = default;

StepProbe::Step StepProbe::step() {
    State& s = *state_;
    Step out;
    out.items = s.in.order->step_items(s.taken);
    s.group.barrier();
    const auto start = std::chrono::steady_clock::now();
    const StepSums sums = s.engine->accumulate(out.items);
    const double norm = Optimizer::norm(s.engine->gradient);
    s.optimizer->step(++s.taken, s.options.lr, norm, s.engine->gradient);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    out.seconds = s.group.max(seconds);
    out.loss = sums.loss / sums.weight;
    out.tokens = sums.tokens;
    out.physical = sums.physical;
    return out;
}

std::int64_t StepProbe::steps_per_epoch() const { return state_->in.order->steps_per_epoch(); }

}  // namespace xlrm
