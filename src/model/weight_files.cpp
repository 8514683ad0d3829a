#include "weight_files.hpp"

#include <algorithm>
#include <set>

#include "config_reader.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/settings_file.hpp"

namespace xlrm {

namespace fs = std::filesystem;

WeightFiles find_weight_files(const fs::path& folder) {
    WeightFiles out;
    const fs::path single = folder / "model.safetensors";
    const fs::path index = folder / "model.safetensors.index.json";
    if (fs::exists(single)) {
        out.files = {single};
        return out;
    }
    if (!fs::exists(index)) {
        const bool pickled = fs::exists(folder / "pytorch_model.bin") || fs::exists(folder / "pytorch_model.bin.index.json");
        fail(folder.string() +
                 ": no model.safetensors and no model.safetensors.index.json (weights are read as safetensors only)" +
                 (pickled ? "; convert pytorch_model.bin to safetensors" : "; is it a model's folder?"),
             ExitCode::io);
    }
    const Json json = read_settings(index);
    if (!json.is_object() || !json.contains("weight_map") || !json.at("weight_map").is_object()) {
        fail(index.string() + ": no object 'weight_map' (it says which shard holds which tensor); get the file again");
    }
    std::set<fs::path> files;
    for (const auto& [tensor, file] : json.at("weight_map").items()) {
        const std::string name = file.is_string() ? file.get<std::string>() : "";
        if (name.empty() || fs::path(name).filename() != fs::path(name)) {
            fail(index.string() + ": weight_map of '" + tensor + "' is " + ConfigReader::shown(file) +
                 " (expected a file in the same folder); correct it");
        }
        if (!fs::exists(folder / name)) {
            fail(index.string() + ": shard " + name + " is missing (it holds '" + tensor + "'); get the file again",
                 ExitCode::io);
        }
        out.shard_of[tensor] = name;
        files.insert(folder / name);
    }
    if (files.empty()) fail(index.string() + ": weight_map is empty (the model would have no weights); get the file again");
    out.files.assign(files.begin(), files.end());
    return out;
}

void check_shard(const WeightFiles& weights, const fs::path& file, const std::vector<std::string>& names) {
    if (weights.shard_of.empty()) return;
    const std::string shard = file.filename().string();
    for (const std::string& name : names) {
        const auto entry = weights.shard_of.find(name);
        if (entry == weights.shard_of.end() || entry->second != shard) {
            fail(file.string() + ": tensor '" + name +
                 "' is not in the index under this shard (the download is mixed); get all files again");
        }
    }
    for (const auto& [name, place] : weights.shard_of) {
        if (place == shard && std::ranges::find(names, name) == names.end()) {
            fail(file.string() + ": tensor '" + name + "', which the index places here, is missing; get the shard again");
        }
    }
}

}  // namespace xlrm
