#include "output_records.hpp"

#include <algorithm>

#include "xlrm/core/error.hpp"
#include "xlrm/model/model_folder.hpp"
#include "xlrm/sweep/inputs.hpp"
#include "xlrm/sweep/recipes.hpp"

namespace xlrm {

namespace {

namespace fs = std::filesystem;

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

Verdict differs(const std::string& what, const std::string& rename) { return {Verdict::no, what, rename, ""}; }

//! Another name helps where a name stands for its content; other options are the whole sweep's.
Verdict options_differ(const std::string& what, const TaskWording& wording) {
    return differs(what, what.find(" in the languages ") != std::string::npos ? wording.rename : "");
}

//! An entry of a recipe other than its options.
Verdict entry_differs(const std::string& name, const Json& found, const Json& wanted, const TaskWording& wording) {
    if (name == "langs") return differs("was trained in the languages " + plain(found) + ", not " + plain(wanted), "source");
    if (name == "rows_sha256")
        return differs(wording.verb + " on other rows than those of " + shown_option(wording.rows_option), wording.rename);
    if (name == "train_sha256") return differs("was trained on other rows than those of [data] train", "source");
    if (name == "eval_data_sha256")
        return differs("was evaluated while training on other files than those of eval-data", wording.rename);
    if (name == "numerics") return differs("was made by a version of xlrm whose results differ", "");
    if (const auto need = wording.needed.find(name); need != wording.needed.end())
        return {Verdict::no, need->second.first, "base", need->second.second};
    const bool hash = wanted.is_object() || (wanted.is_string() && wanted.get<std::string>().size() == 64);
    return differs(
        wording.verb + (hash ? " with another " + name : " with " + name + " = " + plain(found) + ", not " + plain(wanted)), "");
}

}  // namespace

Verdict OutputRecords::compare(const Json& there, const Json& here, const TaskWording& wording) const {
    const std::string options = option_difference(there.value("options", Json::object()), here.value("options", Json::object()),
                                                  wording.defaults, wording.verb);
    if (!options.empty()) return options_differ(options, wording);
    for (const auto& [name, wanted] : here.items()) {
        if (name == "options" || (there.contains(name) && there.at(name) == wanted)) continue;
        return entry_differs(name, there.value(name, Json()), wanted, wording);
    }
    return {};
}

Verdict OutputRecords::compare_provenance(const Json& options, const Json& files, const Json& here,
                                          const TaskWording& wording) const {
    const std::string difference =
        option_difference(options, here.value("options", Json::object()), wording.defaults, wording.verb);
    if (!difference.empty()) return options_differ(difference, wording);
    if (!files.is_object() || files.empty()) return {.agrees = Verdict::unknown};
    std::vector<std::string> recorded;
    std::vector<std::string> now;
    const Json& planned = plan_.inputs.at(wording.rows_option).at("files");
    for (const auto& [name, hash] : files.items()) recorded.push_back(hash.get<std::string>());
    for (const Json& file : planned) now.push_back(file.at("sha256").get<std::string>());
    std::ranges::sort(recorded);
    std::ranges::sort(now);
    if (recorded != now) {
        return differs(wording.verb + " on other files than " + planned.at(0).at("path").get<std::string>() +
                           " is now (it records no recipe, made by an earlier version, so its rows cannot be compared)",
                       wording.rename);
    }
    return {.agrees = Verdict::by_provenance};
}

std::string OutputRecords::weights(const std::string& model) {
    const auto found = weights_.find(model);
    if (found != weights_.end()) return found->second;
    fs::path place = folder_.model(model);
    for (const auto* list : {&plan_.bases, &plan_.models}) {
        for (const Base& base : *list) {
            if (base.name == model && !base.folder.empty()) place = base.folder;
        }
    }
    std::string hash;
    try {
        if (fs::exists(place / "config.json")) hash = model_sha256(place, &folder_.hashes());
    } catch (const Error&) {  // weights that are gone are not compared
    }
    return weights_[model] = hash;
}

Verdict OutputRecords::judge(const Task& task) {
    const bool planned = plan_.recipes.contains(task.output());
    if (!planned && !plan_.recipes.empty()) return {};  // nobody uses it
    return task.judge(*this, planned ? plan_.recipes.at(task.output()) : Json());
}

std::string OutputRecords::identity(const Task& task) const {
    const Json recipe = task.recorded(folder_);
    return recipe.is_null() ? "unknown" : recipe_sha256(recipe).substr(0, 16);
}

}  // namespace xlrm
