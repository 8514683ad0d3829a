#include "xlrm/sweep/check_inputs.hpp"

#include <algorithm>
#include <set>

#include "xlrm/core/error.hpp"
#include "xlrm/core/language.hpp"
#include "xlrm/model/model_folder.hpp"
#include "xlrm/text/chat_template.hpp"
#include "xlrm/text/preference_row.hpp"
#include "xlrm/text/tokenizer.hpp"

namespace xlrm {

namespace {

//! Rows that [data] train, [data] eval.<name> or [pretrain] data name, and what is asked of them.
struct Demand {
    std::string option;  //!< "[data] train"
    std::vector<std::filesystem::path> files;
    RowKind kind = RowKind::preference;
    std::string split, part;
    std::vector<std::string> langs;  //!< canonical; each must have a row
    std::string because;             //!< option that asks for the languages
};

void check(const Demand& demand) {
    const Split split(demand.split);
    const std::vector<std::string> parts = split.names();
    if (!demand.part.empty() && std::find(parts.begin(), parts.end(), demand.part) == parts.end()) {
        fail("[data] split: \"" + demand.split + "\" has no part \"" + demand.part + "\", which " + demand.option + " takes; name the parts train and test",
             ExitCode::usage);
    }
    std::set<std::string> found;
    for (const std::filesystem::path& path : demand.files) {
        if (path.extension() == ".h5") {
            if (demand.kind == RowKind::document) continue;  // the training itself looks at it
            fail(path.string() + ": " + demand.option + " of a sweep takes rows, not prepared items (the n-gram floor needs their text); give the .jsonl");
        }
        for_each_row(path, demand.kind, "en", [&](std::int64_t, PreferenceRow&& row) {
            if (demand.part.empty() || split.part(row.id) == demand.part) found.insert(row.lang);
        });
    }
    std::string list;
    for (const std::string& lang : found) list += (list.empty() ? "" : ", ") + lang;
    for (const std::string& lang : demand.langs) {
        if (found.contains(lang)) continue;
        fail(demand.option + ": no row" + (demand.part.empty() ? "" : " of part " + demand.part) + " is in language '" + lang + "', which " +
             demand.because + " asks for (the data have: " + (list.empty() ? "none" : list) + "); correct the languages or add the data");
    }
}

std::vector<std::string> canonical(const std::vector<std::string>& langs) {
    std::vector<std::string> result;
    for (const std::string& lang : langs) result.push_back(canonical_language(lang));
    return result;
}

void check_base(const SweepConfig& config, const Base& base) {
    const ModelConfig model = check_model(base.folder, HeadKind::reward, true);
    require_tokenizer_fits(*load_tokenizer(base.folder), model.vocab_size, base.folder);
    load_chat_template(config.train.chat_template, base.folder, config.train.template_date);
}

}  // namespace

void check_inputs(const SweepConfig& config, const SweepFolder& folder) {
    const std::string train_part = config.split.empty() ? "" : "train";
    const std::string test_part = config.split.empty() ? "" : "test";
    std::vector<std::string> sources;
    for (const Source& source : config.source_list()) sources.insert(sources.end(), source.langs.begin(), source.langs.end());
    check({"[data] train", config.data_paths(config.train_files), RowKind::preference, config.split, train_part, sources, "--sources"});
    for (const auto& [name, files] : config.benchmarks) {
        check({"[data] eval." + name, config.data_paths(files), RowKind::preference, config.split, test_part, config.target_list(), "--targets"});
    }
    const std::vector<Base> bases = config.base_list();
    const bool pretrains = std::any_of(bases.begin(), bases.end(), [&](const Base& base) {
        return base.folder.empty() && !std::filesystem::exists(folder.model(base.name) / "config.json");
    });
    if (pretrains) {
        check({"[pretrain] data", config.data_paths(config.pretrain.data), RowKind::document, config.pretrain.split, config.pretrain.part,
               canonical(config.pretrain.langs), "[pretrain] langs"});
    }
    for (const Base& base : bases) {
        if (!base.folder.empty()) check_base(config, base);
    }
}

}  // namespace xlrm
