#include "xlrm/sweep/status.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include "xlrm/core/progress.hpp"
#include "xlrm/store/ledger.hpp"
#include "xlrm/sweep/compare.hpp"
#include "xlrm/sweep/inputs.hpp"

namespace xlrm {

namespace {

struct LedgerView {
    std::map<std::string, std::string> failures;  //!< task → reason of its last failure
    std::set<std::string> running;
    double seconds = 0.0;
    std::int64_t timed = 0;
};

LedgerView read_ledger(const SweepFolder& folder) {
    LedgerView view;
    for (const Json& entry : Ledger(folder.ledger()).read()) {
        const std::string event = entry.value("event", "");
        const std::string task = entry.value("task", "");
        if (event == "started")
            view.running.insert(task);
        else
            view.running.erase(task);
        if (event == "failed") view.failures[task] = entry.value("reason", "");
        if (event == "done") {
            view.failures.erase(task);
            view.seconds += entry.value("seconds", 0.0);
            ++view.timed;
        }
    }
    return view;
}

//! Which of the tasks that are left wait for an intermediate output: where all of them have failed, it is not asked for.
std::vector<bool> wanted_tasks(const Plan& plan, const std::vector<bool>& done, const LedgerView& ledger) {
    std::vector<bool> wanted(plan.tasks.size(), false);
    for (std::size_t i = plan.tasks.size(); i-- > 0;) {
        const Task& task = *plan.tasks[i];
        wanted[i] = wanted[i] || (!task.intermediate() && !done[i]);
        if (!wanted[i] || done[i] || ledger.failures.contains(task.name())) continue;
        for (const int need : task.needs) wanted[static_cast<std::size_t>(need)] = true;
    }
    return wanted;
}

//! A derived output is done with what there is where all else that it needs has failed.
void settle_derived(const SweepFolder& folder, const Plan& plan, const LedgerView& ledger, std::vector<bool>* done) {
    std::vector<bool> failed(done->size(), false);  // by itself, or with what it needs
    for (std::size_t i = 0; i < done->size(); ++i) {
        const Task& task = *plan.tasks[i];
        const auto has = [&](const std::vector<bool>& state, int need) {
            return static_cast<bool>(state[static_cast<std::size_t>(need)]);
        };
        if ((*done)[i]) continue;
        failed[i] = ledger.failures.contains(task.name()) ||
                    (!task.derived() && std::ranges::any_of(task.needs, [&](int need) { return has(failed, need); }));
        if (!task.derived()) continue;
        const bool settled = std::ranges::all_of(task.needs, [&](int need) { return has(*done, need) || has(failed, need); });
        (*done)[i] = settled && task.done(folder);
    }
}

}  // namespace

Json sweep_status(const SweepFolder& folder) {
    const Plan plan = folder.read_plan();
    std::vector<bool> done = folder.done(plan);
    folder.hashes().save();
    const LedgerView ledger = read_ledger(folder);
    const std::vector<bool> wanted = wanted_tasks(plan, done, ledger);
    for (std::size_t i = 0; i < done.size(); ++i) done[i] = done[i] || !wanted[i];
    settle_derived(folder, plan, ledger, &done);
    Json status = {{"cells", plan.tasks.size()}, {"done", 0}, {"failed", 0}, {"running", 0}, {"left", 0}};
    Json kinds = Json::object();
    Json failures = Json::object();
    for (std::size_t i = 0; i < plan.tasks.size(); ++i) {
        const std::string name = plan.tasks[i]->name();
        const bool failed = !done[i] && ledger.failures.contains(name);
        const char* state = done[i] ? "done" : failed ? "failed" : ledger.running.contains(name) ? "running" : "left";
        if (failed) failures[name] = ledger.failures.at(name);
        status[state] = status[state].get<int>() + 1;
        Json& kind = kinds.emplace(plan.tasks[i]->kind(), Json::object()).first.value();
        kind[state] = kind.value(state, 0) + 1;
    }
    const bool complete = status["done"] == status["cells"];
    const bool settled = status["done"].get<int>() + status["failed"].get<int>() == status["cells"].get<int>();
    status["state"] = complete ? "done" : settled ? "some-failed" : "resumable";
    status["kinds"] = kinds;
    status["failures"] = failures;
    if (ledger.timed > 0) status["seconds_a_cell"] = ledger.seconds / static_cast<double>(ledger.timed);
    return status;
}

std::string format_status(const Json& status) {
    std::string out = "kind         done  failed  running     left\n";
    char line[160];
    for (const auto& [kind, counts] : status.at("kinds").items()) {
        std::snprintf(line, sizeof line, "%-10s %6d  %6d  %7d  %7d\n", kind.c_str(), counts.value("done", 0),
                      counts.value("failed", 0), counts.value("running", 0), counts.value("left", 0));
        out += line;
    }
    for (const auto& [task, reason] : status.at("failures").items()) out += task + " failed: " + reason.get<std::string>() + "\n";
    out += "state: " + status.at("state").get<std::string>();
    if (status.contains("seconds_a_cell")) out += ", " + format_duration(status.at("seconds_a_cell")) + " a task";
    return out + "\n";
}

ExitCode status_code(const Json& status) {
    const std::string state = status.at("state");
    return state == "done" ? ExitCode::done : state == "some-failed" ? ExitCode::some_failed : ExitCode::stopped;
}

ExitCode verify_folder(const SweepFolder& folder) {
    const Plan plan = folder.read_plan();
    FileHashes fresh;  // every byte is read
    int damaged = 0;
    int whole = 0;
    for (const TaskPointer& task : plan.tasks) {
        const std::optional<bool> verifies = task->verifies(folder, fresh);
        if (!verifies) continue;
        ++(*verifies ? whole : damaged);
        if (!*verifies)
            std::printf("damaged: %s (its SHA-256 is missing or differs); the next run computes it again\n",
                        folder.place(task->output()).c_str());
    }
    const Comparison comparison = compare_outputs(folder, plan);
    std::printf("%s", format_differences(comparison, comparison.differences.size()).c_str());
    const std::vector<std::string> changed = changed_inputs(plan.inputs, folder.hashes());
    for (const std::string& change : changed) std::printf("%s\n", change.c_str());
    std::printf("%s", format_unrecorded(comparison).c_str());
    std::printf("%d files verify, %d are damaged\n", whole, damaged);
    std::printf("%zu results come from other content than the plan says, %zu inputs have changed since\n",
                comparison.differences.size(), changed.size());
    folder.hashes().save();
    return damaged == 0 && comparison.differences.empty() && changed.empty() ? ExitCode::done : ExitCode::failure;
}

}  // namespace xlrm
