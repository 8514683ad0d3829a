#include "xlrm/train/checkpoint.hpp"

#include <system_error>

#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/sha256.hpp"
#include "xlrm/store/safetensors.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;
constexpr const char* kFormat = "XLRM-checkpoint-1";
constexpr const char* kAdvice = "; remove the folder, or start again with --resume never";

std::string hash_of(const Json& manifest) { return sha256(manifest.dump()); }

TensorOut out_tensor(const std::string& name, std::span<const float> values) {
    return {name, DType::f32, {static_cast<std::int64_t>(values.size())}, std::as_bytes(values)};
}

void copy_tensor(const SafetensorsFile& file, const std::string& name, std::span<float> to) {
    const TensorView view = file.tensor(name);
    if (view.dtype != DType::f32 || view.bytes.size() != to.size_bytes()) {
        fail(file.path().string() + ": tensor '" + name + "' has " + std::to_string(view.bytes.size()) +
             " bytes where the model needs " + std::to_string(to.size_bytes()) + kAdvice);
    }
    file.read(name, 0, std::as_writable_bytes(to));
}

Json read_manifest(const fs::path& path) {
    const std::string damaged = path.string() + ": the checkpoint is damaged (";
    Json manifest;
    try {
        manifest = read_json(path);
    } catch (const Error& error) {
        if (error.code() == ExitCode::io) throw;
        fail(damaged + error.what() + ")" + kAdvice);
    }
    require(manifest.is_object() && manifest.contains("sha256") && manifest["sha256"].is_string(),
            damaged + "no hash in it)" + kAdvice);
    const std::string stored = manifest["sha256"];
    manifest.erase("sha256");
    require(hash_of(manifest) == stored, damaged + "its SHA-256 differs from the one stored in it)" + kAdvice);
    require(manifest.value("format", "") == kFormat, path.string() + ": format '" + manifest.value("format", "") + "' is not " +
                                                         kFormat + " (another version of xlrm wrote it)" + kAdvice);
    return manifest;
}

std::string difference(const Json& there, const Json& here, const std::string& what) {
    for (const auto& [name, value] : here.items()) {
        const Json other = there.contains(name) ? there.at(name) : Json();
        if (other == value) continue;
        if (value.is_object()) return difference(other.is_object() ? other : Json::object(), value, name + " ");
        return what + name + " is " + other.dump() + " there and " + value.dump() + " here";
    }
    return "";
}

}  // namespace

std::string identity_difference(const RunIdentity& there, const RunIdentity& here) {
    const std::string found = difference(there, here, "");
    return found.empty() && there != here ? "it has settings unknown here" : found;
}

CheckpointFolder::CheckpointFolder(fs::path folder) : folder_(std::move(folder)) {}

bool CheckpointFolder::exists() const { return fs::exists(folder_ / "checkpoint.json"); }

void CheckpointFolder::save(const RunIdentity& identity, const RunPosition& position, const RunBuffers& buffers,
                            const Json& recipe) const {
    const std::string state = "state-" + std::to_string(position.step) + ".safetensors";
    write_safetensors(folder_ / state, {out_tensor("weights", buffers.weights), out_tensor("first", buffers.first),
                                        out_tensor("second", buffers.second)});
    Json manifest = {{"format", kFormat},
                     {"state", state},
                     {"state_sha256", sha256_file(folder_ / state)},
                     {"step", position.step},
                     {"num_tokens", position.num_tokens},
                     {"metrics_bytes", position.metrics_bytes},
                     {"ranks", position.ranks},
                     {"identity", identity}};
    if (!recipe.is_null()) manifest["recipe"] = recipe;
    manifest["sha256"] = hash_of(manifest);
    write_file_atomic(folder_ / "checkpoint.json", manifest.dump(2) + "\n");
    remove_states_but(state);
}

std::optional<RunPosition> CheckpointFolder::load(const RunIdentity& identity, const RunBuffers& buffers) const {
    if (!exists()) return {};
    const fs::path path = folder_ / "checkpoint.json";
    const Json manifest = read_manifest(path);
    const std::string other = identity_difference(manifest.at("identity"), identity);
    require(other.empty(), path.string() + ": the checkpoint belongs to another run (" + other + ")" + kAdvice);
    const fs::path state = folder_ / manifest.at("state").get<std::string>();
    require(fs::exists(state), state.string() + ": the checkpoint's state is missing" + kAdvice);
    require(sha256_file(state) == manifest.at("state_sha256"),
            state.string() + ": the checkpoint is damaged (its SHA-256 differs from checkpoint.json)" + kAdvice);
    const SafetensorsFile file(state);
    copy_tensor(file, "weights", buffers.weights);
    copy_tensor(file, "first", buffers.first);
    copy_tensor(file, "second", buffers.second);
    return RunPosition{manifest.at("step"), manifest.at("num_tokens"), manifest.at("metrics_bytes"), manifest.at("ranks")};
}

void CheckpointFolder::remove_states_but(const std::string& keep) const {
    remove_stale_temporaries(folder_);
    std::error_code ignored;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder_, ignored)) {
        const std::string name = entry.path().filename().string();
        if (name.starts_with("state-") && name.ends_with(".safetensors") && name != keep) fs::remove(entry.path(), ignored);
    }
}

void CheckpointFolder::remove() const {
    std::error_code error;
    // The manifest first: what is left of a folder that could not be removed is then no checkpoint.
    fs::remove(folder_ / "checkpoint.json", error);
    fs::remove_all(folder_, error);
    if (error) fail(folder_.string() + ": the checkpoint cannot be removed (" + error.message() + ")", ExitCode::io);
}

}  // namespace xlrm
