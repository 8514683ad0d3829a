#include "xlrm/sweep/check_inputs.hpp"

#include <algorithm>
#include <set>

#include "text_form.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/language.hpp"
#include "xlrm/core/log.hpp"
#include "xlrm/model/model_folder.hpp"
#include "xlrm/store/items_file.hpp"
#include "xlrm/sweep/task_options.hpp"
#include "xlrm/text/chat_template.hpp"
#include "xlrm/text/tokenizer.hpp"

namespace xlrm {

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> absolute(const std::vector<fs::path>& files) {
    std::vector<fs::path> result;
    for (const fs::path& file : files) result.push_back(fs::absolute(file).lexically_normal());
    return result;
}

void require_part(const RowDemand& demand) {
    const std::vector<std::string> parts = Split(demand.split).names();
    if (demand.part.empty() || std::find(parts.begin(), parts.end(), demand.part) != parts.end()) return;
    const std::string split = demand.option.starts_with("data.")
                                  ? "[data] split"
                                  : shown_option(demand.option.substr(0, demand.option.find('.')) + ".split");
    fail(split + ": \"" + demand.split + "\" has no part \"" + demand.part + "\", which " + shown_option(demand.option) +
             " takes; name the parts train and test",
         ExitCode::usage);
}

//! Each language of the selections has a row. `because`: the option that asks for them.
void require_languages(const InputRows& rows, const std::string& because) {
    std::string list;
    for (const auto& [lang, volume] : rows.languages) list += (list.empty() ? "" : ", ") + lang;
    const std::string& part = rows.demand.part;
    if (rows.missing.empty()) return;
    fail(shown_option(rows.demand.option) + ": no row" + (part.empty() ? "" : " of part " + part) + " is in language '" +
         rows.missing.front() + "', which " + because + " asks for (the data have: " + (list.empty() ? "none" : list) +
         "); correct the languages or add the data");
}

//! Reads what the demands name, each once.
class Reader {
public:
    Reader(const SweepConfig& config, const SweepFolder& folder) : config_(config), folder_(folder) {
        if (fs::exists(folder.plan())) recorded_ = read_json(folder.plan()).value("inputs", Json::object());
    }

    void preferences(const std::string& option, const std::vector<std::string>& files, const std::string& part,
                     const std::vector<std::vector<std::string>>& selections, const std::string& because) {
        const RowDemand demand{option,
                               absolute(config_.data_paths(files)),
                               RowKind::preference,
                               config_.split,
                               config_.split.empty() ? "" : part,
                               selections,
                               "en",
                               config_.forms};
        require_part(demand);
        InputRows rows = read(demand);
        require_languages(rows, because);
        inputs.rows[option] = std::move(rows);
    }

    //! `needed`: whether something is still to be made of them; else their hashes are enough.
    void documents(const std::string& option, const std::vector<std::string>& files, const std::string& split,
                   const std::string& part, const std::vector<std::string>& langs, bool needed, const std::string& because) {
        const RowDemand demand{option,
                               absolute(config_.data_paths(files)),
                               RowKind::document,
                               split,
                               part,
                               {sorted_languages(langs)},
                               option == "pretrain.data" ? config_.pretrain.default_lang : "en",
                               {}};
        require_part(demand);
        std::optional<InputRows> rows;
        if (!needed) rows = remembered_input_rows(recorded_, demand, folder_.hashes());
        if (!rows) {
            rows = read(demand);
            const auto prepared = [](const fs::path& file) {
                return file.extension() == ".h5";
            };  // what is in it the training looks at
            if (std::none_of(demand.files.begin(), demand.files.end(), prepared)) require_languages(*rows, because);
        }
        inputs.rows[option] = std::move(*rows);
    }

    SweepInputs inputs;

private:
    InputRows read(const RowDemand& demand) {
        for (const auto& [option, rows] : inputs.rows) {
            const RowDemand& other = rows.demand;
            if (other.files != demand.files || other.kind != demand.kind || other.split != demand.split ||
                other.part != demand.part || other.selections != demand.selections || other.default_lang != demand.default_lang ||
                other.forms.content() != demand.forms.content()) {
                continue;
            }
            InputRows same = rows;
            same.demand = demand;
            return same;
        }
        return read_input_rows(demand, folder_.hashes());
    }

