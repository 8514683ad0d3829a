// Rows as tokens, once for all that read them alike: the same files and part, tokenizer, template, date and limits, in all
// languages of the grid. Models of one base share them, and so do bases of one tokenizer. The file's name holds a hash of its
// recipe, so another content is another file, and one that is there is never replaced.
// What is tokenised elsewhere: documents of [pretrain] and [train] eval-data, by the training that reads them; the evaluation of
// models that add-pad-token gives a tokenizer that is there with them alone; languages that such a file cannot tell apart
// (can_select). Where preparing fails (a row that is too long under over-length error, a full disk) the tasks that need the file
// read the rows of their languages themselves, so that an error strikes those alone that it concerns.
#include "prepare.hpp"

#include <algorithm>
#include <set>

#include "../output_records.hpp"
#include "../text_form.hpp"
#include "kinds.hpp"
#include "tokenizer.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/core/log.hpp"
#include "xlrm/data/prepared_file.hpp"
#include "xlrm/eval/evaluation_template.hpp"
#include "xlrm/store/cell_file.hpp"
#include "xlrm/store/items_file.hpp"
#include "xlrm/sweep/recipes.hpp"
#include "xlrm/sweep/task_options.hpp"
#include "xlrm/text/tokenizer.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

//! How the rows of an option are prepared, in all languages of the grid.
PrepareOptions options_of(const SweepConfig& config, const std::string& option, bool trains) {
    PrepareOptions options;
    std::set<std::string> langs;
    options.kind = RowKind::preference;
    options.forms = config.forms;
    options.split = config.split;
    options.keep_tied = true;
    if (trains) {
        options.inputs = config.data_paths(config.train_files);
        for (const Source& source : config.source_list()) langs.insert(source.langs.begin(), source.langs.end());
        options.max_length = config.train.max_length;
        options.over_length = parse_over_length(config.train.over_length);
    } else {
        options.inputs = config.data_paths(config.benchmarks.at(option.substr(std::string("data.eval.").size())));
        for (const std::string& target : config.target_list()) langs.insert(config.target_language(target));
        const EvaluateOptions evaluate = evaluation_of(config);
        options.max_length = evaluate.max_length;
        options.over_length = parse_over_length(evaluate.over_length);
    }
    if (!config.split.empty()) options.part = trains ? "train" : "test";
    options.langs = {langs.begin(), langs.end()};
    // Only items that are prepared already are of one kind, and with or without ties.
    if (std::ranges::any_of(options.inputs, is_prepared_file)) {
        options.keep_tied = !trains;
        options.rankings_too = !trains;
    }
    return options;
}

class PrepareTask : public Task {
public:
    //! `fields` as fields() gives them; `recipe` of one that is planned.
    explicit PrepareTask(Json fields, Json recipe = {}) : fields_(std::move(fields)), recipe_(std::move(recipe)) { cost = 1e3; }
    const char* kind() const override { return kPrepareTask.name; }
    std::string name() const override { return "prepare " + text("option") + " " + text("identity"); }
    std::string output() const override {
        const std::string option = text("option");
        return "prepared/" + option.substr(option.rfind('.') + 1) + "." + text("identity") + ".h5";
    }
    std::vector<std::string> beside() const override { return {fs::path(output()).replace_extension(".sha256").string()}; }
    Json fields() const override { return fields_; }
    bool intermediate() const override { return true; }

    bool done(const SweepFolder& folder) const override { return cell_verifies(folder.place(output()), &folder.hashes()); }
    std::optional<bool> verifies(const SweepFolder& folder, FileHashes& hashes) const override {
        const fs::path file = folder.place(output());
        return fs::exists(file) ? std::optional(cell_verifies(file, &hashes)) : std::nullopt;
    }

    Json recipe(const RecipeBook&) const override { return recipe_; }
    Json recorded(const SweepFolder& folder) const override {
        return read_item_attributes(folder.place(output())).value("recipe", Json());
    }
    TaskWording wording() const override { return {.verb = "was prepared", .rows_option = text("option")}; }
    //! A damaged file is made anew.
    Verdict judge(OutputRecords& records, const Json& planned) const override {
        return done(records.folder()) ? Task::judge(records, planned) : Verdict{};
    }

    TaskOutcome run(Workplace& place, const std::function<bool()>&) const override {
        place.unload();
        const Problem problem = attempt([&] { make(place); });
        if (!problem) return {};
        if (!problem.agreed && place.group.size() > 1) throw Error(problem.message, problem.code);
        if (problem.code == ExitCode::stopped) return {.returned = true};
        if (place.group.root())
            log_root(LogLevel::warning, name() + ": " + problem.message + " (each task that needs these rows reads them itself)");
        return {.facts = {{"not_prepared", problem.message}}};
    }

private:
    std::string text(const char* field) const { return fields_.at(field); }

