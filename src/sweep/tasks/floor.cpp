// The surface-feature baseline of one source on one benchmark (surface_floor.hpp): all targets in one file, each with its recipe.
// It reads the texts of the rows, so there is none where a file holds prepared items.
#include <algorithm>

#include "../output_records.hpp"
#include "kinds.hpp"
#include "xlrm/analysis/surface_floor.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/sweep/recipes.hpp"
#include "xlrm/sweep/task_options.hpp"
#include "xlrm/sweep/workplace.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

//! Rows of `langs` (as PrepareOptions::langs) in part `part` ("" = all) of the files.
PrepareOptions rows_of(const SweepConfig& config, const std::vector<std::string>& files, const std::vector<std::string>& langs,
                       const std::string& part) {
    PrepareOptions options;
    options.inputs = config.data_paths(files);
    options.langs = langs;
    options.forms = config.forms;
    options.split = config.split;
    options.part = config.split.empty() ? "" : part;
    return options;
}

FloorRequest request_of(const SweepConfig& config, const Source& source, const std::string& benchmark) {
    FloorRequest request{source.name, benchmark, rows_of(config, config.train_files, source.langs, "train"), {}};
    for (const std::string& target : config.target_list()) {
        request.targets.push_back(
            {target, rows_of(config, config.benchmarks.at(benchmark), {config.target_language(target)}, "test")});
    }
    return request;
}

class FloorTask : public Task {
public:
    FloorTask(std::string source, std::string benchmark, std::vector<std::string> targets)
        : source_(std::move(source)), benchmark_(std::move(benchmark)), targets_(std::move(targets)) {
        cost = 0.1;
    }
    const char* kind() const override { return kFloorTask.name; }
    std::string name() const override { return "floor " + source_ + " " + benchmark_; }
    std::string output() const override { return "floors/" + source_ + "." + benchmark_ + ".json"; }
    Json fields() const override { return {{"source", source_}, {"benchmark", benchmark_}, {"targets", targets_}}; }

    bool done(const SweepFolder& folder) const override {
        const fs::path file = folder.place(output());
        if (!fs::exists(file)) return false;
        const Json targets = read_json(file).at("targets");
        return std::ranges::all_of(targets_, [&](const std::string& target) { return targets.contains(target); });
    }

    Json recipe(const RecipeBook& book) const override {
        const std::vector<std::string> langs = sorted_languages(source_of(book.config, source_).langs);
        Json recipe = Json::object();
        for (const std::string& target : targets_) {
            recipe[target] = {{"numerics", kNumerics},
                              {"langs", langs},
                              {"train_sha256", book.rows("data.train", langs)},
                              {"rows_sha256", book.rows("data.eval." + benchmark_, {book.config.target_language(target)})}};
        }
        return recipe;
    }

    Json recorded(const SweepFolder& folder) const override {
        Json targets;
        const fs::path file = folder.place(output());
        if (!fs::exists(file)) return targets;
        const Json entries = read_json(file).value("targets", Json::object());
        for (const auto& [target, entry] : entries.items()) {
            if (entry.contains("recipe")) targets[target] = entry.at("recipe");
        }
        return targets;
    }

    TaskWording wording() const override {
        return {.verb = "was measured", .rename = "benchmark", .rows_option = "data.eval." + benchmark_};
    }

    Verdict judge(OutputRecords& records, const Json& planned) const override {
        if (planned.is_null()) return {.agrees = Verdict::unknown};
        const Json targets = read_json(records.folder().place(output())).at("targets");
        Verdict verdict;
        for (const auto& [target, here] : planned.items()) {
            if (!targets.contains(target)) continue;  // to be measured
            if (!targets.at(target).contains("recipe")) {
                verdict.agrees = Verdict::unknown;
                continue;
            }
            Verdict found = records.compare(targets.at(target).at("recipe"), here, wording());
            if (found.agrees == Verdict::yes) continue;
            found.what += " (target " + target + ")";
            return found;
        }
        return verdict;
    }

    TaskOutcome run(Workplace& place, const std::function<bool()>&) const override {
        on_root(place.group, [&] {
            const Activity activity("measuring the surface floor");
            place.require_planned("data.train");
            place.require_planned("data.eval." + benchmark_);
            Json floor = surface_floor(request_of(place.config, source_of(place.config, source_), benchmark_));
            const Json recipe = place.recipe_of(*this);
            for (auto& [target, entry] : floor.at("targets").items()) entry["recipe"] = recipe.at(target);
            const fs::path file = place.folder.place(output());
            if (fs::exists(file)) floor.at("targets").update(read_json(file).at("targets"));  // what it has stays as it is
            write_file_atomic(file, floor.dump(1) + "\n");
        });
        return {};
    }

    void add_to(Grid& grid, const SweepFolder& folder) const override {
        grid.floors[{source_, benchmark_}] = folder.place(output());
    }

private:
    std::string source_, benchmark_;
    std::vector<std::string> targets_;
};

bool has_texts(const std::vector<std::string>& files) {
    return std::ranges::none_of(files, [](const std::string& file) { return is_prepared_file(file); });
}

}  // namespace

const TaskKind kFloorTask = {
    "floor", "floors",
    [](PlanBuilder& builder) {
        for (const Source& source : builder.plan.sources) {
            for (const std::string& benchmark : builder.plan.benchmarks) {
                const auto files = builder.config.benchmarks.find(benchmark);
                const bool texts = files == builder.config.benchmarks.end() || has_texts(files->second);
                if (!texts || !has_texts(builder.config.train_files)) continue;
                builder.add(std::make_shared<FloorTask>(source.name, benchmark, builder.plan.targets), {"world"});
            }
        }
    },
    [](const Json& json, const Plan& plan) -> std::shared_ptr<Task> {
        return std::make_shared<FloorTask>(json.at("source"), json.at("benchmark"), json.value("targets", plan.targets));
    }};

}  // namespace xlrm
