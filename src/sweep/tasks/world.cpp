// The synthetic world's data, where [data] world asks for them.
#include "kinds.hpp"
#include "made_folder.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/core/log.hpp"
#include "xlrm/sweep/recipes.hpp"
#include "xlrm/sweep/task_options.hpp"
#include "xlrm/sweep/workplace.hpp"

namespace xlrm {
namespace {

class WorldTask : public Task {
public:
    WorldTask() { cost = 1e6; }  // all else waits for it
    const char* kind() const override { return kWorldTask.name; }
    std::string name() const override { return "world"; }
    std::string output() const override { return "world"; }
    Json fields() const override { return Json::object(); }
    bool essential() const override { return true; }
    bool done(const SweepFolder& folder) const override { return std::filesystem::exists(folder.world()); }
    Json recipe(const RecipeBook& book) const override { return world_recipe(book.config); }
    Json recorded(const SweepFolder& folder) const override { return recorded_in_folder(folder.world()); }

    TaskOutcome run(Workplace& place, const std::function<bool()>&) const override {
        on_root(place.group, [&] {
            const Activity activity("writing the synthetic world");
            const std::filesystem::path target = place.folder.world();
            log_root(LogLevel::info, "writing the synthetic world (" + place.config.world + ") to " + target.string());
            make_folder(target, place.recipe_of(*this), [&](const auto& beside) { write_world_files(place.config, beside); });
        });
        return {};
    }
};

}  // namespace

const TaskKind kWorldTask = {"world", "synthetic worlds to write",
                             [](PlanBuilder& builder) {
                                 if (!builder.config.world.empty()) builder.add(std::make_shared<WorldTask>(), {});
                             },
                             [](const Json&, const Plan&) -> std::shared_ptr<Task> { return std::make_shared<WorldTask>(); }};

}  // namespace xlrm