    //! Collective over the group.
    void make(Workplace& place) const {
        PrepareOptions options;
        std::unique_ptr<Tokenizer> tokenizer;
        std::unique_ptr<ChatTemplate> chat;
        on_root(place.group, [&] { place.require_planned(text("option")); });
        together(place.group, [&] {
            options = options_of(place.config, text("option"), fields_.at("trains"));
            const fs::path folder = text("tokenizer_folder");
            tokenizer = load_tokenizer(folder);
            EvaluateOptions evaluate;
            if (const std::string date = text("template_date"); !date.empty()) evaluate.template_date = date;
            chat = evaluation_template(folder, evaluate,
                                       {{"template", text("template")}, {"template_sha256", text("template_sha256")}});
            require(chat->sha256 == text("template_sha256"),
                    folder.string() + ": its chat template has changed since the sweep began; run the sweep again");
        });
        const Prepared prepared = prepare(place.group, options, *tokenizer, *chat);
        on_root(place.group, [&] {
            const Activity activity("writing the prepared rows");
            write_prepared(place.folder.place(output()), prepared, place.recipe_of(*this));
        });
    }

    Json fields_, recipe_;
};

std::shared_ptr<PrepareTask> task_of(const PlanBuilder& builder, const TextForm& form, const std::string& option, bool trains) {
    const PrepareOptions options = options_of(builder.config, option, trains);
    const Json recipe = {{"numerics", kNumerics},
                         {"files_sha256", builder.inputs->rows.at(option).files_sha256},
                         {"langs", sorted_languages(options.langs)},
                         {"tokenizer", form.tokenizer},
                         {"template", form.name},
                         {"template_sha256", form.sha256},
                         {"template_date", form.date},
                         {"max_length", options.max_length},
                         {"over_length", trains ? builder.config.train.over_length : builder.config.evaluate.over_length},
                         {"split", options.split},
                         {"part", options.part},
                         {"rows", options.forms.content()},
                         {"ties", options.keep_tied ? "keep" : "drop"},
                         {"rankings", options.rankings_too}};
    return std::make_shared<PrepareTask>(Json{{"option", option},
                                              {"trains", trains},
                                              {"tokenizer_folder", form.folder.string()},
                                              {"template", form.name},
                                              {"template_sha256", form.sha256},
                                              {"template_date", form.date},
                                              {"identity", recipe_sha256(recipe).substr(0, 16)}},
                                         recipe);
}

void add_preparation(PlanBuilder& builder, const Base& base, const std::optional<TextForm>& form, const std::string& option,
                     RowUse use) {
    if (!form || !builder.inputs->rows.at(option).selectable) return;
    const auto task = task_of(builder, *form, option, use == RowUse::training);
    // The same files under another option are the same rows.
    const std::string identity = task->fields().at("identity");
    for (const TaskPointer& other : builder.plan.tasks) {
        if (other->kind() == std::string(kPrepareTask.name) && other->fields().at("identity") == identity) {
            builder.prepared[prepared_key(base.name, option, use)] = other->output();
            return;
        }
    }
    builder.prepared[prepared_key(base.name, option, use)] = task->output();
    task->ranks = builder.config.ranks_per_cell;
    builder.add(task, {"world", form->made_here ? "tokenizer" : ""});
}

void add_all(PlanBuilder& builder) {
    if (builder.inputs == nullptr) return;
    const auto add_evaluations = [&](const Base& base, const std::optional<TextForm>& form, RowUse use) {
        for (const std::string& benchmark : builder.plan.benchmarks)
            add_preparation(builder, base, form, "data.eval." + benchmark, use);
    };
    for (const Base& base : builder.plan.bases) {
        add_preparation(builder, base, training_form(builder.config, *builder.inputs, base), "data.train", RowUse::training);
        add_evaluations(base, trained_form(builder.config, *builder.inputs, base), RowUse::trained);
        add_evaluations(base, own_form(builder.config, *builder.inputs, base), RowUse::own);
    }
    for (const Base& model : builder.plan.models) {
        if (!builder.config.is_judge(model.name))
            add_evaluations(model, own_form(builder.config, *builder.inputs, model), RowUse::own);
    }
}

}  // namespace

std::string prepared_key(const std::string& base, const std::string& option, RowUse use) {
    const char* uses[] = {"training", "trained", "own"};
    return base + " " + option + " " + uses[static_cast<int>(use)];
}

std::string prepared_there(const Workplace& place, const std::string& output) {
    const std::string file = output.empty() ? "" : place.folder.place(output).string();
    const bool there = place.group.root() && !file.empty() && fs::exists(file);
    return place.group.any(there) ? file : "";
}

const TaskKind kPrepareTask = {
    "prepare", "sets of rows to tokenise", add_all,
    [](const Json& json, const Plan&) -> std::shared_ptr<Task> { return std::make_shared<PrepareTask>(json); }};

}  // namespace xlrm
