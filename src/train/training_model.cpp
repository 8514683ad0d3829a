#include "training_model.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <cassert>

#include "xlrm/core/error.hpp"
#include "xlrm/core/log.hpp"
#include "xlrm/core/settings_file.hpp"
#include "xlrm/core/sha256.hpp"
#include "xlrm/ops/memory.hpp"

namespace xlrm {
namespace {

// A reward head behind all other tensors.
void append_head(ParameterLayout& layout, std::int64_t outputs, std::int64_t hidden) {
    layout.tensors.push_back({kScoreWeight, {outputs, hidden}, layout.total, outputs * hidden, true});
    layout.total += outputs * hidden;
}

// Gives `parameters` a reward head of `outputs` rows, zero, behind what they have: beside an LM head, or in place of a reward
// head.
void append_reward_head(Parameters& parameters, const ModelConfig& config, std::int64_t outputs = 1) {
    if (parameters.layout.contains(kScoreWeight)) {
        assert(parameters.layout.tensors.back().name == kScoreWeight);
        parameters.layout.total = parameters.layout.tensors.back().offset;
        parameters.layout.tensors.pop_back();
    }
    const at::Tensor body = parameters.flat.narrow(0, 0, parameters.layout.total);
    append_head(parameters.layout, outputs, config.hidden);
    parameters.flat = at::cat({body, at::zeros({outputs * config.hidden}, body.options())});
}

void make_new(TrainingModel& model, Parameters& parameters, const TrainOptions& options, const Tokenizer& tokenizer,
              std::int64_t outputs) {
    model.config = new_model_config(options, tokenizer);
    const auto seed = static_cast<std::uint64_t>(options.seed);
    const bool untied = options.lm_coefficient != 0.0 && !model.config.tied_embeddings;
    parameters = init_parameters(model.config, untied ? HeadKind::lm : model.head, seed, at::kFloat, options.device);
    if (untied || outputs > 1) append_reward_head(parameters, model.config, outputs);
    if (model.head == HeadKind::reward) init_reward_head(parameters, model.config, options.head_init, seed);
    model.sha256 = sha256(model.config.raw.dump() + " " + std::to_string(options.seed));
    model.started_from = {{"config_sha256", sha256(model.config.raw.dump())}, {"seed", options.seed}};
}

// What a run takes of the folder that it begins from.
struct Start {
    HeadKind head = HeadKind::none;  // that is read
    bool new_head = false;           // a reward head is made
    bool replaced = false;           // in place of a stored one
};

Start plan_start(const TrainOptions& options, HeadKind head, std::int64_t outputs) {
    const HeadKind stored = stored_head(options.model);
    const std::int64_t labels = stored_labels(options.model);
    Start start{.head = head, .new_head = head == HeadKind::reward && labels != outputs, .replaced = labels > 0};
    const bool untied =
        options.lm_coefficient != 0.0 && !read_model_config(std::filesystem::path(options.model) / "config.json").tied_embeddings;
    if (!untied) return start;
    if (stored != HeadKind::lm) {
        fail(options.model +
             ": it has no LM head, neither stored nor tied (--lm-coefficient needs one); use a causal LM as --model, or " +
             "leave the auxiliary loss out");
    }
    start.head = HeadKind::lm;
    return start;
}

void load_started(TrainingModel& model, Parameters& parameters, const TrainOptions& options, std::int64_t outputs) {
    const Start start = plan_start(options, model.head, outputs);
    if (start.new_head && start.replaced) {
        log_root(LogLevel::warning, options.model + ": its reward head has another number of labels than the objective, " +
                                        std::to_string(outputs) + ": training begins with a new head");
    }
    LoadedModel loaded = load_model(options.model, start.head, at::kFloat, start.new_head, kAllLabels, options.device);
    if (options.add_pad_token) add_pad_token(loaded, tokenizer_folder(options));
    model.config = loaded.config;
    model.sha256 = loaded.sha256;
    model.started_from = {{"model_sha256", loaded.sha256}, {"new_head", start.new_head}};
    parameters = loaded.parameters;
    if (start.head != model.head || (start.new_head && outputs > 1)) append_reward_head(parameters, model.config, outputs);
    if (start.new_head) init_reward_head(parameters, model.config, options.head_init, static_cast<std::uint64_t>(options.seed));
}

}  // namespace

std::filesystem::path tokenizer_folder(const TrainOptions& options) {
    return options.tokenizer.empty() ? options.model : options.tokenizer;
}

ModelConfig new_model_config(const TrainOptions& options, const Tokenizer& tokenizer) {
    Json json = read_settings(options.model_config);
    require(json.is_object(), options.model_config + ": it is not a JSON object (it should be a config.json)");
    if (!json.contains("vocab_size")) json["vocab_size"] = tokenizer.vocab_size();
    const auto fill = [&](const char* key, const std::optional<std::int32_t>& id) {
        if (!json.contains(key) && id) json[key] = *id;
    };
    fill("bos_token_id", tokenizer.bos);
    fill("eos_token_id", tokenizer.eos);
    fill("pad_token_id", tokenizer.pad);
    return parse_model_config(json, options.model_config);
}

ModelConfig first_config(const TrainOptions& options, const Tokenizer& tokenizer) {
    if (!options.model.empty()) return read_model_config(std::filesystem::path(options.model) / "config.json");
    return new_model_config(options, tokenizer);
}

void check_start(const TrainOptions& options, HeadKind head, std::int64_t outputs) {
    if (!options.model.empty()) {
        const Start start = plan_start(options, head, outputs);
        check_model(options.model, start.head, start.new_head, kAllLabels);
    }
    if (!options.ref_model.empty()) check_model(options.ref_model, HeadKind::lm);
}

void require_fit(const TrainOptions& options, const ModelConfig& config, const Tokenizer& tokenizer) {
    if (tokenizer.vocab_size() <= config.vocab_size) return;
    fail(tokenizer_folder(options).string() + ": the tokenizer has " + std::to_string(tokenizer.vocab_size()) +
         " tokens, more than the model's vocab_size " + std::to_string(config.vocab_size) + " (" +
         (options.model.empty() ? options.model_config : options.model) + "); use the tokenizer that belongs to the model");
}

std::unique_ptr<TrainingModel> make_training_model(const TrainOptions& options, const Tokenizer& tokenizer, HeadKind head,
                                                   std::int64_t outputs) {
    auto model = std::make_unique<TrainingModel>();
    model->head = head;
    Parameters parameters;
    if (options.model.empty())
        make_new(*model, parameters, options, tokenizer, outputs);
    else
        load_started(*model, parameters, options, outputs);
    require_fit(options, model->config, tokenizer);
    model->weights = parameters.flat;
    model->compute.layout = parameters.layout;
    model->compute.flat = options.dtype == "bf16" ? parameters.flat.to(at::kBFloat16) : parameters.flat;
    return model;
}

ParameterLayout saved_layout(const TrainingModel& model) {
    if (model.head != HeadKind::reward) return make_layout(model.config, model.head);
    ParameterLayout layout = make_layout(model.config, HeadKind::none);
    append_head(layout, model.compute.layout.find(kScoreWeight).shape[0], model.config.hidden);
    return layout;
}

void save_trained(const TrainingModel& model, const std::filesystem::path& folder, const std::filesystem::path& tokenizer_from,
                  const Json& extra, const std::function<void(const std::filesystem::path& folder)>& finish) {
    const ParameterLayout layout = saved_layout(model);
    const at::Tensor weights = to_host(model.weights);
    const Parameters stored{layout, at::empty({layout.total}, weights.options())};
    for (const ParameterInfo& info : stored.layout.tensors) {
        stored.view(info.name).copy_(model.compute.view_of(weights, info.name));
    }
    save_model(folder, model.config, stored.layout, stored.flat, model.head, tokenizer_from, extra,
               model.compute.flat.scalar_type(), finish);
}

}  // namespace xlrm
