#include "lora.hpp"

#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

#include "optimizer.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/random.hpp"
#include "xlrm/ops/memory.hpp"
#include "xlrm/store/safetensors.hpp"

namespace xlrm {
namespace {

// "q_proj" of "model.layers.3.self_attn.q_proj.weight"; empty for other tensors.
std::string module_of(const std::string& name) {
    const std::string end = "_proj.weight";
    if (!name.ends_with(end)) return "";
    const std::string path = name.substr(0, name.size() - std::string(".weight").size());
    return path.substr(path.rfind('.') + 1);
}

bool is_target(const std::string& name, const std::vector<std::string>& targets) {
    const std::string module = module_of(name);
    return !module.empty() && (targets.front() == "all-linear" || std::ranges::find(targets, module) != targets.end());
}

void require_targets(const ParameterLayout& layout, const std::vector<std::string>& targets) {
    for (const std::string& target : targets) {
        const bool found =
            std::ranges::any_of(layout.tensors, [&](const ParameterInfo& info) { return is_target(info.name, {target}); });
        require(
            found,
            "--lora-targets '" + target +
                "': the model has no such matrix (q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj, or all-linear)",
            ExitCode::usage);
    }
}

at::Tensor shaped(const at::Tensor& flat, const ParameterInfo& info) {
    return flat.narrow(0, info.offset, info.elements).view(info.shape);
}

}  // namespace

LoraAdapters::LoraAdapters(TrainingModel& model, const TrainOptions& options)
    : model_(model),
      options_(options),
      scale_(options.lora_alpha / static_cast<double>(options.lora_rank)),
      frozen_(model.weights) {
    require_targets(model.compute.layout, options.lora_targets);
    for (const ParameterInfo& info : model.compute.layout.tensors)
        if (is_target(info.name, options.lora_targets)) add(info);
    ParameterLayout& layout = trained_.compute.layout;
    if (model.head == HeadKind::reward) {
        ParameterInfo head = model.compute.layout.find(kScoreWeight);
        head.offset = layout.total;
        layout.total += head.elements;
        layout.tensors.push_back(head);
    }
    initialise(static_cast<std::uint64_t>(options.seed));
    if (!model.rounds()) model.compute.flat = frozen_.clone();
}

void LoraAdapters::add(const ParameterInfo& matrix) {
    ParameterLayout& layout = trained_.compute.layout;
    const std::string module = matrix.name.substr(0, matrix.name.rfind('.'));
    const auto place = [&](const std::string& name, std::int64_t rows, std::int64_t columns) {
        layout.tensors.push_back({module + name, {rows, columns}, layout.total, rows * columns, true});
        layout.total += rows * columns;
        return layout.tensors.back();
    };
    const ParameterInfo a = place(".lora_A.weight", options_.lora_rank, matrix.shape[1]);
    targets_.push_back({matrix, a, place(".lora_B.weight", matrix.shape[0], options_.lora_rank)});
}

void LoraAdapters::initialise(std::uint64_t seed) {
    at::Tensor weights = at::zeros({trained_.compute.layout.total}, at::TensorOptions().dtype(at::kFloat));
    for (const Target& target : targets_) {
        Random random(seed, stable_hash(target.a.name));
        const double bound = 1.0 / std::sqrt(static_cast<double>(target.a.shape[1]));
        for (float& value : floats(weights.narrow(0, target.a.offset, target.a.elements)))
            value = static_cast<float>(bound * (2.0 * random.uniform() - 1.0));
    }
    send(frozen_.device(), {&weights});
    trained_.weights = trained_.compute.flat = weights;
    if (model_.head == HeadKind::reward) trained_.compute.view(kScoreWeight).copy_(model_.compute.view_of(frozen_, kScoreWeight));
}

at::Tensor LoraAdapters::product(const Target& target, const at::Tensor& trained_weights) const {
    return at::mm(shaped(trained_weights, target.b), shaped(trained_weights, target.a)).mul_(scale_);
}

void LoraAdapters::project(const at::Tensor& gradient, const at::Tensor& trained_gradient) const {
    for (const Target& target : targets_) {
        const at::Tensor dw = shaped(gradient, target.matrix);
        at::Tensor da = shaped(trained_gradient, target.a), db = shaped(trained_gradient, target.b);
        at::mm_out(da, shaped(trained_.weights, target.b).t(), dw).mul_(scale_);
        at::mm_out(db, dw, shaped(trained_.weights, target.a).t()).mul_(scale_);
    }
    if (model_.head == HeadKind::reward)
        trained_.compute.view_of(trained_gradient, kScoreWeight).copy_(model_.compute.view_of(gradient, kScoreWeight));
}

void LoraAdapters::merge() const {
    for (const Target& target : targets_)
        shaped(model_.compute.flat, target.matrix).copy_(product(target, trained_.weights).add_(shaped(frozen_, target.matrix)));
    if (model_.head == HeadKind::reward) model_.compute.view(kScoreWeight).copy_(trained_.compute.view(kScoreWeight));
}

at::Tensor LoraAdapters::merged(const at::Tensor& trained_weights) const {
    at::Tensor weights = frozen_.clone();
    for (const Target& target : targets_) shaped(weights, target.matrix).add_(product(target, trained_weights));
    if (model_.head == HeadKind::reward)
        model_.compute.view_of(weights, kScoreWeight).copy_(trained_.compute.view_of(trained_weights, kScoreWeight));
    return weights;
}

void LoraAdapters::save(const std::filesystem::path& folder, const at::Tensor& trained_weights) const {
    const at::Tensor weights = to_host(trained_weights);
    const bool reward = model_.head == HeadKind::reward;
    std::vector<TensorOut> tensors;
    for (const ParameterInfo& info : trained_.compute.layout.tensors) {
        const at::Tensor part = weights.narrow(0, info.offset, info.elements);
        tensors.push_back(
            {"base_model.model." + info.name, DType::f32, info.shape, std::as_bytes(std::span<const float>(floats(part)))});
    }
    std::vector<std::string> modules;
    for (const Target& target : targets_) {
        const std::string module = module_of(target.matrix.name);
        if (std::ranges::find(modules, module) == modules.end()) modules.push_back(module);
    }
    Json config = {{"peft_type", "LORA"},
                   {"task_type", reward ? "SEQ_CLS" : "CAUSAL_LM"},
                   {"base_model_name_or_path", options_.model},
                   {"r", options_.lora_rank},
                   {"lora_alpha", options_.lora_alpha},
                   {"lora_dropout", 0.0},
                   {"bias", "none"},
                   {"inference_mode", true},
                   {"target_modules", modules}};
    if (reward) config["modules_to_save"] = {"score"};
    std::filesystem::create_directories(folder);
    write_safetensors(folder / "adapter_model.safetensors", tensors);
    write_file_atomic(folder / "adapter_config.json", config.dump(2) + "\n");
}

}  // namespace xlrm