    const SweepConfig& config_;
    const SweepFolder& folder_;
    Json recorded_ = Json::object();
};

void check_base(const SweepConfig& config, const Base& base) {
    const std::int64_t labels = stored_labels(base.folder);
    if (labels > 1) {
        fail(base.folder.string() + ": its reward head has " + std::to_string(labels) +
             " labels (a sweep scores its bases too, and which label is the reward is open); give a base with one label, or the "
             "same without its head, score.weight");
    }
    const ModelConfig model = check_model(base.folder, HeadKind::reward, labels == 0).config;
    require_tokenizer_fits(*load_tokenizer(base.folder), model.vocab_size, base.folder);
    load_chat_template(config.train.chat_template, base.folder, config.train.template_date);
    const std::string date = evaluation_of(config).template_date;
    load_chat_template(config.evaluate.chat_template, base.folder, date.empty() ? kTemplateDate : date);
    parse_layers(config.evaluate.layers, model.layers);
}

void check_options(const SweepConfig& config, const SweepFolder& folder, const std::vector<Base>& bases) {
    const auto named = [](const char* section, const auto& work) {
        try {
            work();
        } catch (const Error& error) {
            fail(std::string(section) + " " + error.what(), error.code());
        }
    };
    named("[train]", [&] {
        check(training_of(config, folder, bases.front().name, config.source_list().front(), config.seed_list().front()));
    });
    named("[evaluate]", [&] { check(evaluation_of(config)); });
    for (const Base& base : bases) {
        if (!base.folder.empty()) continue;
        named("[pretrain]", [&] { check(pretraining_of(config, folder, base.name)); });
        if (config.pretrain.model.empty() && config.pretrain.model_config.empty())
            parse_layers(config.evaluate.layers, config.shape.layers);
    }
}

//! A model that is given ready: as a base, but nothing is trained from it.
void check_given_model(const SweepConfig& config, const Base& model) {
    const std::int64_t labels = stored_labels(model.folder);
    if (labels > 1) {
        fail(model.folder.string() + ": its reward head has " + std::to_string(labels) +
             " labels (which label is the reward is open); evaluate it with xlrm_evaluate --label, or give a model with one");
    }
    const HeadKind head = stored_head(model.folder) == HeadKind::reward ? HeadKind::reward : HeadKind::none;
    const ModelConfig shape = check_model(model.folder, head).config;
    require_tokenizer_fits(*load_tokenizer(model.folder), shape.vocab_size, model.folder);
    parse_layers(config.evaluate.layers, shape.layers);
}

//! A language model that judges, and what it is asked.
void check_judge(const SweepConfig& config, const Base& model) {
    const ModelConfig shape = check_model(model.folder, HeadKind::lm).config;
    require_tokenizer_fits(*load_tokenizer(model.folder), shape.vocab_size, model.folder);
    JudgeParser(config.judge.parser, JudgePrompt::read(config.data_path(config.judge.prompt)).form());
    for (const auto& [benchmark, files] : config.benchmarks) {
        for (const std::string& file : files) {
            if (is_prepared_file(file))
                fail("[data] eval." + benchmark + ": " + file + " holds no texts, which the judge \"" + model.name +
                     "\" reads; give the rows");
        }
    }
}

//! How many tied pairs were left out; "" for none.
std::string ties_of(const Json& about) {
    std::int64_t tied = 0;
    const Json report = about.value("report", Json::object());
    for (const auto& [lang, counts] : report.items()) tied += counts.value("tied", std::int64_t{0});
    return tied > 0 ? std::to_string(tied) : "";
}

//! Items that are prepared already are tokens of one tokenizer and template.
void check_prepared_files(const InputRows& rows, const Base& base, const std::optional<TextForm>& form) {
    for (const fs::path& file : rows.demand.files) {
        if (!is_prepared_file(file)) continue;
        const std::string where = file.string() + " (" + shown_option(rows.demand.option) + "): ";
        if (!form || form->made_here)
            fail(where + "items that are prepared already cannot be those of \"" + base.name +
                 "\", whose tokenizer is made with it; give the rows");
        const Json about = read_item_attributes(file);
        if (about.value("tokenizer_sha256", "") != form->tokenizer)
            fail(where + "it was prepared with another tokenizer than that of \"" + base.name + "\" (" + form->folder.string() +
                 "); prepare the rows again with --model " + form->folder.string() + ", or give the rows");
        const auto differs = [&](const char* name, const std::string& wanted) {
            if (about.value(name, "") == wanted) return;
            fail(where + "it was prepared with " + name + " \"" + about.value(name, "") + "\", and \"" + base.name +
                 "\" takes \"" + wanted + "\" here; prepare the rows again, or give the rows");
        };
        differs("template", form->name);
        differs("template_sha256", form->sha256);
        differs("template_date", form->date);
        if (rows.demand.option != "data.train" && about.value("ties", "") == "drop" && !ties_of(about).empty())
            fail(where + "it was prepared without its " + ties_of(about) +
                 " tied pairs, which an evaluation counts as wrong; prepare the rows again with --ties keep, or give the rows");
    }
}

void check_all_prepared_files(const SweepConfig& config, const SweepInputs& inputs) {
    for (const auto& [option, rows] : inputs.rows) {
        if (!option.starts_with("data.") || std::ranges::none_of(rows.demand.files, is_prepared_file)) continue;
        const bool trains = option == "data.train";
        for (const Base& base : config.base_list()) {
            check_prepared_files(rows, base, trains ? training_form(config, inputs, base) : trained_form(config, inputs, base));
            if (!trains) check_prepared_files(rows, base, own_form(config, inputs, base));
        }
        for (const Base& model : config.model_list()) {
            if (!trains && !config.is_judge(model.name)) check_prepared_files(rows, model, own_form(config, inputs, model));
        }
        log_root(LogLevel::warning, shown_option(option) +
                                        " holds items that are prepared already, without their texts: there is no surface floor" +
                                        (trains ? "" : " of this benchmark"));
    }
}

void warn_of_repeated(const SweepInputs& inputs) {
    std::string list;
    for (const auto& [option, rows] : inputs.rows) {
        if (!option.starts_with("data.eval.") || rows.repeated == 0) continue;
        list += (list.empty() ? "" : ", ") + shown_option(option) + ": " + std::to_string(rows.repeated);
    }
    if (list.empty()) return;
    log_root(LogLevel::warning, "rows with an id that an earlier row of their language has (" + list +
                                    "): each counts as an item of its own, and rows of one id as one cluster in intervals");
}

}  // namespace

