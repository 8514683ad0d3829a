#include "xlrm/sweep/task_options.hpp"

#include "xlrm/core/error.hpp"
#include "xlrm/data/quickstart_world.hpp"
#include "xlrm/text/chat_template.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> texts(const std::vector<fs::path>& paths) {
    std::vector<std::string> result;
    for (const fs::path& path : paths) result.push_back(path.string());
    return result;
}

}  // namespace

std::string model_name(const std::string& base, const std::string& source, std::int64_t seed) {
    return source.empty() ? base : base + "." + source + ".s" + std::to_string(seed);
}

bool is_prepared_file(const fs::path& path) { return path.extension() == ".h5"; }

fs::path base_folder(const SweepConfig& config, const SweepFolder& folder, const std::string& base) {
    for (const auto& list : {config.base_list(), config.model_list()}) {
        for (const Base& entry : list) {
            if (entry.name == base) return entry.folder.empty() ? folder.model(base) : entry.folder;
        }
    }
    fail("the plan names a base \"" + base + "\" that the configuration does not have");
}

Source source_of(const SweepConfig& config, const std::string& name) {
    for (const Source& source : config.source_list()) {
        if (source.name == name) return source;
    }
    fail("the plan names a source \"" + name + "\" that the configuration does not have");
}

TrainOptions training_of(const SweepConfig& config, const SweepFolder& folder, const std::string& base, const Source& source,
                         std::int64_t seed) {
    TrainOptions train = config.train;
    train.objective = "bt";
    train.device = config.device;
    train.model = base_folder(config, folder, base).string();
    train.data = texts(config.data_paths(config.train_files));
    train.forms = config.forms;
    train.langs = source.langs;
    train.split = config.split;
    train.part = config.split.empty() ? "" : "train";
    train.source = source.name;
    train.seed = seed;
    train.output = folder.model(model_name(base, source.name, seed)).string();
    for (std::string& file : train.eval_data) file = config.data_path(file).string();
    return train;
}

TrainOptions pretraining_of(const SweepConfig& config, const SweepFolder& folder, const std::string& base) {
    TrainOptions pretrain = config.pretrain;
    const auto below_root = [&](std::string& path) {
        if (!path.empty()) path = config.data_path(path).string();
    };
    pretrain.objective = "lm";
    pretrain.device = config.device;
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

EvaluateOptions evaluation_of(const SweepConfig& config) {
    EvaluateOptions evaluate = config.evaluate;
    // A trained model says its date itself; a base model's texts are to be those of the training.
    if (evaluate.template_date.empty() && config.train.template_date != kTemplateDate)
        evaluate.template_date = config.train.template_date;
    evaluate.device = config.device;
    evaluate.forms = config.forms;
    evaluate.split = config.split;
    evaluate.part = config.split.empty() ? "" : "test";
    return evaluate;
}

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

}  // namespace xlrm
