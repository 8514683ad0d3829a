// A cell of a judge: a language model that is given ready (`[judge] models`) says which answers of one benchmark in one target
// language are better. It reads the rows themselves.
#include "xlrm/eval/judge.hpp"
#include "../estimate.hpp"
#include "../output_records.hpp"
#include "kinds.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/log.hpp"
#include "xlrm/store/cell_file.hpp"
#include "xlrm/sweep/recipes.hpp"
#include "xlrm/sweep/task_options.hpp"
#include "xlrm/sweep/workplace.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

class JudgeTask : public Task {
public:
    JudgeTask(std::string model, std::string benchmark, std::string target)
        : model_(std::move(model)), benchmark_(std::move(benchmark)), target_(std::move(target)) {}
    const char* kind() const override { return kJudgeTask.name; }
    std::string name() const override { return "judge " + model_ + " " + benchmark_ + "." + target_; }
    std::string output() const override { return stem() + ".h5"; }
    std::vector<std::string> beside() const override {
        return {stem() + ".sha256", stem() + ".run.json", stem() + ".replies.jsonl", stem() + ".replies.jsonl.run.json"};
    }
    std::string model() const override { return model_; }
    //! Those of a cell that is evaluated, which the analysis reads.
    Json fields() const override {
        return {{"base", model_}, {"source", ""}, {"benchmark", benchmark_}, {"target", target_}, {"seed", 0}, {"given", true}};
    }

    bool done(const SweepFolder& folder) const override { return cell_verifies(folder.place(output()), &folder.hashes()); }
    std::optional<bool> verifies(const SweepFolder& folder, FileHashes& hashes) const override {
        const fs::path file = folder.place(output());
        return fs::exists(file) ? std::optional(cell_verifies(file, &hashes)) : std::nullopt;
    }

    Json recipe(const RecipeBook& book) const override {
        const JudgePrompt prompt = JudgePrompt::read(book.config.data_path(book.config.judge.prompt));
        return {{"numerics", kNumerics},
                {"options", judging_content(book.config.judge, prompt.form())},
                {"prompt", prompt.sha256()},
                {"rows_sha256", book.rows(rows_option(), {book.config.target_language(target_)})},
                {"model", book.model(model_)}};
    }
    Json recorded(const SweepFolder& folder) const override {
        return read_cell_attributes(folder.place(output())).value("xlrm_provenance", Json::object()).value("recipe", Json());
    }

    TaskWording wording() const override {
        return {.verb = "was judged",
                .rename = "benchmark",
                .rows_option = rows_option(),
                .defaults = judging_content(JudgeJob(), JudgeForm::pair),
                .needed = {{"model", {"was judged by another model than " + model_ + " is now", "models/" + model_}}}};
    }

    //! Also: it was judged with the weights that its model has. A damaged cell is made anew.
    Verdict judge(OutputRecords& records, const Json& planned) const override {
        if (!done(records.folder())) return {};
        Verdict verdict = Task::judge(records, planned);
        const std::string now = records.weights(model_);
        const Json attributes = read_cell_attributes(records.folder().place(output()));
        if (verdict.agrees == Verdict::no || now.empty() || attributes.value("model_sha256", "") == now) return verdict;
        return {Verdict::no, "was judged with other weights than model " + model_ + " holds now (replaced)", "model",
                "models/" + model_};
    }

    TaskOutcome run(Workplace& place, const std::function<bool()>& stop) const override {
        place.unload();
        const Json recipe = place.recipe_of(*this);
        on_root(place.group, [&] {
            place.require_planned(rows_option());
            require(JudgePrompt::read(place.config.data_path(place.config.judge.prompt)).sha256() == recipe.at("prompt"),
                    place.config.judge.prompt + ": the prompt has changed since the sweep began; run the sweep again");
            begin(place.folder, recipe);
        });
        Json facts = Json::object();  // on the root
        const auto finish = [&](Cell& cell) {
            cell.provenance["recipe"] = recipe;
            cell.model = model_;
            facts = told(cell.provenance.at("judge"));
        };
        const JudgeCaller caller{finish, stop};
        const JobEnd end = run_judge(place.group, job_of(place.config, place.folder), &caller);
        if (end.code == ExitCode::stopped) return {.returned = true};
        on_root(place.group, [&] { fs::remove(begun(place.folder)); });
        return {.facts = std::move(facts)};
    }

