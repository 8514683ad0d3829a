#include "output_records.hpp"

#include <algorithm>

#include "xlrm/core/error.hpp"
#include "xlrm/model/model_folder.hpp"
#include "xlrm/store/cell_file.hpp"
#include "xlrm/sweep/inputs.hpp"
#include "xlrm/sweep/recipes.hpp"

namespace xlrm {

namespace {

namespace fs = std::filesystem;

const char* verb(RecordKind kind) {
    switch (kind) {
        case RecordKind::world:
        case RecordKind::tokenizer:
            return "was made";
        case RecordKind::base:
        case RecordKind::model:
        case RecordKind::checkpoint:
            return "was trained";
        case RecordKind::floor:
            return "was measured";
        case RecordKind::cell:
            return "was evaluated";
    }
    return "";
}

//! What could have another name to be told apart.
std::string renamed(RecordKind kind) {
    if (kind == RecordKind::base) return "base";
    if (kind == RecordKind::model || kind == RecordKind::checkpoint) return "source";
    return kind == RecordKind::floor || kind == RecordKind::cell ? "benchmark" : "";
}

std::string plain(const Json& value) {
    if (value.is_null()) return "not set";
    if (!value.is_array()) return value.is_string() ? value.get<std::string>() : value.dump();
    std::string list;
    for (const Json& entry : value) list += (list.empty() ? "" : "+") + plain(entry);
    return list.empty() ? "all" : list;
}

//! The first option that differs, as text; languages before all others. An option that one side does not know has this version's
//! default.
std::string option_difference(const Json& there, const Json& here, const Json& defaults, const std::string& verb) {
    const auto value = [&](const Json& options, const std::string& name) {
        return options.contains(name) ? options.at(name) : defaults.value(name, Json());
    };
    if (value(there, "langs") != value(here, "langs")) {
        return verb + " in the languages " + plain(value(there, "langs")) + ", not " + plain(value(here, "langs"));
    }
    for (const auto& [name, wanted] : here.items()) {
        const Json found = value(there, name);
        if (found != wanted) return verb + " with " + name + " = " + plain(found) + ", not " + plain(wanted);
    }
    return "";
}

Json defaults_of(RecordKind kind) {
    if (kind == RecordKind::cell) return content_of(EvaluateOptions{});
    return kind == RecordKind::model || kind == RecordKind::checkpoint || kind == RecordKind::base
               ? recipe_options(TrainOptions{})
               : Json::object();
}

Verdict differs(const std::string& what, const std::string& rename) { return {Verdict::no, what, rename, false}; }

}  // namespace

std::string OutputRecords::input_of(RecordKind kind, const Task& task) const {
    if (kind == RecordKind::tokenizer) return "tokenizer.data";
    if (kind == RecordKind::base) return "pretrain.data";
    return kind == RecordKind::model || kind == RecordKind::checkpoint ? "data.train" : "data.eval." + task.benchmark;
}

Verdict OutputRecords::compare(const Json& there, const Json& here, RecordKind kind, const Task& task) const {
    const std::string did = verb(kind);
    const std::string options =
        option_difference(there.value("options", Json::object()), here.value("options", Json::object()), defaults_of(kind), did);
    // Another name helps where a name stands for its content; other options are the whole sweep's.
    const bool languages = options.find(" in the languages ") != std::string::npos;
    if (!options.empty()) return differs(options, languages ? renamed(kind) : "");
    for (const auto& [name, wanted] : here.items()) {
        if (name == "options" || (there.contains(name) && there.at(name) == wanted)) continue;
        if (name == "langs")
            return differs("was trained in the languages " + plain(there.value(name, Json())) + ", not " + plain(wanted),
                           "source");
        if (name == "rows_sha256")
            return differs(did + " on other rows than those of " + shown_option(input_of(kind, task)), renamed(kind));
        if (name == "train_sha256") return differs("was trained on other rows than those of [data] train", "source");
        if (name == "eval_data_sha256")
            return differs("was evaluated while training on other files than those of eval-data", renamed(kind));
        if (name == "numerics") return differs("was made by a version of xlrm whose results differ", "");
        if (name == "base" || name == "model") {
            Verdict verdict = differs(name == "base" ? "was trained from another base model than " + task.base + " is now"
                                                     : "was evaluated with another model than " + task.model() + " is now",
                                      "base");
            verdict.through_model = true;
            return verdict;
        }
        const bool hash = wanted.is_object() || (wanted.is_string() && wanted.get<std::string>().size() == 64);
        return differs(did + (hash ? " with another " + name
                                   : " with " + name + " = " + plain(there.value(name, Json())) + ", not " + plain(wanted)),
                       "");
    }
    return {};
}

Verdict OutputRecords::compare_provenance(const Json& options, const Json& files, const Json& here, RecordKind kind,
                                          const Task& task) const {
    const std::string difference =
        option_difference(options, here.value("options", Json::object()), defaults_of(kind), verb(kind));
    if (!difference.empty())
        return differs(difference, difference.find(" in the languages ") != std::string::npos ? renamed(kind) : "");
    if (!files.is_object() || files.empty()) return {Verdict::unknown, "", "", false};
    const std::string input = input_of(kind, task);
    std::vector<std::string> recorded;
    std::vector<std::string> now;
    for (const auto& [name, hash] : files.items()) recorded.push_back(hash.get<std::string>());
    for (const Json& file : plan_.inputs.at(input).at("files")) now.push_back(file.at("sha256").get<std::string>());
    std::ranges::sort(recorded);
    std::ranges::sort(now);
    if (recorded != now) {
        return differs(std::string(verb(kind)) + " on other files than " +
                           plan_.inputs.at(input).at("files").at(0).at("path").get<std::string>() +
                           " is now (it records no recipe, made by an earlier version, so its rows cannot be compared)",
                       renamed(kind));
    }
    return {Verdict::by_provenance, "", "", false};
}

std::string OutputRecords::weights(const std::string& model) {
    const auto found = weights_.find(model);
    if (found != weights_.end()) return found->second;
    fs::path place = folder_.model(model);
    for (const Base& base : plan_.bases) {
        if (base.name == model && !base.folder.empty()) place = base.folder;
    }
    std::string hash;
    try {
        if (fs::exists(place / "config.json")) hash = model_sha256(place, &folder_.hashes());
    } catch (const Error&) {  // weights that are gone are not compared
    }
    return weights_[model] = hash;
}

Verdict OutputRecords::judge_model(const std::string& output, RecordKind kind, const Task& task) {
    const fs::path summary = folder_.root() / output / "training.json";
    if (!fs::exists(summary)) return {Verdict::unknown, "", "", false};
    const Json json = read_json(summary);
    const Json here = plan_.recipes.at(output);
    Verdict verdict;
    if (json.contains("recipe")) {
        verdict = compare(json.at("recipe"), here, kind, task);
    } else {
        const Json identity = json.value("identity", Json::object());
        const fs::path about = folder_.root() / output / "xlrm.json";
        const Json extra = fs::exists(about) ? read_json(about) : Json::object();
        Json options = identity.value("option", Json::object());
        if (options.contains("langs")) {
            TrainOptions sorted;
            options.at("langs").get_to(sorted.langs);
            options["langs"] = recipe_options(sorted).at("langs");
        }
        verdict =
            compare_provenance(options, extra.value("data", Json::object()).value("input_sha256", Json()), here, kind, task);
        const std::string base = kind == RecordKind::model ? weights(task.base) : "";
        if (verdict.agrees != Verdict::no && !base.empty() && identity.value("model_sha256", "") != base) {
            verdict = differs("was trained from another base model than " + task.base + " is now", "base");
            verdict.through_model = true;
        }
    }
    const std::string now = weights(task.model());
    if (verdict.agrees != Verdict::no && !now.empty() && json.value("model_sha256", "") != now) {
        return differs("holds other weights than its training wrote", renamed(kind));
    }
    return verdict;
}

Verdict OutputRecords::judge_cell(const std::string& output, const Task& task) {
    const fs::path path = folder_.root() / output;
    if (!cell_verifies(path, &folder_.hashes())) return {};  // damaged: it is made anew
    const Json attributes = read_cell_attributes(path);
    const Json provenance = attributes.value("xlrm_provenance", Json::object());
    const Json here = plan_.recipes.value(output, Json());
    Verdict verdict;
    if (here.is_null()) {
        verdict.agrees = Verdict::unknown;
    } else if (provenance.contains("recipe")) {
        verdict = compare(provenance.at("recipe"), here, RecordKind::cell, task);
    } else {
        const Json inputs = provenance.value("inputs", Json::object());
        verdict = compare_provenance(provenance.value("options", Json::object()), inputs.value("input_sha256", Json()), here,
                                     RecordKind::cell, task);
    }
    const std::string now = weights(task.model());
    if (verdict.agrees == Verdict::no || now.empty() || attributes.value("model_sha256", "") == now) return verdict;
    const std::string model = task.source.empty() ? "base " + task.base : folder_.name(folder_.model(task.model()));
    verdict = differs("was evaluated with other weights than " + model + " holds now (trained again, or replaced)", "base");
    verdict.through_model = true;
    return verdict;
}

Verdict OutputRecords::judge_floor(const std::string& output, const Task& task) const {
    const Json targets = read_json(folder_.root() / output).at("targets");
    Verdict verdict;
    for (const auto& [target, here] : plan_.recipes.at(output).items()) {
        if (!targets.contains(target)) continue;  // to be measured
        if (!targets.at(target).contains("recipe")) {
            verdict.agrees = Verdict::unknown;
            continue;
        }
        Verdict found = compare(targets.at(target).at("recipe"), here, RecordKind::floor, task);
        if (found.agrees == Verdict::yes) continue;
        found.what += " (target " + target + ")";
        return found;
    }
    return verdict;
}

Json OutputRecords::recorded(const std::string& output, RecordKind kind) const {
    const fs::path path = folder_.root() / output;
    const auto member = [](const fs::path& file, const char* name) {
        return fs::exists(file) ? read_json(file).value(name, Json()) : Json();
    };
    if (kind == RecordKind::checkpoint) return member(path / "checkpoint.json", "recipe");
    if (kind == RecordKind::base || kind == RecordKind::model) {
        const Json recipe = member(path / "training.json", "recipe");
        return recipe.is_null() ? member(path / "training.json", "identity") : recipe;
    }
    if (kind == RecordKind::cell) {
        const Json provenance = read_cell_attributes(path).value("xlrm_provenance", Json::object());
        return provenance.contains("recipe") ? provenance.at("recipe") : provenance;
    }
    if (kind != RecordKind::floor) return fs::exists(path / "recipe.json") ? read_json(path / "recipe.json") : Json();
    Json targets;
    const Json entries = member(path, "targets");
    for (const auto& [target, entry] : entries.items()) {
        if (entry.contains("recipe")) targets[target] = entry.at("recipe");
    }
    return targets;
}

std::string OutputRecords::identity(const std::string& output, RecordKind kind) const {
    const Json recipe = recorded(output, kind);
    return recipe.is_null() ? "unknown" : recipe_sha256(recipe).substr(0, 16);
}

Verdict OutputRecords::judge_checkpoint(const std::string& output, const Task& task) const {
    const Json there = recorded(output, RecordKind::checkpoint);
    if (there.is_null()) return {};  // the training itself compares what it says of its run
    return compare(there, plan_.recipes.at(folder_.name(folder_.model(task.model()))), RecordKind::checkpoint, task);
}

Verdict OutputRecords::judge(const std::string& output, RecordKind kind, const Task& task) {
    if (plan_.recipes.empty() && kind != RecordKind::cell) return {Verdict::unknown, "", "", false};
    if (kind == RecordKind::checkpoint) return judge_checkpoint(output, task);
    if (!plan_.recipes.empty() && !plan_.recipes.contains(output)) return {};  // a tokenizer that no base of this plan uses
    if (kind == RecordKind::base || kind == RecordKind::model) return judge_model(output, kind, task);
    if (kind == RecordKind::cell) return judge_cell(output, task);
    if (kind == RecordKind::floor) return judge_floor(output, task);
    const fs::path recipe = folder_.root() / output / "recipe.json";
    if (!fs::exists(recipe)) return {Verdict::unknown, "", "", false};
    return compare(read_json(recipe), plan_.recipes.at(output), kind, task);
}

}  // namespace xlrm
