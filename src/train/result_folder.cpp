#include "result_folder.hpp"

#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/log.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

fs::path without_slash(const std::string& output) {
    const fs::path path = fs::absolute(output).lexically_normal();
    return path.has_filename() ? path : path.parent_path();
}

}  // namespace

ResultFolder::ResultFolder(const std::string& output, const OutputLock* lock)
    : folder_(without_slash(output)), checkpoint_(fs::path(folder_.string() + ".checkpoint")), lock_(lock) {}

void ResultFolder::require_held() const {
    if (lock_ != nullptr) lock_->require_held();
}

std::string ResultFolder::finished(const RunIdentity& identity) const {
    const fs::path summary = folder_ / "training.json";
    if (!fs::exists(summary)) return "";
    const Json json = read_json(summary);
    const std::string other = identity_difference(json.value("identity", Json()), identity);
    require(other.empty(), folder_.string() + ": it holds the model of another run (" + other +
                               "); give another --output, remove the folder, or replace it with --resume never");
    if (json.value("model_sha256", "") != model_sha256(folder_)) {
        log_root(LogLevel::warning, folder_.string() + ": the model in it is not the one that was written; it is trained again");
        return "";
    }
    return json.at("summary").dump();
}

void ResultFolder::require_replaceable() const {
    if (!fs::exists(folder_) || (fs::is_directory(folder_) && fs::is_empty(folder_)) || fs::exists(folder_ / "training.json"))
        return;
    // Of a version that wrote training.json after the rest was in place, and was killed between: its metrics are there still.
    if (fs::exists(checkpoint_.metrics_path()) && fs::exists(folder_ / "xlrm.json")) return;
    fail(folder_.string() + ": --output is a folder with other content (it would be lost); give a new one");
}

void ResultFolder::prepare(bool resumed, std::int64_t bytes) const {
    remove_stale_temporaries(folder_.parent_path());  // models that killed runs were writing
    if (!resumed) checkpoint_.remove();
    require_writable(checkpoint_.metrics_path().parent_path(), bytes);
}

void ResultFolder::publish(const TrainingModel& model, const fs::path& tokenizer_from, const Json& extra,
                           const RunIdentity& identity, const Json& recipe, const Json& summary,
                           const std::function<void(const fs::path&)>& beside) const {
    require_held();
    save_trained(model, folder_, tokenizer_from, extra, [&](const fs::path& folder) {
        beside(folder);
        write_file_atomic(folder / "metrics.jsonl", read_file(checkpoint_.metrics_path()));
        Json json = {{"identity", identity}, {"model_sha256", model_sha256(folder)}, {"summary", summary}};
        if (!recipe.is_null()) json["recipe"] = recipe;
        write_file_atomic(folder / "training.json", json.dump(2) + "\n");
    });
    checkpoint_.remove();
}

}  // namespace xlrm
