#include <ATen/ops/equal.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <future>

#include "stored_model.hpp"
#include "weight_files.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/profile.hpp"
#include "xlrm/core/sha256.hpp"
#include "xlrm/model/model_folder.hpp"
#include "xlrm/ops/memory.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

// Elements that are converted at a time: a piece stays in the cache, and adds nothing to the memory that the weights take.
constexpr std::int64_t kPiece = std::int64_t{1} << 19U;

// Elements [first, first + to.numel()) of a stored tensor.
void copy_elements(const StoredTensor& from, std::int64_t first, const at::Tensor& to) {
    const DType dtype = from.view().dtype;
    const std::int64_t width = dtype_bytes(dtype);
    const at::Tensor flat = to.view({-1});
    if (scalar_type(dtype) == flat.scalar_type() && on_host(flat.device())) {
        from.file->read(from.name, first * width,
                        {static_cast<std::byte*>(flat.data_ptr()), static_cast<std::size_t>(flat.nbytes())});
        return;
    }
    std::vector<std::byte> piece(static_cast<std::size_t>(std::min(kPiece, flat.numel()) * width));
    for (std::int64_t at = 0; at < flat.numel(); at += kPiece) {
        const std::int64_t count = std::min(kPiece, flat.numel() - at);
        const std::span<std::byte> bytes(piece.data(), static_cast<std::size_t>(count * width));
        from.file->read(from.name, (first + at) * width, bytes);
        flat.narrow(0, at, count).copy_(at::from_blob(bytes.data(), {count}, at::TensorOptions().dtype(scalar_type(dtype))));
    }
}

// A tied head that is stored as well is read as the embedding: another content would be lost silently.
void check_tied_head(const StoredModel& model, HeadKind want, at::ScalarType dtype) {
    const auto head = model.tensors.find("lm_head.weight");
    if (want != HeadKind::lm || !model.config.tied_embeddings || head == model.tensors.end()) return;
    const StoredTensor& embedding = model.tensors.at("model.embed_tokens.weight");
    bool equal = head->second.view().shape == embedding.view().shape;
    at::Tensor a = flat_zeros(kPiece, dtype), b = flat_zeros(kPiece, dtype);
    for (std::int64_t at = 0; equal && at < embedding.view().elements(); at += kPiece) {
        const std::int64_t count = std::min(kPiece, embedding.view().elements() - at);
        copy_elements(head->second, at, a.narrow(0, 0, count));
        copy_elements(embedding, at, b.narrow(0, 0, count));
        equal = at::equal(a.narrow(0, 0, count), b.narrow(0, 0, count));
    }
    if (equal) return;
    fail(model.folder.string() +
         ": tensor 'lm_head.weight' differs from the embedding (config.json ties the two, so one would be " +
         "lost); set tie_word_embeddings to false");
}

// Rows of score.weight in the layout.
std::int64_t rows_of_head(const StoredModel& model, bool new_head, std::int64_t label) {
    return !new_head && label == kAllLabels ? std::max(model.labels, std::int64_t{1}) : 1;
}

}  // namespace

HeadKind stored_head(const fs::path& folder) { return open_model(folder).head; }

std::int64_t stored_labels(const fs::path& folder) { return open_model(folder).labels; }

std::string model_sha256(const fs::path& folder, FileHashes* hashes) {
    const auto hash_of = [&](const fs::path& path) { return hashes != nullptr ? hashes->sha256(path) : sha256_file(path); };
    Sha256 hash;
    std::vector<fs::path> files = find_weight_files(folder).files;
    files.insert(files.begin(), folder / "config.json");
    for (const fs::path& path : files) hash.add(path.filename().string() + " " + hash_of(path) + "\n");
    return hash.hex();
}

CheckedModel check_model(const fs::path& folder, HeadKind want, bool new_head, std::int64_t label) {
    const StoredModel stored = open_model(folder);
    require_kind(stored, want);
    CheckedModel out;
    out.layout = make_layout(stored.config, want, rows_of_head(stored, new_head, label));
    out.unused = account_for_tensors(stored, out.layout, new_head, label);
    check_tied_head(stored, want, at::kFloat);
    out.config = stored.config;
    return out;
}

LoadedModel load_model(const fs::path& folder, HeadKind want, at::ScalarType dtype, bool new_head, std::int64_t label,
                       at::Device device) {
    const StageScope scope("load model");
    const StoredModel stored = open_model(folder);
    require_kind(stored, want);
    LoadedModel model;
    model.parameters.layout = make_layout(stored.config, want, rows_of_head(stored, new_head, label));
    account_for_tensors(stored, model.parameters.layout, new_head, label);
    check_tied_head(stored, want, dtype);
    // The hash takes as long as the reading.
    std::future<std::string> hash = std::async(std::launch::async, [&] { return model_sha256(folder); });
    model.parameters.flat = flat_zeros(model.parameters.layout.total, dtype, device);
    for (const ParameterInfo& info : model.parameters.layout.tensors) {
        const bool head = info.name == kScoreWeight;
        if (head && new_head) continue;
        copy_elements(stored.tensors.at(info.name), head && label > 0 ? label * stored.config.hidden : 0,
                      model.parameters.view(info.name));
    }
    model.config = stored.config;
    model.head = want;
    model.extra = stored.notes;
    model.sha256 = hash.get();
    return model;
}

}  // namespace xlrm