    void add_to(Grid& grid, const SweepFolder& folder) const override {
        grid.cells.push_back({model_, kGivenModel, model_, benchmark_, target_, 0, folder.place(output())});
    }

    //! The texts once for each order, and the longest replies.
    TaskWork estimate(const EstimateBook& book) const override {
        const std::string lang = book.config.target_language(target_);
        const auto rows = static_cast<double>(book.volume(rows_option(), lang).rows);
        const JudgeJob& job = book.config.judge;
        const double orders = job.orders.starts_with("both") ? 2.0 : 1.0;
        const double replies = orders * rows * static_cast<double>(job.votes * job.generate.max_new_tokens);
        return {orders * book.pass_flops(book.size(model_), rows_option(), lang) + 2.0 * book.size(model_).parameters * replies,
                0.0};
    }

private:
    std::string stem() const { return "cells/" + model_ + "/" + benchmark_ + "." + target_; }
    std::string rows_option() const { return "data.eval." + benchmark_; }
    //! Says what the replies of an unfinished run are of.
    fs::path begun(const SweepFolder& folder) const { return folder.place(stem() + ".judging.json"); }

    //! For the ledger, what the tables do not show: replies, those without a verdict, items that are left out.
    Json told(const Json& judge) const {
        std::int64_t replies = 0, unparsed = 0, left_out = judge.value("left_out", std::int64_t{0});
        for (const auto& [lang, counts] : judge.at("counts").items()) {
            replies += counts.at("replies").get<std::int64_t>();
            unparsed += counts.at("unparsed").at("count").get<std::int64_t>();
            left_out += counts.at("missing").get<std::int64_t>();
        }
        const auto warn = [&](std::int64_t count, const char* what) {
            if (count > 0) log_root(LogLevel::warning, name() + ": " + std::to_string(count) + what);
        };
        warn(left_out, " items are left out: too long for the model, or not of the prompt's form");
        warn(unparsed == replies ? unparsed : 0, " replies, and none has a verdict that the parser reads");
        return {{"replies", replies}, {"unparsed", unparsed}, {"left_out", left_out}};
    }

    //! Replies of an unfinished run that was of other content are of no use.
    void begin(const SweepFolder& folder, const Json& recipe) const {
        const fs::path note = begun(folder);
        fs::create_directories(note.parent_path());
        if (fs::exists(note) && read_json(note) == recipe) return;
        const std::string parts = folder.place(stem() + ".replies.jsonl.part").filename().string();
        std::vector<fs::path> old;
        for (const auto& entry : fs::directory_iterator(note.parent_path()))
            if (entry.path().filename().string().starts_with(parts)) old.push_back(entry.path());
        for (const fs::path& part : old) fs::remove(part);
        write_file_atomic(note, recipe.dump(1) + "\n");
    }

    JudgeJob job_of(const SweepConfig& config, const SweepFolder& folder) const {
        JudgeJob job = config.judge;
        job.prompt = config.data_path(job.prompt).string();
        for (const fs::path& file : config.data_paths(config.benchmarks.at(benchmark_))) job.data.push_back(file.string());
        job.langs = {config.target_language(target_)};
        job.output = folder.place(output()).string();
        job.generate.model = base_folder(config, folder, model_).string();
        job.generate.forms = config.forms;
        job.generate.split = config.split;
        job.generate.part = config.split.empty() ? "" : "test";
        job.generate.device = config.device;
        return job;
    }

    std::string model_, benchmark_, target_;
};

}  // namespace

const TaskKind kJudgeTask = {"judge", "cells to judge",
                             [](PlanBuilder& builder) {
                                 for (const Base& model : builder.plan.models) {
                                     if (!builder.config.is_judge(model.name)) continue;
                                     for (const std::string& benchmark : builder.plan.benchmarks) {
                                         for (const std::string& target : builder.plan.targets) {
                                             auto task = std::make_shared<JudgeTask>(model.name, benchmark, target);
                                             task->ranks = builder.config.ranks_per_cell;
                                             builder.add(task, {"world"});
                                         }
                                     }
                                 }
                             },
                             [](const Json& json, const Plan&) -> std::shared_ptr<Task> {
                                 return std::make_shared<JudgeTask>(json.at("base"), json.at("benchmark"), json.at("target"));
                             }};

}  // namespace xlrm
