#include "xlrm/sweep/prepare_run.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/log.hpp"
#include "xlrm/sweep/check_inputs.hpp"
#include "xlrm/sweep/compare.hpp"
#include "xlrm/sweep/recipes.hpp"
#include "xlrm/sweep/task_options.hpp"

namespace xlrm {

namespace {

namespace fs = std::filesystem;

//! Options that may differ between runs of one folder: they change which cells there are, or nothing in them.
bool may_change(const std::string& name) {
    for (const char* free :
         {"sweep.bases", "sweep.sources", "sweep.targets", "sweep.seeds", "sweep.models", "sweep.noise-floor", "sweep.output",
          "sweep.pretrain-ranks", "sweep.device", "sweep.analysis", "sweep.report", "data.langs", "data.root",
          "train.checkpoint-every", "pretrain.checkpoint-every", "train.token-budget", "evaluate.token-budget"}) {
        if (name == free) return true;
    }
    return name.find('.') == std::string::npos || name.rfind("data.eval.", 0) == 0 || name.rfind("analyze.", 0) == 0 ||
           name.rfind("judge.", 0) == 0;  // what a judge's cells were made with they record
}

void require_same_options(const SweepFolder& folder, const Json& effective) {
    if (!fs::exists(folder.config())) return;
    const Json stored = read_json(folder.config());
    for (const auto& [name, value] : effective.items()) {
        if (may_change(name) || !stored.contains(name) || stored.at(name) == value) continue;
        fail(folder.root().string() + " holds a sweep with " + name + " = " + stored.at(name).dump() + ", now it is " +
                 value.dump() + " (its cells could not be compared); choose another --output, or give the same value",
             ExitCode::usage);
    }
}

//! Checks that the folder can be written; what had to be made for that is removed again.
void probe(const fs::path& folder) {
    std::vector<fs::path> made;
    for (fs::path at = fs::absolute(folder).lexically_normal(); !at.empty() && !fs::exists(at); at = at.parent_path()) {
        if (at.has_filename()) made.push_back(at);
    }
    const auto remove = [&] {
        std::error_code ignored;
        for (const fs::path& place : made) fs::remove(place, ignored);  // what another process has put there stays
    };
    try {
        require_writable(folder);
    } catch (...) {
        remove();
        throw;
    }
    remove();
}

//! A folder among the system's temporary files for the time of the checks.
class TemporaryPlace {
public:
    TemporaryPlace() {
        std::string name = (fs::temp_directory_path() / "xlrm-world-XXXXXX").string();
        require(::mkdtemp(name.data()) != nullptr, "cannot make a temporary folder " + name, ExitCode::io);
        path_ = name;
    }
    ~TemporaryPlace() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    TemporaryPlace(const TemporaryPlace&) = delete;
    TemporaryPlace& operator=(const TemporaryPlace&) = delete;
    const fs::path& path() const { return path_; }

private:
    fs::path path_;
};

//! The plan's inputs as if they had been read from `to`.
void move_inputs(Json& inputs, const fs::path& from, const fs::path& to) {
    for (auto& [option, input] : inputs.items()) {
        if (!input.contains("files")) continue;
        for (Json& file : input.at("files")) {
            const fs::path path = file.at("path").get<std::string>();
            if (path.parent_path() == from) file["path"] = (to / path.filename()).string();
        }
    }
}

PreparedRun checked(const SweepConfig& config, const SweepFolder& folder) {
    PreparedRun run;
    run.inputs = check_inputs(config, folder);
    run.plan = make_plan(config, &run.inputs);
    add_recipes(run.plan, config, folder, run.inputs);
    return run;
}

// Whether the world there is the one asked for; another one gives way when the sweep starts.
bool holds_world(const SweepConfig& config, const SweepFolder& folder) {
    if (!fs::exists(folder.world())) return false;
    const fs::path recipe = folder.world() / "recipe.json";
    return !fs::exists(recipe) || read_json(recipe) == world_recipe(config);
}

// [judge] as xlrm_judge would have it; without judges it says nothing.
void check_given_judge(const Options& options, const SweepConfig& config) {
    if (config.judges.empty()) {
        const Json all = options.effective();
        for (const auto& [name, value] : all.items()) {
            if (name.starts_with("judge.") && options.given(name))
                fail("--" + name + " is given, but no judge; name those of [sweep] models that judge in [judge] models",
                     ExitCode::usage);
        }
        return;
    }
    JudgeJob judge = config.judge;
    judge.prompt = config.data_path(judge.prompt).string();
    check_given(options, judge);
}

void name_unused(const SweepConfig& config) {
    const std::vector<Base> bases = config.base_list();
    if (!config.makes_base() || std::any_of(bases.begin(), bases.end(), [](const Base& base) { return base.folder.empty(); }))
        return;
    log_root(LogLevel::info, "every base is given, so [tokenizer], [model] and [pretrain] are not used");
}

}  // namespace

PreparedRun prepare_run(const Options& options, const SweepConfig& config, const SweepFolder& folder) {
    config.check();
    check_given(options, "train", config.train);
    check_given(options, "pretrain", config.pretrain);
    check_given(options, "evaluate", config.evaluate);
    check_given_judge(options, config);
    probe(folder.root());
    name_unused(config);
    SweepConfig read = config;
    PreparedRun run;
    if (config.world.empty() || holds_world(config, folder)) {
        use_world(read, folder.world());
        run = checked(read, folder);
    } else {
        const TemporaryPlace place;
        write_world_files(config, place.path());
        use_world(read, place.path());
        run = checked(read, folder);
        move_inputs(run.plan.inputs, place.path(), fs::absolute(folder.world()).lexically_normal());
    }
    run.comparison = compare_outputs(folder, run.plan);
    // What does not say what it comes from is only known by the options that the folder was made with.
    if (!run.comparison.unknown.empty()) require_same_options(folder, options.effective());
    warn_of_unrecorded(folder, run.comparison);
    return run;
}

}  // namespace xlrm
