#include "xlrm/sweep/prologue.hpp"

#include <algorithm>

#include "xlrm/comm/run_job.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/language.hpp"
#include "xlrm/core/log.hpp"
#include "xlrm/data/prepare.hpp"
#include "xlrm/data/quickstart_world.hpp"
#include "xlrm/sweep/plan.hpp"
#include "xlrm/text/tokenizer.hpp"
#include "xlrm/train/trainer.hpp"

namespace xlrm {

namespace {

namespace fs = std::filesystem;

std::vector<std::string> texts_of(const SweepConfig& config) {
    PrepareOptions documents;
    documents.kind = RowKind::document;
    documents.inputs = config.data_paths(config.tokenizer_data);
    documents.langs = config.tokenizer_langs;
    return collect_texts(documents);
}

//! config.json of the base that [model] describes, with the vocabulary of the tokenizer in `tokenizer`.
Json base_config(const SweepConfig& config, const fs::path& tokenizer) {
    const std::unique_ptr<Tokenizer> tokens = load_tokenizer(tokenizer);
    const ModelShape& shape = config.shape;
    const bool qwen = shape.family == "qwen2";
    Json json = {{"architectures", {qwen ? "Qwen2ForCausalLM" : "LlamaForCausalLM"}},
                 {"model_type", shape.family},
                 {"vocab_size", tokens->vocab_size()},
                 {"hidden_size", shape.hidden},
                 {"num_hidden_layers", shape.layers},
                 {"num_attention_heads", shape.heads},
                 {"num_key_value_heads", shape.kv_heads},
                 {"head_dim", shape.hidden / shape.heads},
                 {"intermediate_size", shape.intermediate},
                 {"max_position_embeddings", shape.max_positions},
                 {"hidden_act", "silu"},
                 {"rms_norm_eps", 1e-6},
                 {"rope_theta", 10000.0},
                 {"initializer_range", 0.02},
                 {"tie_word_embeddings", true}};
    if (tokens->bos) json["bos_token_id"] = *tokens->bos;
    if (tokens->eos) json["eos_token_id"] = *tokens->eos;
    if (tokens->pad) json["pad_token_id"] = *tokens->pad;
    return json;
}

//! Whole or not at all: `make` fills a folder beside `target`, which is then renamed.
void make_folder(const fs::path& target, const std::function<void(const fs::path&)>& make) {
    const fs::path beside = target.string() + ".partial";
    fs::remove_all(beside);
    fs::create_directories(beside);
    make(beside);
    fs::rename(beside, target);
}

void write_recipe(const fs::path& folder, const Json& recipe) {
    write_file_atomic(folder / "recipe.json", recipe.dump(2) + "\n");
}

void make_world_files(const SweepConfig& config, const SweepFolder& folder, const Plan& plan) {
    if (config.world.empty() || fs::exists(folder.world())) return;
    log_root(LogLevel::info, "writing the synthetic world (" + config.world + ") to " + folder.world().string());
    make_folder(folder.world(), [&](const fs::path& beside) {
        write_world_files(config, beside);
        write_recipe(beside, plan.recipes.at(folder.name(folder.world())));
    });
}

void make_tokenizer(const SweepConfig& config, const SweepFolder& folder, const Plan& plan) {
    if (config.tokenizer_data.empty() || fs::exists(folder.tokenizer())) return;
    log_root(LogLevel::info, "training a sentencepiece model of " + std::to_string(config.vocab_size) + " pieces");
    make_folder(folder.tokenizer(), [&](const fs::path& beside) {
        train_sentencepiece(texts_of(config), config.vocab_size, beside);
        write_file_atomic(beside / "config.json", base_config(config, beside).dump(2) + "\n");
        write_recipe(beside, plan.recipes.at(folder.name(folder.tokenizer())));
    });
}

//! Collective over the world; false when a stop request ended it.
bool make_base(const Communicator& world, const SweepConfig& config, const SweepFolder& folder, const Plan& plan,
               const std::string& name) {
    bool there = false;
    on_root(world, [&] { there = folder.has_model(name); });
    if (world.any(there)) return true;
    const int ranks = std::min(config.pretrain_ranks > 0 ? config.pretrain_ranks : config.ranks_per_cell, world.size());
    const bool works = world.rank() < ranks;
    const Communicator group = world.split(works ? 0 : 1, world.rank());
    bool stopped = false;
    log_root(LogLevel::info, "pretraining the base \"" + name + "\"");
    run_in_group(world, group, works, [&] {
        TrainOptions pretrain = pretraining_of(config, folder, name);
        pretrain.recipe = plan.recipes.at(folder.name(folder.model(name)));
        stopped = train(group, pretrain, stop_requested, false).stopped;
    });
    return !world.any(stopped);
}

}  // namespace

void use_world(SweepConfig& config, const fs::path& place) {
    if (config.world.empty()) return;
    const auto file = [&](const char* name) { return fs::absolute(place / name).string(); };
    config.train_files = {file("train.jsonl")};
    config.benchmarks = {{"facts", {file("test.jsonl")}}};
    config.tokenizer_data = {file("corpus.jsonl")};
    config.pretrain.data = {file("corpus.jsonl")};
}

void write_world_files(const SweepConfig& config, const fs::path& place) {
    const WorldSize size = config.world == "smoke" ? WorldSize::smoke : WorldSize::full;
    write_world(make_world(static_cast<std::uint64_t>(config.world_seed), size), place);
}

TrainOptions pretraining_of(const SweepConfig& config, const SweepFolder& folder, const std::string& base) {
    TrainOptions pretrain = config.pretrain;
    const auto below_root = [&](std::string& path) {
        if (!path.empty()) path = config.data_path(path).string();
    };
    pretrain.objective = "lm";
    below_root(pretrain.model);
    below_root(pretrain.model_config);
    below_root(pretrain.tokenizer);
    for (std::string& file : pretrain.data) below_root(file);
    for (std::string& file : pretrain.eval_data) below_root(file);
    const bool own_tokenizer = !config.tokenizer_data.empty() || pretrain.model.empty();
    if (pretrain.tokenizer.empty() && own_tokenizer) pretrain.tokenizer = folder.tokenizer().string();
    if (pretrain.model.empty() && pretrain.model_config.empty())
        pretrain.model_config = (folder.tokenizer() / "config.json").string();
    pretrain.output = folder.model(base).string();
    return pretrain;
}

bool run_prologue(const Communicator& world, const SweepConfig& config, const SweepFolder& folder, const Plan& plan) {
    on_root(world, [&] {
        {
            const Activity activity("writing the synthetic world");
            make_world_files(config, folder, plan);
        }
        const Activity activity("training the tokenizer");
        if (std::any_of(plan.bases.begin(), plan.bases.end(), [](const Base& base) { return base.folder.empty(); })) {
            make_tokenizer(config, folder, plan);
        }
    });
    for (const Base& base : plan.bases) {
        if (base.folder.empty() && !make_base(world, config, folder, plan, base.name)) return false;
    }
    return true;
}

}  // namespace xlrm
