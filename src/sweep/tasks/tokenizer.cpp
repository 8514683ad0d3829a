// The tokenizer of the bases that are made here, with the configuration that [model] describes for its vocabulary.
#include "tokenizer.hpp"

#include <algorithm>

#include "kinds.hpp"
#include "made_folder.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/core/language.hpp"
#include "xlrm/core/log.hpp"
#include "xlrm/data/prepare.hpp"
#include "xlrm/sweep/recipes.hpp"
#include "xlrm/sweep/workplace.hpp"
#include "xlrm/text/tokenizer.hpp"

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

class TokenizerTask : public Task {
public:
    TokenizerTask() { cost = 1e5; }
    const char* kind() const override { return kTokenizerTask.name; }
    std::string name() const override { return "tokenizer"; }
    std::string output() const override { return "tokenizer"; }
    Json fields() const override { return Json::object(); }
    bool essential() const override { return true; }
    bool done(const SweepFolder& folder) const override { return fs::exists(folder.tokenizer()); }
    Json recipe(const RecipeBook& book) const override { return tokenizer_recipe(book.config, book.inputs); }
    Json recorded(const SweepFolder& folder) const override { return recorded_in_folder(folder.tokenizer()); }

    TaskWording wording() const override { return {.rows_option = "tokenizer.data"}; }

    TaskOutcome run(Workplace& place, const std::function<bool()>&) const override {
        on_root(place.group, [&] {
            const Activity activity("training the tokenizer");
            const SweepConfig& config = place.config;
            log_root(LogLevel::info, "training a sentencepiece model of " + std::to_string(config.vocab_size) + " pieces");
            make_folder(place.folder.tokenizer(), place.recipe_of(*this), [&](const fs::path& beside) {
                train_sentencepiece(texts_of(config), config.vocab_size, beside);
                write_file_atomic(beside / "config.json", base_config(config, beside).dump(2) + "\n");
            });
        });
        return {};
    }
};

}  // namespace

bool makes_tokenizer(const SweepConfig& config) {
    const std::vector<Base> bases = config.base_list();
    return !config.tokenizer_data.empty() && std::ranges::any_of(bases, [](const Base& base) { return base.folder.empty(); });
}

Json tokenizer_recipe(const SweepConfig& config, const SweepInputs& inputs) {
    const ModelShape& shape = config.shape;
    const std::string langs = selection_name(sorted_languages(config.tokenizer_langs));
    return {{"numerics", kNumerics},
            {"rows_sha256", inputs.rows.at("tokenizer.data").sha256.at(langs)},
            {"vocab_size", config.vocab_size},
            {"shape",
             {{"family", shape.family},
              {"hidden", shape.hidden},
              {"layers", shape.layers},
              {"heads", shape.heads},
              {"kv_heads", shape.kv_heads},
              {"intermediate", shape.intermediate},
              {"max_positions", shape.max_positions}}}};
}

const TaskKind kTokenizerTask = {
    "tokenizer", "tokenizers to train",
    [](PlanBuilder& builder) {
        if (makes_tokenizer(builder.config)) builder.add(std::make_shared<TokenizerTask>(), {"world"});
    },
    [](const Json&, const Plan&) -> std::shared_ptr<Task> { return std::make_shared<TokenizerTask>(); }};

}  // namespace xlrm
