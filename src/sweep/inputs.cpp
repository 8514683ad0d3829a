#include "xlrm/sweep/inputs.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "xlrm/core/error.hpp"
#include "xlrm/core/language.hpp"
#include "xlrm/core/sha256.hpp"
#include "xlrm/data/prepare.hpp"
#include "xlrm/data/prepared_file.hpp"
#include "xlrm/model/model_folder.hpp"
#include "xlrm/store/items_file.hpp"
#include "xlrm/store/occurrences.hpp"
#include "xlrm/sweep/task_options.hpp"
#include "xlrm/text/tokenizer.hpp"

namespace xlrm {

namespace {

namespace fs = std::filesystem;

//! What is kept of a row until the names of all rows are known, which settle their languages.
struct RowDigest {
    std::string id, lang_name;
    std::string sha256;  //!< of row_bytes
    double bytes = 0.0;
};

double text_bytes(const PreferenceRow& row) {
    double prompt = 0.0;
    double bytes = 0.0;
    for (const ChatMessage& message : row.prompt) prompt += static_cast<double>(message.content.size());
    for (const RowAnswer& answer : row.answers) {
        bytes += prompt;
        for (const ChatMessage& turn : answer.turns) bytes += static_cast<double>(turn.content.size());
    }
    return bytes;
}

Json files_json(const std::vector<fs::path>& files, FileHashes& hashes) {
    Json list = Json::array();
    for (const fs::path& file : files) list.push_back({{"path", file.string()}, {"sha256", hashes.sha256(file)}});
    return list;
}

bool same_files(const Json& files, FileHashes& hashes) {
    return std::all_of(files.begin(), files.end(),
                       [&](const Json& file) { return hashes.sha256(file.at("path").get<std::string>()) == file.at("sha256"); });
}

bool readable(const Json& files) {
    return std::all_of(files.begin(), files.end(), [](const Json& file) {
        std::error_code error;
        return fs::is_regular_file(file.at("path").get<std::string>(), error);
    });
}

//! What the configuration says in an option of rows: paths as they were given, below [data] root; of a world its name and seed.
Json given_rows(const SweepConfig& config, const std::string& option) {
    if (!config.world.empty()) return {config.world, config.world_seed};
    const std::string benchmark = option.starts_with("data.eval.") ? option.substr(10) : "";
    const std::vector<std::string>& files = !benchmark.empty()           ? config.benchmarks.at(benchmark)
                                            : option == "data.train"     ? config.train_files
                                            : option == "tokenizer.data" ? config.tokenizer_data
                                                                         : config.pretrain.data;
    Json list = Json::array();
    for (const std::filesystem::path& path : config.data_paths(files)) list.push_back(path.string());
    return list;
}

std::vector<std::string> languages_in(const std::string& selection) {
    std::vector<std::string> langs;
    for (std::size_t at = 0; at < selection.size();) {
        const std::size_t end = std::min(selection.find('+', at), selection.size());
        langs.push_back(selection.substr(at, end - at));
        at = end + 1;
    }
    return langs;
}

RowDemand demand_of(const std::string& option, const Json& recorded) {
    RowDemand demand{option,
                     {},
                     parse_row_kind(recorded.at("kind")),
                     recorded.at("split"),
                     recorded.at("part"),
                     {},
                     recorded.at("default_lang"),
                     {}};
    const Json forms = recorded.value("forms", Json::object());
    demand.forms.columns = forms.value("columns", std::vector<std::string>());
    demand.forms.prefer = forms.value("prefer", demand.forms.prefer);
    demand.forms.pair_by = forms.value("pair_by", std::string());
    for (const Json& file : recorded.at("files")) demand.files.emplace_back(file.at("path").get<std::string>());
    for (const auto& [selection, hash] : recorded.at("rows_sha256").items()) demand.selections.push_back(languages_in(selection));
    return demand;
}

std::string changed_rows(const std::string& option, const Json& recorded, FileHashes& hashes) {
    const InputRows now = read_input_rows(demand_of(option, recorded), hashes);
    std::string list;
    for (const auto& [selection, hash] : now.sha256) {
        if (recorded.at("rows_sha256").at(selection) != hash)
            list += (list.empty() ? "" : ", ") + (selection.empty() ? "all languages" : selection);
    }
    return list;
}

//! What determines an item that is prepared already.
std::string item_bytes(const ItemSet& set, const Item& item) {
    Json about = {item.id,          item.lang,       item.subset,
                  item.num_correct, item.occurrence, std::isnan(item.margin) ? Json() : Json(item.margin)};
    for (const float label : item.labels) about.push_back(label);
    std::string bytes = about.dump();
    for (std::int64_t k = 0; k < item.answers; ++k) {
        const Answer& answer = set.answers[static_cast<std::size_t>(item.first_answer + k)];
        const auto tokens = set.answer_tokens(answer);
        bytes += Json{answer.length, answer.prompt, answer.lead}.dump();
        bytes.append(reinterpret_cast<const char*>(tokens.data()), tokens.size_bytes());
    }
    return bytes;
}

//! The items of a prepared file as rows of an option that takes preferences.
void add_prepared(const fs::path& path, const RowDemand& demand, const Split& split, LanguageNames& names,
                  std::vector<RowDigest>& rows) {
    constexpr double kBytesPerToken = 4.0;  // of text, roughly
    const ItemSet set = read_items(path);
    const std::string kind = set.attributes.value("kind", std::string(name_of(RowKind::preference)));
    const bool ranked = demand.option != "data.train" && kind == name_of(RowKind::ranking);
    if (kind != name_of(RowKind::preference) && !ranked)
        fail(path.string() + ": it was prepared from rows of the kind " + kind + ", and " + shown_option(demand.option) +
             " takes preference rows");
    require(!set.items.empty(), path.string() + ": the file has no items (nothing could come of it); prepare it again");
    for (const Item& item : set.items) {
        names.add(item.lang);
        if (!demand.part.empty() && split.part(item.id) != demand.part) continue;
        double tokens = 0.0;
        for (std::int64_t k = 0; k < item.answers; ++k)
            tokens += set.answers[static_cast<std::size_t>(item.first_answer + k)].length;
        rows.push_back({item.id, item.lang, sha256(item_bytes(set, item)), kBytesPerToken * tokens});
    }
}

bool means_any(const LanguageNames& names, const std::vector<std::string>& selection, const std::string& lang_name) {
    return selection.empty() ||
           std::ranges::any_of(selection, [&](const std::string& lang) { return names.means(lang, lang_name); });
}

InputRows settled(const RowDemand& demand, const LanguageNames& names, const std::vector<RowDigest>& rows,
                  const std::string& prepared) {
    InputRows found;
    found.demand = demand;
    std::set<std::string> in_part;
    Occurrences counted;
    for (const RowDigest& row : rows) {
        in_part.insert(row.lang_name);
        const std::string lang = names.of(row.lang_name);
        InputRows::Volume& volume = found.languages[lang];
        ++volume.rows;
        volume.bytes += row.bytes;
        if (demand.kind == RowKind::preference && counted.next(lang, row.id) > 0) ++found.repeated;
    }
    for (const auto& selection : demand.selections) {
        std::set<std::string> taken;
        for (const std::string& name : in_part) {
            if (means_any(names, selection, name)) taken.insert(name);
        }
        Sha256 hash;
        hash.add(prepared);
        for (const RowDigest& row : rows) {
            if (taken.contains(row.lang_name)) hash.add(row.sha256);
        }
        found.sha256[selection_name(selection)] = hash.hex();
        for (const std::string& lang : selection) {
            if (std::ranges::none_of(in_part, [&](const std::string& name) { return names.means(lang, name); }))
                found.missing.push_back(lang);
        }
    }
    return found;
}

}  // namespace

std::string shown_option(const std::string& option) {
    const std::size_t dot = option.find('.');
    return "[" + option.substr(0, dot) + "] " + option.substr(dot + 1);
}

std::vector<std::string> sorted_languages(const std::vector<std::string>& langs) {
    std::set<std::string> sorted;
    for (const std::string& lang : langs) sorted.insert(parse_language(lang).full());
    return {sorted.begin(), sorted.end()};
}

std::string selection_name(const std::vector<std::string>& langs) {
    std::string name;
    for (const std::string& lang : langs) name += (name.empty() ? "" : "+") + lang;
    return name;
}

InputRows read_input_rows(const RowDemand& demand, FileHashes& hashes) {
    LanguageNames names;
    std::vector<RowDigest> rows;
    RowNotes notes;
    std::string prepared;  // hashes of files whose items are tokens already
    const Split split(demand.split);
    for (const fs::path& path : demand.files) {
        if (is_prepared_file(path)) {
            if (demand.kind == RowKind::preference)
                add_prepared(path, demand, split, names, rows);
            else
                prepared += hashes.sha256(path);
            continue;
        }
        bool empty = true;
        const auto take = [&](std::int64_t, PreferenceRow&& row) {
            empty = false;
            names.add(row.lang_name);
            if (!demand.part.empty() && split.part(row.id) != demand.part) return;
            rows.push_back({row.id, row.lang_name, sha256(row_bytes(row)), text_bytes(row)});
        };
        for_each_row(path, demand.kind, demand.default_lang, take, demand.forms, &notes);
        if (empty) fail(path.string() + ": the file has no rows (nothing could come of it); leave it out, or get it again");
    }
    InputRows result = settled(demand, names, rows, prepared);
    result.selectable = can_select(names, demand.selections);
    for (const fs::path& path : demand.files) result.files_sha256.push_back(hashes.sha256(path));
    result.notes = std::move(notes);
    warn_of_input(demand.files, names, result.notes, {});  // what its rows do not need of [data] others may
    return result;
}

Json SweepInputs::to_json(const SweepConfig& config, FileHashes& hashes) const {
    Json json = Json::object();
    for (const auto& [option, input] : rows) {
        const RowDemand& demand = input.demand;
        json[option] = {
            {"given", given_rows(config, option)},
            {"files", files_json(demand.files, hashes)},
            {"kind", name_of(demand.kind)},
            {"split", demand.split},
            {"part", demand.part},
            {"default_lang", demand.default_lang},
            {"forms", {{"columns", demand.forms.columns}, {"prefer", demand.forms.prefer}, {"pair_by", demand.forms.pair_by}}}};
        json[option]["rows_sha256"] = Json::object();
        for (const auto& [selection, hash] : input.sha256) json[option]["rows_sha256"][selection] = hash;
    }
    if (!config.judges.empty()) {
        const fs::path prompt = fs::absolute(config.data_path(config.judge.prompt)).lexically_normal();
        json["judge"] = {{"prompt", prompt.string()}, {"sha256", hashes.sha256(prompt)}};
    }
    json["bases"] = Json::object();
    for (const auto& list : {config.base_list(), config.model_list()}) {
        for (const Base& base : list) {
            if (base.folder.empty()) continue;
            json["bases"][base.name] = {{"given", base.folder.string()},
                                        {"folder", fs::absolute(base.folder).lexically_normal().string()},
                                        {"recipe", bases.at(base.name)}};
        }
    }
    return json;
}

Json base_recipe(const fs::path& folder, FileHashes& hashes) {
    const std::unique_ptr<Tokenizer> tokenizer = load_tokenizer(folder);
    std::string files;
    for (const fs::path& file : tokenizer->files) files += file.filename().string() + " " + hashes.sha256(file) + "\n";
    Json recipe = {{"weights_sha256", model_sha256(folder, &hashes)}, {"tokenizer_sha256", sha256(files)}};
    if (!fs::exists(folder / "xlrm.json")) return recipe;
    const Json extra = read_json(folder / "xlrm.json");
    for (const char* setting : {"template", "pooling"}) {
        if (extra.is_object() && extra.contains(setting)) recipe[setting] = extra.at(setting);
    }
    return recipe;
}

std::optional<InputRows> remembered_input_rows(const Json& inputs, const RowDemand& demand, FileHashes& hashes) {
    if (!inputs.contains(demand.option)) return {};
    const Json& recorded = inputs.at(demand.option);
    const RowDemand there = demand_of(demand.option, recorded);
    InputRows rows;
    rows.demand = demand;
    for (const auto& langs : demand.selections) {
        const std::string name = selection_name(langs);
        if (!recorded.at("rows_sha256").contains(name)) return {};
        rows.sha256[name] = recorded.at("rows_sha256").at(name);
    }
    const bool same = there.files == demand.files && there.split == demand.split && there.part == demand.part &&
                      there.default_lang == demand.default_lang && there.forms.content() == demand.forms.content();
    if (!same || !readable(recorded.at("files")) || !same_files(recorded.at("files"), hashes)) return {};
    return rows;
}

std::vector<std::string> changed_inputs(const Json& inputs, FileHashes& hashes) {
    std::vector<std::string> changed;
    for (const auto& [option, recorded] : inputs.items()) {
        if (option == "judge") {
            const fs::path prompt = recorded.at("prompt").get<std::string>();
            if (fs::exists(prompt) && hashes.sha256(prompt) != recorded.at("sha256"))
                changed.push_back("[judge] prompt: " + prompt.string() + " asks something else than when the sweep read it");
            continue;
        }
        if (option == "bases" || !readable(recorded.at("files")) || same_files(recorded.at("files"), hashes)) continue;
        const std::string first = recorded.at("files").at(0).at("path");
        const std::string files = first + (recorded.at("files").size() > 1 ? ", …" : "");
        try {
            const std::string langs = changed_rows(option, recorded, hashes);
            if (!langs.empty())
                changed.push_back(option + ": rows of " + langs + " have changed since the sweep read them (" + files + ")");
        } catch (const Error& error) {
            changed.push_back(option + ": the rows cannot be read any more (" + error.what() + ")");
        }
    }
    const Json bases = inputs.value("bases", Json::object());
    for (const auto& [name, base] : bases.items()) {
        const fs::path folder = base.at("folder").get<std::string>();
        if (!fs::exists(folder / "config.json")) continue;
        try {
            if (base_recipe(folder, hashes) != base.at("recipe")) {
                changed.push_back("base " + name + ": " + folder.string() + " holds another model than when the sweep read it");
            }
        } catch (const Error& error) {
            changed.push_back("base " + name + ": it cannot be read any more (" + error.what() + ")");
        }
    }
    return changed;
}

}  // namespace xlrm
