#include "xlrm/sweep/status.hpp"

#include <cstdio>
#include <map>
#include <set>

#include "xlrm/core/progress.hpp"
#include "xlrm/store/cell_file.hpp"
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

const char* kind_of(const Task& task) {
    return task.kind == TaskKind::floor ? "floor" : task.kind == TaskKind::train ? "train" : "evaluate";
}

}  // namespace

Json sweep_status(const SweepFolder& folder) {
    const Plan plan = folder.read_plan();
    const std::vector<bool> done = folder.done(plan);
    folder.hashes().save();
    const LedgerView ledger = read_ledger(folder);
    Json status = {{"cells", plan.tasks.size()}, {"done", 0}, {"failed", 0}, {"running", 0}, {"left", 0}};
    Json kinds = Json::object();
    Json failures = Json::object();
    for (std::size_t i = 0; i < plan.tasks.size(); ++i) {
        const std::string name = plan.tasks[i].name();
        const bool failed = !done[i] && ledger.failures.contains(name);
        const char* state = done[i] ? "done" : failed ? "failed" : ledger.running.contains(name) ? "running" : "left";
        if (failed) failures[name] = ledger.failures.at(name);
        status[state] = status[state].get<int>() + 1;
        Json& kind = kinds.emplace(kind_of(plan.tasks[i]), Json::object()).first.value();
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
    if (status.contains("seconds_a_cell")) out += ", " + format_duration(status.at("seconds_a_cell")) + " a cell";
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
    for (const Task& task : plan.tasks) {
        if (task.kind != TaskKind::evaluate || !std::filesystem::exists(folder.cell(task))) continue;
        if (cell_verifies(folder.cell(task), &fresh)) {
            ++whole;
        } else {
            ++damaged;
            std::printf("damaged: %s (its SHA-256 is missing or differs); the next run computes it again\n",
                        folder.cell(task).c_str());
        }
    }
    const Comparison comparison = compare_outputs(folder, plan);
    std::printf("%s", format_differences(comparison, comparison.differences.size()).c_str());
    const std::vector<std::string> changed = changed_inputs(plan.inputs, folder.hashes());
    for (const std::string& change : changed) std::printf("%s\n", change.c_str());
    std::printf("%s", format_unrecorded(comparison).c_str());
    std::printf("%d cells verify, %d are damaged\n", whole, damaged);
    std::printf("%zu results come from other content than the plan says, %zu inputs have changed since\n",
                comparison.differences.size(), changed.size());
    folder.hashes().save();
    return damaged == 0 && comparison.differences.empty() && changed.empty() ? ExitCode::done : ExitCode::failure;
}

}  // namespace xlrm
