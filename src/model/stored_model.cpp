#include "stored_model.hpp"

#include "config_reader.hpp"
#include "declared_head.hpp"
#include "weight_files.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/settings_file.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

// A body saved alone has names without "model."; the layout's names have it.
std::string layout_name(const std::string& stored) {
    const bool body = stored == "embed_tokens.weight" || stored == "norm.weight" || stored.starts_with("layers.");
    return body ? "model." + stored : stored;
}

// xlrm.json: what a reader of it relies on has its type.
Json read_notes(const fs::path& file) {
    if (!fs::exists(file)) return {};
    Json json = read_settings(file);
    const ConfigReader reader(json, file.string());
    for (const char* key : {"template", "source"}) reader.text(key);
    if (reader.has("pooling")) {
        const std::string pooling = reader.text("pooling");
        if (pooling != "last" && pooling != "hf" && pooling != "first_pad") reader.bad("pooling", "last, hf or first_pad");
    }
    if (reader.has("seed"))
        reader.integer("seed", std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max());
    return json;
}

void open_files(StoredModel& model) {
    const WeightFiles weights = find_weight_files(model.folder);
    model.files.reserve(weights.files.size());
    for (const fs::path& path : weights.files) {
        const SafetensorsFile& file = model.files.emplace_back(path);
        check_shard(weights, path, file.names());
        for (const std::string& stored : file.names()) {
            if (model.tensors.emplace(layout_name(stored), StoredTensor{&file, stored}).second) continue;
            fail(path.string() + ": tensor '" + stored + "' is there twice (which one counts is open); keep one");
        }
    }
}

// " (it has v_head.weight)": heads under other names.
std::string other_heads(const StoredModel& model) {
    std::string out;
    for (const auto& [name, tensor] : model.tensors)
        if (!name.starts_with("model.") && name != "lm_head.weight" && name != kScoreWeight)
            out += (out.empty() ? " (it has " : ", ") + name;
    return out.empty() ? out : out + ")";
}

void check_labels(const StoredModel& model, const fs::path& config) {
    const std::optional<std::int64_t> named = declared_labels(model.config, config);
    if (!named || *named == model.labels) return;
    fail(config.string() + ": num_labels or id2label name " + std::to_string(*named) + " label(s), but score.weight in " +
         model.tensors.at(kScoreWeight).file->path().string() + " has " + std::to_string(model.labels) +
         " row(s) (the two belong to different models); use weights and config.json of one model");
}

// What config.json names is there, and no reward head that it does not name.
void check_head(const StoredModel& model) {
    const fs::path config = model.folder / "config.json";
    const std::optional<HeadKind> declared = declared_head(model.config, config);
    const bool score = model.tensors.contains(kScoreWeight), lm = model.tensors.contains("lm_head.weight");
    const auto named = [&](HeadKind head) { return class_name(model.config.family, head); };
    if (declared == HeadKind::reward && !score) {
        fail(config.string() + ": 'architectures' names " + named(HeadKind::reward) + ", but no tensor score.weight is in " +
             model.folder.string() + other_heads(model) +
             " (it would be taken for a model without a reward); copy the folder again, or set " + "architectures to " +
             named(lm || model.config.tied_embeddings ? HeadKind::lm : HeadKind::none) + " to use it as a base");
    }
    if (declared && declared != HeadKind::reward && score) {
        fail(config.string() + ": 'architectures' names " + named(*declared) + ", but " +
             model.tensors.at(kScoreWeight).file->path().string() +
             " has a reward head, score.weight (whether it counts is open); set " + "architectures to " +
             named(HeadKind::reward) + " to use it, or remove the tensor");
    }
    if (declared == HeadKind::lm && !lm && !model.config.tied_embeddings) {
        fail(config.string() + ": 'architectures' names " + named(HeadKind::lm) +
             " and tie_word_embeddings is false, but no tensor " + "lm_head.weight is in " + model.folder.string() +
             other_heads(model) + " (the head would be random); copy the folder again, set " +
             "tie_word_embeddings to true if the embedding is the head, or architectures to " + named(HeadKind::none) +
             " to use the model without one");
    }
    if (declared == HeadKind::reward) check_labels(model, config);
    if (model.notes.is_object() && model.notes.contains("pooling") && !score) {
        fail((model.folder / "xlrm.json").string() +
             ": it describes a reward model (pooling), but no tensor score.weight is in " + model.folder.string() +
             " (it would be taken for a model without a reward); copy the folder again, or remove xlrm.json to use " +
             "it as a base");
    }
}

HeadKind head_of(const StoredModel& model) {
    if (model.tensors.contains(kScoreWeight)) return HeadKind::reward;
    if (model.tensors.contains("lm_head.weight")) return HeadKind::lm;
    const bool tied = model.config.tied_embeddings && declared_head(model.config, model.folder / "config.json") == HeadKind::lm;
    return tied ? HeadKind::lm : HeadKind::none;
}