SweepInputs check_inputs(const SweepConfig& config, const SweepFolder& folder) {
    const std::vector<Base> bases = config.base_list();
    check_options(config, folder, bases);
    Reader reader(config, folder);
    std::vector<std::vector<std::string>> sources;
    std::vector<std::vector<std::string>> targets;
    for (const Source& source : config.source_list()) sources.push_back(sorted_languages(source.langs));
    for (const std::string& target : config.target_list()) targets.push_back({config.target_language(target)});
    reader.preferences("data.train", config.train_files, "train", sources, "--sources");
    for (const auto& [name, files] : config.benchmarks)
        reader.preferences("data.eval." + name, files, "test", targets, "--targets");
    const auto made_here = [&](const Base& base) { return base.folder.empty(); };
    if (std::any_of(bases.begin(), bases.end(), made_here)) {
        const bool to_make = std::any_of(bases.begin(), bases.end(),
                                         [&](const Base& base) { return made_here(base) && !folder.has_model(base.name); });
        reader.documents("pretrain.data", config.pretrain.data, config.pretrain.split, config.pretrain.part,
                         config.pretrain.langs, to_make, "[pretrain] langs");
        if (!config.tokenizer_data.empty()) {
            reader.documents("tokenizer.data", config.tokenizer_data, "", "", config.tokenizer_langs,
                             !fs::exists(folder.tokenizer()), "[tokenizer] langs");
        }
    }
    for (const Base& base : bases) {
        if (base.folder.empty()) continue;
        check_base(config, base);
        reader.inputs.bases[base.name] = base_recipe(base.folder, folder.hashes());
    }
    for (const Base& model : config.model_list()) {
        config.is_judge(model.name) ? check_judge(config, model) : check_given_model(config, model);
        reader.inputs.bases[model.name] = base_recipe(model.folder, folder.hashes());
    }
    check_all_prepared_files(config, reader.inputs);
    warn_of_repeated(reader.inputs);
    return std::move(reader.inputs);
}

}  // namespace xlrm
