#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "xlrm/sweep/folder.hpp"
#include "xlrm/sweep/plan.hpp"
#include "xlrm/sweep/task.hpp"

namespace xlrm {

//! A task that is a name: what schedules tasks needs no more.
class PlainTask : public Task {
public:
    PlainTask(std::string name, std::string model, double relative_cost, std::vector<int> needed)
        : name_(std::move(name)), model_(std::move(model)) {
        cost = relative_cost;
        needs = std::move(needed);
    }
    const char* kind() const override { return "plain"; }
    std::string name() const override { return name_; }
    std::string output() const override { return "outputs/" + name_; }
    Json fields() const override { return Json::object(); }
    std::string model() const override { return model_; }
    bool essential() const override { return all_need_it; }
    bool intermediate() const override { return serves_others; }
    bool derived() const override { return sums_up; }
    bool done(const SweepFolder& folder) const override { return std::filesystem::exists(folder.place(output())); }
    Json recipe(const RecipeBook&) const override { return {}; }
    Json recorded(const SweepFolder&) const override { return {}; }
    TaskOutcome run(Workplace&, const std::function<bool()>&) const override { return {}; }

    bool all_need_it = false, serves_others = false, sums_up = false;

private:
    std::string name_, model_;
};

inline std::shared_ptr<PlainTask> plain_task(const std::string& name, const std::string& model, double cost,
                                             const std::vector<int>& needs) {
    return std::make_shared<PlainTask>(name, model, cost, needs);
}

}  // namespace xlrm
