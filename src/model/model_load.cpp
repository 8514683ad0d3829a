#include <ATen/ops/equal.h>
#include <ATen/ops/from_blob.h>

#include <future>
#include <set>

#include "weight_files.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/profile.hpp"
#include "xlrm/core/sha256.hpp"
#include "xlrm/model/flat_buffer.hpp"
#include "xlrm/model/model_folder.hpp"
#include "xlrm/store/safetensors.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

// Valid as long as the file is open.
at::Tensor as_tensor(const TensorView& view) {
    return at::from_blob(const_cast<std::byte*>(view.bytes.data()), view.shape,
                         at::TensorOptions().dtype(scalar_type(view.dtype)));
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
    std::string out = "[";
    for (std::size_t i = 0; i < shape.size(); ++i) out += (i ? ", " : "") + std::to_string(shape[i]);
    return out + "]";
}

// A body saved alone has names without "model."; the layout's names have it.
std::string layout_name(const std::string& stored) {
    const bool body = stored == "embed_tokens.weight" || stored == "norm.weight" || stored.starts_with("layers.");
    return body ? "model." + stored : stored;
}

// Buffers that older releases stored and every reader computes anew.
bool is_computed_buffer(const std::string& name) {
    return name.ends_with("rotary_emb.inv_freq") || name.ends_with("rotary_emb.cos_cached") ||
           name.ends_with("rotary_emb.sin_cached");
}

// Keeps account of a model's tensors in its files, and copies them where there is a buffer for them.
class Loader {
public:
    // `into` without a flat tensor: nothing is copied.
    Loader(const Parameters& into, HeadKind want) : into_(into), want_(want) {}

    void read(const SafetensorsFile& file) {
        for (const std::string& stored : file.names()) {
            const std::string name = layout_name(stored);
            if (is_computed_buffer(name)) continue;
            if (into_.layout.contains(name)) {
                take(file, name, stored);
            } else if (name == "lm_head.weight" && want_ == HeadKind::lm && into_.flat.defined()) {
                tied_head_ = as_tensor(file.tensor(stored)).clone();
            } else if (name != "lm_head.weight" && name != "score.weight") {
                fail(file.path().string() + ": tensor '" + stored +
                     "' does not belong to this model (config.json describes another " +
                     "one, or the head is of a kind that is not supported); use weights and config.json of one model");
            }
        }
    }

    void finish(const fs::path& folder, bool new_head) const {
        for (const ParameterInfo& info : into_.layout.tensors) {
            if (seen_.contains(info.name) || (new_head && info.name == "score.weight")) continue;
            const bool head = info.name == "score.weight";
            fail(folder.string() + ": tensor '" + info.name + "' " + shape_text(info.shape) +
                 " is missing (it would be random); " +
                 (head ? "use a trained reward model, or train one from this folder" : "get the weights again"));
        }
        check_tied_head(folder);
    }

private:
    void take(const SafetensorsFile& file, const std::string& name, const std::string& stored) {
        const ParameterInfo& info = into_.layout.find(name);
        const TensorView view = file.tensor(stored);
        if (view.shape != info.shape) {
            fail(file.path().string() + ": tensor '" + stored + "' has the shape " + shape_text(view.shape) +
                 " (config.json says " + shape_text(info.shape) + "); use weights and config.json of one model");
        }
        if (!seen_.insert(name).second) {
            fail(file.path().string() + ": tensor '" + stored + "' is there twice (which one counts is open); keep one");
        }
        if (into_.flat.defined()) into_.view(name).copy_(as_tensor(view));
    }

    // A tied head that is stored as well is read as the embedding: another content would be lost silently.
    void check_tied_head(const fs::path& folder) const {
        if (!tied_head_.defined()) return;
        const at::Tensor embedding = into_.view("model.embed_tokens.weight");
        if (tied_head_.sizes() != embedding.sizes() || !at::equal(tied_head_.to(embedding.scalar_type()), embedding)) {
            fail(folder.string() +
                 ": tensor 'lm_head.weight' differs from the embedding (config.json ties the two, so one would be " +
                 "lost); set tie_word_embeddings to false");
        }
    }

    const Parameters& into_;
    HeadKind want_;
    std::set<std::string> seen_;
    at::Tensor tied_head_;
};

std::set<std::string> stored_names(const WeightFiles& weights) {
    std::set<std::string> out;
    for (const auto& [name, file] : weights.shard_of) out.insert(name);
    if (!out.empty()) return out;
    for (const fs::path& path : weights.files) {
        for (const std::string& name : SafetensorsFile(path).names()) out.insert(name);
    }
    return out;
}

}  // namespace

HeadKind stored_head(const fs::path& folder) {
    const std::set<std::string> names = stored_names(find_weight_files(folder));
    if (names.contains("score.weight")) return HeadKind::reward;
    if (names.contains("lm_head.weight")) return HeadKind::lm;
    const ModelConfig config = read_model_config(folder / "config.json");
    if (!config.tied_embeddings || !config.raw.contains("architectures")) return HeadKind::none;
    for (const Json& name : config.raw.at("architectures")) {
        if (name.is_string() && name.get<std::string>().ends_with("ForCausalLM")) return HeadKind::lm;
    }
    return HeadKind::none;
}

std::string model_sha256(const fs::path& folder) {
    Sha256 hash;
    std::vector<fs::path> files = find_weight_files(folder).files;
    files.insert(files.begin(), folder / "config.json");
    for (const fs::path& path : files) hash.add(path.filename().string() + " " + sha256_file(path) + "\n");
    return hash.hex();
}

namespace {

void read_tensors(const fs::path& folder, const Parameters& into, HeadKind want, bool new_head) {
    const WeightFiles weights = find_weight_files(folder);
    Loader loader(into, want);
    for (const fs::path& path : weights.files) {
        const SafetensorsFile file(path);
        check_shard(weights, path, file.names());
        loader.read(file);
    }
    loader.finish(folder, new_head);
}

}  // namespace

ModelConfig check_model(const fs::path& folder, HeadKind want, bool new_head) {
    ModelConfig config = read_model_config(folder / "config.json");
    read_tensors(folder, {make_layout(config, want), {}}, want, new_head);
    return config;
}

LoadedModel load_model(const fs::path& folder, HeadKind want, at::ScalarType dtype, bool new_head) {
    const StageScope scope("load model");
    LoadedModel model;
    model.config = read_model_config(folder / "config.json");
    model.head = want;
    model.parameters.layout = make_layout(model.config, want);
    model.parameters.flat = flat_zeros(model.parameters.layout.total, dtype);
    // The hash takes as long as the reading.
    std::future<std::string> hash = std::async(std::launch::async, [&] { return model_sha256(folder); });
    read_tensors(folder, model.parameters, want, new_head);
    model.sha256 = hash.get();
    if (fs::exists(folder / "xlrm.json")) model.extra = read_json(folder / "xlrm.json");
    return model;
}

}  // namespace xlrm
