// A cell: a model that is trained here, a base, or a model that is given, on one benchmark in one target language.
#include <chrono>

#include "../estimate.hpp"
#include "../output_records.hpp"
#include "kinds.hpp"
#include "prepare.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/eval/evaluator.hpp"
#include "xlrm/store/cell_file.hpp"
#include "xlrm/sweep/recipes.hpp"
#include "xlrm/sweep/task_options.hpp"
#include "xlrm/sweep/workplace.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

struct CellPlace {
    std::string base = {}, source = {}, benchmark = {}, target = {};
    std::int64_t seed = 0;
    bool given = false;        //!< a model that is given ready, of the name `base`
    bool noise_floor = false;  //!< a base in bf16 beside its own cells in fp32: what rounding alone moves
};

class EvaluateTask : public Task {
public:
    EvaluateTask(CellPlace cell, std::string prepared) : cell_(std::move(cell)), prepared_(std::move(prepared)) {}
    const char* kind() const override { return kEvaluateTask.name; }
    std::string name() const override { return "evaluate " + cell_model() + " " + cell_.benchmark + "." + cell_.target; }
    std::string output() const override { return "cells/" + cell_model() + "/" + cell_.benchmark + "." + cell_.target + ".h5"; }
    std::vector<std::string> beside() const override {
        const std::string stem = output().substr(0, output().size() - 3);
        return {stem + ".sha256", stem + ".run.json"};
    }
    std::string model() const override { return model_name(cell_.base, cell_.source, cell_.seed); }
    Json fields() const override {
        Json fields = {{"base", cell_.base}, {"source", cell_.source}, {"benchmark", cell_.benchmark}, {"target", cell_.target},
                       {"seed", cell_.seed}, {"given", cell_.given},   {"prepared", prepared_}};
        if (cell_.noise_floor) fields["noise_floor"] = true;
        return fields;
    }

    bool done(const SweepFolder& folder) const override { return cell_verifies(folder.place(output()), &folder.hashes()); }
    std::optional<bool> verifies(const SweepFolder& folder, FileHashes& hashes) const override {
        const fs::path file = folder.place(output());
        return fs::exists(file) ? std::optional(cell_verifies(file, &hashes)) : std::nullopt;
    }

    Json recipe(const RecipeBook& book) const override {
        return {{"numerics", kNumerics},
                {"options", content_of(evaluation(book.config))},
                {"rows_sha256", book.rows("data.eval." + cell_.benchmark, {book.config.target_language(cell_.target)})},
                {"model", book.model(model())}};
    }
    Json recorded(const SweepFolder& folder) const override {
        const Json provenance = read_cell_attributes(folder.place(output())).value("xlrm_provenance", Json::object());
        return provenance.contains("recipe") ? provenance.at("recipe") : provenance;
    }

    TaskWording wording() const override {
        return {.verb = "was evaluated",
                .rename = "benchmark",
                .rows_option = "data.eval." + cell_.benchmark,
                .defaults = content_of(EvaluateOptions{}),
                .needed = {{"model", {"was evaluated with another model than " + model() + " is now", "models/" + model()}}}};
    }

    //! Also: it was computed with the weights that its model has.
    Verdict judge(OutputRecords& records, const Json& planned) const override {
        const fs::path file = records.folder().place(output());
        if (!done(records.folder())) return {};  // damaged: it is made anew
        const Json attributes = read_cell_attributes(file);
        const Json provenance = attributes.value("xlrm_provenance", Json::object());
        Verdict verdict;
        if (planned.is_null()) {
            verdict.agrees = Verdict::unknown;
        } else if (provenance.contains("recipe")) {
            verdict = records.compare(provenance.at("recipe"), planned, wording());
        } else {
            const Json inputs = provenance.value("inputs", Json::object());
            verdict = records.compare_provenance(provenance.value("options", Json::object()),
                                                 inputs.value("input_sha256", Json()), planned, wording());
        }
        const std::string now = records.weights(model());
        if (verdict.agrees == Verdict::no || now.empty() || attributes.value("model_sha256", "") == now) return verdict;
        const std::string place = cell_.given            ? "model " + cell_.base
                                  : cell_.source.empty() ? "base " + cell_.base
                                                         : "models/" + model();
        return {Verdict::no, "was evaluated with other weights than " + place + " holds now (trained again, or replaced)",
                cell_.given ? "model" : "base", "models/" + model()};
    }

