#include <ATen/ops/ones.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "training_inputs.hpp"
#include "training_model.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/core/progress.hpp"
#include "xlrm/ops/linear.hpp"
#include "xlrm/train/objectives.hpp"
#include "xlrm/train/trainer.hpp"

namespace xlrm {
namespace {

// Share of the speed of large products that a whole training step is taken to reach.
constexpr double kShareOfRoof = 0.3;

// Operations a second in a large product in the compute dtype.
double measured_roof(const std::string& dtype, at::Device device) {
    const at::TensorOptions kind = at::TensorOptions(device).dtype(dtype == "bf16" ? at::kBFloat16 : at::kFloat);
    const at::Tensor x = at::ones({512, 512}, kind);
    xlrm::linear(x, x);  // not at::linear
    const auto start = std::chrono::steady_clock::now();
    constexpr int kTimes = 10;
    for (int i = 0; i < kTimes; ++i) xlrm::linear(x, x);
    return kTimes * 2.0 * 512.0 * 512.0 * 512.0 / std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double mean_physical_tokens(const TrainingInputs& in, bool share) {
    double tokens = 0.0;
    const auto items = static_cast<std::int64_t>(in.data.train.items.size());
    for (std::int64_t i = 0; i < items; ++i) tokens += static_cast<double>(physical_tokens(in.data.train, i, share));
    return tokens / static_cast<double>(items);
}

std::string line(const std::string& name, const std::string& value) {
    std::string out = "  " + name;
    out.resize(std::max<std::size_t>(out.size() + 1, 26), ' ');
    return out + value + "\n";
}

std::string whole(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.0f", value);
    return text;
}

}  // namespace

std::string training_report(const Communicator& group, const TrainOptions& options) {
    const TrainingInputs in = read_training_inputs(group, options);
    const ModelConfig& config = in.config;
    double roof = 0.0;
    together(group, [&] {
        check_start(options, objective_entry(options.objective).head, in.objective->outputs(in.data.train));
        roof = measured_roof(options.dtype, options.device);
    });
    const HeadKind head = objective_entry(options.objective).head;
    const auto parameters = static_cast<double>(make_layout(config, head).total);
    const double body = static_cast<double>(config.body_parameters());
    const double counted = body + (head == HeadKind::lm ? static_cast<double>(config.vocab_size * config.hidden) : 0.0);
    const double step_tokens =
        mean_physical_tokens(in, options.share_prefix) *
        static_cast<double>(std::min(options.batch_pairs, static_cast<std::int64_t>(in.data.train.items.size())));
    const double roofs = group.min(roof) * static_cast<double>(group.size());
    const double seconds = static_cast<double>(in.steps) * step_tokens * 6.0 * counted / (roofs * kShareOfRoof);
    const bool bf16 = options.dtype == "bf16";
    const double share = options.zero > 0 ? 1.0 / static_cast<double>(group.size()) : 1.0;
    double bytes = parameters * (bf16 ? 6.0 + 12.0 * share : 8.0 + 8.0 * share);
    if (in.objective->needs_reference() && !options.precompute_ref_log_probs) bytes += parameters * (bf16 ? 2.0 : 4.0);

    std::string out = format_report(in.data.report, in.data.notes);
    if (!in.data.eval_report.empty()) out += "\nevaluation\n" + format_report(in.data.eval_report, in.data.eval_notes);
    out += in.chat_template->describe();
    out += "\n" + line("objective", options.objective + ", " + options.dtype);
    out += line("parameters", whole(parameters) + " (body " + whole(body) + ")");
    out += line("items", std::to_string(in.data.train.items.size()));
    out += line("steps", std::to_string(in.steps) + ", " + std::to_string(in.warmup) + " of them warm-up, " +
                             std::to_string(in.order->steps_per_epoch()) + " an epoch");
    out += line("computed tokens a step", whole(step_tokens) + " over " + std::to_string(group.size()) + " rank(s)");
    out += line("memory a rank",
                "about " + format_bytes(bytes) + " for weights, gradient and optimiser, and activations of a micro-batch");
    out += line("time", "about " + format_duration(seconds) + " (a guess: 30 % of the " + whole(roofs / 1e9) +
                            " GFLOP/s that a product just reached)");
    return out;
}

}  // namespace xlrm