// Buffers that older releases stored and every reader computes anew.
bool is_computed_buffer(const std::string& name) {
    return name.ends_with("rotary_emb.inv_freq") || name.ends_with("rotary_emb.cos_cached") ||
           name.ends_with("rotary_emb.sin_cached");
}

// Why weights and configuration do not fit, where config.json itself says so.
std::string advice(const StoredModel& model, const std::string& otherwise) {
    const bool quantised =
        model.config.raw.contains("quantization_config") && !model.config.raw.at("quantization_config").is_null();
    return quantised ? "the weights are quantised (quantization_config in config.json), which is not supported: store them "
                       "dequantised, in bf16"
                     : otherwise;
}

void check_shape(const StoredModel& model, const StoredTensor& tensor, const std::vector<std::int64_t>& expected) {
    const std::vector<std::int64_t>& shape = tensor.view().shape;
    if (shape == expected) return;
    fail(tensor.file->path().string() + ": tensor '" + tensor.name + "' has the shape " + shape_text(shape) +
         " (config.json says " + shape_text(expected) + "); " + advice(model, "use weights and config.json of one model"));
}

void check_reward_head(const StoredModel& model, std::int64_t label) {
    const std::string what =
        model.tensors.at(kScoreWeight).file->path().string() + ": score.weight has " + std::to_string(model.labels) + " label(s)";
    const std::string labels = "0 to " + std::to_string(model.labels - 1);
    if (label == kOnlyLabel && model.labels != 1) {
        fail(what + " (a score is one number, and which of them is the reward is open); name it: xlrm_evaluate --label " + labels,
             ExitCode::usage);
    }
    if (label >= model.labels)
        fail(what + ", so that there is no label " + std::to_string(label) + "; use --label " + labels, ExitCode::usage);
    check_shape(model, model.tensors.at(kScoreWeight), {model.labels, model.config.hidden});
}

}  // namespace

std::string shape_text(const std::vector<std::int64_t>& shape) {
    std::string out = "[";
    for (std::size_t i = 0; i < shape.size(); ++i) out += (i ? ", " : "") + std::to_string(shape[i]);
    return out + "]";
}

StoredModel open_model(const fs::path& folder) {
    StoredModel model;
    model.folder = folder;
    model.config = read_model_config(folder / "config.json");
    model.notes = read_notes(folder / "xlrm.json");
    open_files(model);
    if (const auto score = model.tensors.find(kScoreWeight); score != model.tensors.end()) {
        const std::vector<std::int64_t>& shape = score->second.view().shape;
        if (shape.size() != 2 || shape[0] < 1) check_shape(model, score->second, {1, model.config.hidden});
        model.labels = shape[0];
    }
    check_head(model);
    model.head = head_of(model);
    return model;
}

void require_kind(const StoredModel& model, HeadKind want) {
    const fs::path config = model.folder / "config.json";
    if (want != HeadKind::lm || model.tensors.contains("lm_head.weight") ||
        declared_head(model.config, config) != HeadKind::reward)
        return;
    fail(config.string() + ": 'architectures' names " + class_name(model.config.family, HeadKind::reward) +
         ", a reward model without an LM head (a language model is needed here); give a " +
         class_name(model.config.family, HeadKind::lm));
}

std::vector<std::string> account_for_tensors(const StoredModel& model, const ParameterLayout& layout, bool new_head,
                                             std::int64_t label) {
    std::vector<std::string> unused;
    for (const auto& [name, tensor] : model.tensors) {
        if (layout.contains(name) && !(new_head && name == kScoreWeight)) continue;
        if (name != "lm_head.weight" && name != kScoreWeight && !is_computed_buffer(name)) {
            fail(tensor.file->path().string() + ": tensor '" + tensor.name +
                 "' does not belong to this model (config.json describes another " +
                 "one, or the head is of a kind that is not supported); " +
                 advice(model, "use weights and config.json of one model"));
        }
        unused.push_back(tensor.name);
    }
    for (const ParameterInfo& info : layout.tensors) {
        const bool head = info.name == kScoreWeight;
        if (head && new_head) continue;
        const auto tensor = model.tensors.find(info.name);
        if (tensor == model.tensors.end()) {
            fail(model.folder.string() + ": tensor '" + info.name + "' " + shape_text(info.shape) +
                 " is missing (it would be random); " +
                 (head ? "use a trained reward model, or train one from this folder" : advice(model, "get the weights again")));
        }
        if (head)
            check_reward_head(model, label);
        else
            check_shape(model, tensor->second, info.shape);
    }
    return unused;
}

}  // namespace xlrm