    TaskOutcome run(Workplace& place, const std::function<bool()>&) const override {
        const auto start = std::chrono::steady_clock::now();
        load(place);
        const std::vector<fs::path> data = place.config.data_paths(place.config.benchmarks.at(cell_.benchmark));
        const auto finish = [&](Cell& cell) {
            const Activity activity("writing the cell");
            place.require_planned("data.eval." + cell_.benchmark);
            cell.provenance["recipe"] = place.recipe_of(*this);
            cell.model = cell_model();
            if (!cell_.given) {  // a given model says itself what it was trained on
                cell.source_lang = cell_.source;
                cell.seed = cell_.seed;
            }
            const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
            Json facts = run_facts(place.group, seconds, place.config.device);
            facts.update(place.evaluator->exactness());
            write_cell(place.folder.place(output()), cell, facts);
        };
        place.evaluator->evaluate(place.group, data, {place.config.target_language(cell_.target)}, finish,
                                  prepared_there(place, prepared_));
        return {};
    }

    void add_to(Grid& grid, const SweepFolder& folder) const override {
        (cell_.noise_floor ? grid.noise_floor : grid.cells)
            .push_back({cell_.base, cell_.given ? kGivenModel : cell_.source, cell_model(), cell_.benchmark, cell_.target,
                        cell_.seed, folder.place(output())});
    }

    TaskWork estimate(const EstimateBook& book) const override {
        const BaseSize& size = book.size(cell_.base);
        const std::string option = "data.eval." + cell_.benchmark;
        const std::string lang = book.config.target_language(cell_.target);
        const auto rows = static_cast<double>(book.volume(option, lang).rows);
        return {book.pass_flops(size, option, lang), 2.0 * rows * size.stored_bytes_a_text};
    }

private:
    //! The name that its cell has: the model's, or of a noise floor one beside it.
    std::string cell_model() const { return model() + (cell_.noise_floor ? kNoiseFloor : ""); }
    EvaluateOptions evaluation(const SweepConfig& config) const {
        EvaluateOptions options = evaluation_of(config);
        if (cell_.noise_floor) options.dtype = "bf16";
        return options;
    }

    void load(Workplace& place) const {
        if (place.loaded == cell_model()) return;
        place.unload();
        together(place.group, [&] {
            const Activity activity("loading the model");
            const fs::path folder =
                cell_.source.empty() ? base_folder(place.config, place.folder, cell_.base) : place.folder.model(model());
            place.evaluator = std::make_unique<Evaluator>(folder, evaluation(place.config));
        });
        place.loaded = cell_model();
    }

    CellPlace cell_;
    std::string prepared_;  //!< output of the prepare task of its rows; "" = it reads them itself
};

void add_cells(PlanBuilder& builder, const CellPlace& model, RowUse use) {
    for (const std::string& benchmark : builder.plan.benchmarks) {
        const std::string prepared = builder.prepared[prepared_key(model.base, "data.eval." + benchmark, use)];
        for (const std::string& target : builder.plan.targets) {
            CellPlace cell = model;
            cell.benchmark = benchmark;
            cell.target = target;
            auto task = std::make_shared<EvaluateTask>(cell, prepared);
            task->ranks = builder.config.ranks_per_cell;
            builder.add(task, {"world", "models/" + task->model(), prepared});
        }
    }
}

}  // namespace

const TaskKind kEvaluateTask = {
    "evaluate", "cells to evaluate",
    [](PlanBuilder& builder) {
        for (const Base& base : builder.plan.bases) {
            for (const std::int64_t seed : builder.plan.seeds) {
                for (const Source& source : builder.plan.sources)
                    add_cells(builder, {.base = base.name, .source = source.name, .seed = seed}, RowUse::trained);
            }
            add_cells(builder, {.base = base.name}, RowUse::own);
            if (builder.config.noise_floor) add_cells(builder, {.base = base.name, .noise_floor = true}, RowUse::own);
        }
        for (const Base& model : builder.plan.models) {
            if (!builder.config.is_judge(model.name)) add_cells(builder, {.base = model.name, .given = true}, RowUse::own);
        }
    },
    [](const Json& json, const Plan&) -> std::shared_ptr<Task> {
        return std::make_shared<EvaluateTask>(CellPlace{.base = json.at("base"),
                                                        .source = json.at("source"),
                                                        .benchmark = json.at("benchmark"),
                                                        .target = json.at("target"),
                                                        .seed = json.at("seed"),
                                                        .given = json.value("given", false),
                                                        .noise_floor = json.value("noise_floor", false)},
                                              json.value("prepared", ""));
    }};

}  // namespace xlrm
