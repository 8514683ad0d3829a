#include "step_engine.hpp"

#include <algorithm>

#include "activation_plan.hpp"
#include "optimizer.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/core/log.hpp"
#include "xlrm/core/profile.hpp"
#include "xlrm/ops/memory.hpp"
#include "xlrm/train/metrics.hpp"

namespace xlrm {

namespace {

std::vector<std::vector<std::int64_t>> planned(const ItemSet& set, const std::vector<std::int64_t>& items,
                                               const Communicator& group, const PlanOptions& options) {
    const StageScope scope("plan");
    return plan_step(set, items, group.rank(), group.size(), options);
}

// Tokens of the largest micro-batch.
double largest_batch(const ItemSet& set, const PlanOptions& options) {
    std::int64_t most = options.token_budget;
    for (std::size_t i = 0; i < set.items.size(); ++i)
        most = std::max(most, physical_tokens(set, static_cast<std::int64_t>(i), options.share_prefix));
    return static_cast<double>(most);
}

at::Tensor zeros(const ParameterLayout& layout, at::Device device) { return flat_zeros(layout.total, at::kFloat, device); }

}  // namespace

StepEngine::Gradients StepEngine::allocate(const Communicator& group, const TrainingModel& model, LoraAdapters* lora) {
    Gradients gradients;
    together(group, [&] {
        const Activity activity("allocating the gradient");
        const at::Device device = model.compute.flat.device();
        gradients.trained = zeros(lora != nullptr ? lora->trained().compute.layout : model.compute.layout, device);
        gradients.whole = lora != nullptr ? zeros(model.compute.layout, device) : gradients.trained;
    });
    return gradients;
}

StepEngine::StepEngine(const Communicator& group, const TrainOptions& options, const TrainingInputs& inputs,
                       const TrainingModel& model, LoraAdapters* lora)
    : StepEngine(allocate(group, model, lora), group, options, inputs, model, lora) {}

StepEngine::StepEngine(const Gradients& gradients, const Communicator& group, const TrainOptions& options,
                       const TrainingInputs& inputs, const TrainingModel& model, LoraAdapters* lora)
    : gradient(gradients.trained),
      whole_(gradients.whole),
      lora_(lora),
      group_(group),
      in_(inputs),
      model_(model),
      decoder_(model.config, model.compute),
      reducer_(group, {.wire = parse_wire(options.wire), .reduction = parse_reduction(options.reduction)}),
      plan_{.token_budget = options.token_budget,
            .share_prefix = options.share_prefix,
            .alpha = 1.0 / (12.0 * static_cast<double>(model.config.hidden))} {
    // The gradient and the optimiser's two moments take their memory at the first step.
    const double promised =
        static_cast<double>(gradient.nbytes()) * 3.0 + (lora != nullptr ? static_cast<double>(whole_.nbytes()) : 0.0);
    const double free = static_cast<double>(available_bytes()) / group.local_size();
    const double available = free > 0.0 ? std::max(1.0, free - promised) : 0.0;  // 0: the system does not tell
    decoder_.set_keep(plan_activations(options.recompute, model.config, model.compute.flat.scalar_type(),
                                       largest_batch(inputs.data.train, plan_), available));
    if (options.recompute == "auto" && decoder_.keep() != Keep::full)
        log_root(LogLevel::info, std::string("memory is short: the backward pass computes again ") +
                                     (decoder_.keep() == Keep::cheap ? "norms and activations" : "each block") +
                                     " (--recompute, --token-budget)");
}

StepSums StepEngine::compute(const std::vector<std::int64_t>& items, const Decoder::GradientReady& ready) {
    const Activity activity("computing a step");
    if (lora_ != nullptr) {
        const StageScope scope("zero gradient");
        whole_.zero_();
    }
    double weight = 0.0;
    for (const std::int64_t item : items) weight += in_.objective->item_weight(in_.data.train, item);
    const auto batches = planned(in_.data.train, items, group_, plan_);
    std::vector<PendingSums> sums;
    for (std::size_t i = 0; i < batches.size(); ++i) {
        const bool last = i + 1 == batches.size();
        sums.push_back(
            in_.objective->accumulate(decoder_, in_.data.train, batches[i], 1.0 / weight, whole_, last ? ready : nullptr));
    }
    if (lora_ != nullptr) lora_->project(whole_, gradient);
    return PendingSums::read(sums);
}

StepSums StepEngine::accumulate(const std::vector<std::int64_t>& items) {
    std::int64_t announced = gradient.numel();  // from here on
    Decoder::GradientReady ready;
    // Adapters' gradients are known, and reduced, only after the whole backward pass.
    if (lora_ == nullptr) {
        reducer_.begin(floats(gradient));
        ready = [&](std::int64_t offset, std::int64_t count) {
            reducer_.ready(offset, count);
            announced = offset;
        };
    }
    StepSums sums;
    const Problem problem = attempt([&] { sums = compute(items, ready); });
    if (ready)
        announce_rest(announced, ready);
    else
        reducer_.begin(floats(gradient));
    reducer_.finish();
    const StageScope scope("sums over ranks");
    sums.failures = problem ? 1.0 : 0.0;
    sums = sum_over_ranks(group_, sums);
    if (sums.failures > 0.0) agree_or_throw(group_, problem, Wait::spinning);
    return sums;
}

void StepEngine::announce_rest(std::int64_t end, const Decoder::GradientReady& ready) const {
    for (const Range& range : gradient_order(model_.config, model_.compute.layout))
        if (range.end <= end) ready(range.begin, range.size());
}

StepSums StepEngine::evaluate() {
    std::vector<std::int64_t> items(in_.data.eval.items.size());
    for (std::size_t i = 0; i < items.size(); ++i) items[i] = static_cast<std::int64_t>(i);
    StepSums sums;
    together(group_, [&] {
        const Activity activity("evaluating");
        for (const auto& batch : plan_step(in_.data.eval, items, group_.rank(), group_.size(), plan_)) {
            add(sums, in_.objective->evaluate(decoder_, in_.data.eval, batch).read());
        }
    });
    return sum_over_ranks(group_, sums);
}

}  // namespace xlrm
