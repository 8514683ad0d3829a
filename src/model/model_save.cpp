#include <ATen/core/Tensor.h>
#include <fcntl.h>

#include <cassert>
#include <cstdio>
#include <system_error>

#include "declared_head.hpp"
#include "pad_token.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/process_identity.hpp"
#include "xlrm/model/model_folder.hpp"
#include "xlrm/ops/memory.hpp"
#include "xlrm/store/safetensors.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

// What a tokenizer and its template may consist of.
constexpr const char* kTokenizerFiles[] = {
    "tokenizer.json",    "tokenizer.model",     "tokenizer_config.json",   "vocab.json",        "merges.txt",
    "added_tokens.json", "chat_template.jinja", "special_tokens_map.json", "chat_template.json"};

DType file_dtype(at::ScalarType dtype) {
    switch (dtype) {
        case at::kFloat:
            return DType::f32;
        case at::kDouble:
            return DType::f64;
        case at::kBFloat16:
            return DType::bf16;
        case at::kHalf:
            return DType::f16;
        default:
            fail("weights cannot be stored in this number format (safetensors has none for it); use fp32 or bf16",
                 ExitCode::usage);
    }
}

std::string dtype_in_config(DType dtype) {
    switch (dtype) {
        case DType::f32:
            return "float32";
        case DType::f64:
            return "float64";
        case DType::bf16:
            return "bfloat16";
        case DType::f16:
            return "float16";
    }
    assert(false);
    return {};
}

// config.json as read, with what the head and the stored weights change.
Json config_for(const ModelConfig& config, HeadKind head, std::int64_t labels, DType dtype,
                const std::optional<std::int32_t>& pad) {
    assert(config.raw.is_object());
    Json out = config.raw;
    out["architectures"] = Json::array({class_name(config.family, head)});
    out["tie_word_embeddings"] = config.tied_embeddings;
    // Releases before 4.56 read torch_dtype, later ones dtype.
    out["torch_dtype"] = dtype_in_config(dtype);
    out["dtype"] = dtype_in_config(dtype);
    out.erase("quantization_config");  // the weights are stored as they are, and transformers would quantise them
    if (head != HeadKind::reward) {
        for (const char* key : {"id2label", "label2id", "num_labels", "problem_type"}) out.erase(key);
        return out;
    }
    out["id2label"] = out["label2id"] = Json::object();
    for (std::int64_t k = 0; k < labels; ++k) {
        out["id2label"][std::to_string(k)] = "LABEL_" + std::to_string(k);
        out["label2id"]["LABEL_" + std::to_string(k)] = k;
    }
    out["num_labels"] = labels;
    // Without it vLLM passes a single label through a sigmoid.
    out["problem_type"] = "regression";
    out["pad_token_id"] = pad ? Json(*pad) : Json(nullptr);
    return out;
}

void write_weights(const fs::path& path, const ParameterLayout& layout, const at::Tensor& weights, at::ScalarType dtype) {
    assert(weights.numel() == layout.total);
    const at::Tensor flat = to_host(weights.to(dtype).contiguous());
    const auto* bytes = static_cast<const std::byte*>(flat.const_data_ptr());
    const auto width = static_cast<std::size_t>(flat.element_size());
    std::vector<TensorOut> tensors;
    for (const ParameterInfo& info : layout.tensors) {
        tensors.push_back(
            {info.name,
             file_dtype(dtype),
             info.shape,
             {bytes + static_cast<std::size_t>(info.offset) * width, static_cast<std::size_t>(info.elements) * width}});
    }
    write_safetensors(path, tensors);
}

void copy_tokenizer(const fs::path& from, const fs::path& to) {
    for (const char* name : kTokenizerFiles) {
        if (fs::exists(from / name)) write_file_atomic(to / name, read_file(from / name));
    }
    const fs::path templates = "additional_chat_templates";
    std::error_code error;
    for (fs::directory_iterator at(from / templates, error), end; !error && at != end; at.increment(error)) {
        if (at->path().extension() == ".jinja") write_file_atomic(to / templates / at->path().filename(), read_file(at->path()));
    }
}

// A folder that is built beside its final place and removed again unless it gets there.
class FolderInTheMaking {
public:
    explicit FolderInTheMaking(fs::path target) : target_(std::move(target)), path_(temporary_beside(target_)) {
        std::error_code error;
        fs::create_directories(path_, error);
        if (error)
            fail(path_.string() + ": cannot be made (" + error.message() + "); give a folder that can be written", ExitCode::io);
    }
    FolderInTheMaking(const FolderInTheMaking&) = delete;
    FolderInTheMaking& operator=(const FolderInTheMaking&) = delete;
    ~FolderInTheMaking() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    const fs::path& path() const { return path_; }

    // The name never stands for a mixture. A folder that is already there changes places with this one in one step, and goes with
    // it; where the file system cannot do that (NFS), it steps aside first.
    void publish() const {
        if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, target_.c_str(), RENAME_EXCHANGE) == 0) return;
        const fs::path old = target_.string() + ".old-" + this_process().tag();
        std::error_code error;
        if (fs::exists(target_)) rename(target_, old);
        rename(path_, target_);
        fs::remove_all(old, error);
    }

private:
    static void rename(const fs::path& from, const fs::path& to) {
        std::error_code error;
        fs::rename(from, to, error);
        if (error) fail(from.string() + ": cannot be renamed to " + to.string() + " (" + error.message() + ")", ExitCode::io);
    }
    fs::path target_, path_;
};

}  // namespace

void save_model(const fs::path& folder, const ModelConfig& config, const ParameterLayout& layout, const at::Tensor& weights,
                HeadKind head, const fs::path& tokenizer_from, const Json& extra, at::ScalarType dtype,
                const std::function<void(const fs::path& folder)>& finish) {
    const fs::path target = fs::absolute(folder / "").parent_path();
    const FolderInTheMaking making(target);
    Json notes = extra.is_object() ? extra : Json::object();
    const PadChoice pad = choose_pad(config, tokenizer_from);
    if (head == HeadKind::reward) notes["transformers_pooling"] = pad.note;
    if (!tokenizer_from.empty()) copy_tokenizer(tokenizer_from, making.path());
    if (config.pad_added) write_pad_token(making.path(), config.pad.value());
    const std::int64_t labels = head == HeadKind::reward ? layout.find(kScoreWeight).shape[0] : 0;
    write_file_atomic(making.path() / "config.json", config_for(config, head, labels, file_dtype(dtype), pad.id).dump(2) + "\n");
    write_weights(making.path() / "model.safetensors", layout, weights, dtype);
    write_file_atomic(making.path() / "xlrm.json", notes.dump(2) + "\n");
    if (finish) finish(making.path());
    making.publish();
}

}  // namespace xlrm
