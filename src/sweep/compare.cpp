#include "xlrm/sweep/compare.hpp"

#include <algorithm>
#include <map>

#include "output_records.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/log.hpp"
#include "xlrm/sweep/inputs.hpp"

namespace xlrm {

namespace {

std::string joined(const std::vector<std::string>& names, std::size_t most) {
    std::string list;
    for (std::size_t i = 0; i < std::min(most, names.size()); ++i) list += (i == 0 ? "" : ", ") + names[i];
    return list + (names.size() > most ? ", … (" + std::to_string(names.size()) + " in all)" : "");
}

class Comparer {
public:
    Comparer(const SweepFolder& folder, const Plan& plan) : folder_(folder), plan_(plan), records_(folder, plan) {}

    Comparison compare() {
        result_.planned = !plan_.recipes.empty();
        for (const TaskPointer& task : plan_.tasks) {
            const std::string there = task->found(folder_);
            if (!there.empty()) judge(*task, there);
        }
        return std::move(result_);
    }

private:
    void judge(const Task& task, const std::string& output) {
        Verdict verdict = records_.judge(task);
        if (verdict.agrees != Verdict::no && task.derived()) follow(task, &verdict);
        if (verdict.agrees == Verdict::unknown) result_.unknown.push_back(output);
        if (verdict.agrees == Verdict::by_provenance) result_.by_provenance.push_back(output);
        if (verdict.agrees != Verdict::no) return;
        const Difference::Output entry{output, records_.identity(task), task.beside()};
        const auto needed = verdict.through.empty() ? places_.end() : places_.find(verdict.through);
        if (needed != places_.end()) {
            result_.differences[needed->second].outputs.push_back(entry);
            places_[output] = needed->second;
            return;
        }
        places_[output] = result_.differences.size();
        result_.differences.push_back({output, verdict.what, verdict.rename, {entry}});
    }

    //! What is derived differs through the first of what it needs that does.
    void follow(const Task& task, Verdict* verdict) const {
        for (const int need : task.needs) {
            const std::string& output = plan_.task(need).output();
            if (!places_.contains(output)) continue;
            *verdict = {Verdict::no, "comes from results that are made anew", "", output};
            return;
        }
    }

    const SweepFolder& folder_;
    const Plan& plan_;
    OutputRecords records_;
    Comparison result_;
    std::map<std::string, std::size_t> places_;  //!< output that differs → the difference that it is counted under
};

std::string advice(const Difference& difference) {
    const std::string them = difference.dependents() > 0 ? "them" : "it";
    if (difference.rename.empty()) return "move " + them + " away, or choose another --output";
    return "move " + them + " away, or give the " + difference.rename + " another name";
}

}  // namespace

Comparison compare_outputs(const SweepFolder& folder, const Plan& plan) { return Comparer(folder, plan).compare(); }

std::string format_differences(const Comparison& comparison, std::size_t most) {
    std::string text;
    for (std::size_t i = 0; i < std::min(most, comparison.differences.size()); ++i) {
        const Difference& difference = comparison.differences[i];
        text += difference.output + " " + difference.what;
        if (difference.dependents() > 0)
            text += ", and " + std::to_string(difference.dependents()) +
                    (difference.dependents() == 1 ? " result comes from it" : " results come from it");
        text += "; " + advice(difference) + "\n";
    }
    if (comparison.differences.size() > most) text += "and " + std::to_string(comparison.differences.size() - most) + " more\n";
    return text;
}

std::string format_unrecorded(const Comparison& comparison) {
    std::string text;
    const auto add = [&](const std::vector<std::string>& outputs, const std::string& what) {
        if (!outputs.empty())
            text += joined(outputs, 6) + (outputs.size() > 1 ? ": record" : ": records") +
                    " no recipe (made by an earlier version); " + what + "\n";
    };
    if (!comparison.planned)
        return "plan.json names no recipes (made by an earlier version), so only the weights of cells are compared\n";
    add(comparison.by_provenance, "what is recorded of options, input files and weights agrees");
    add(comparison.unknown,
        "nothing recorded says what they were made of, so they are taken as they are; move them away to have them made anew");
    return text;
}

Comparison require_same_results(const SweepFolder& folder, const Plan& plan) {
    Comparison comparison = compare_outputs(folder, plan);
    std::erase_if(comparison.differences, [&](const Difference& difference) {
        const int task = plan.index_of(difference.output);
        return task >= 0 && plan.task(task).derived();
    });
    if (comparison.differences.empty()) return comparison;
    const std::string text = format_differences(comparison);
    fail(folder.root().string() + " holds other results than its plan says (run the sweep again: it makes them anew):\n" +
         text.substr(0, text.size() - 1));
}

void warn_of_unrecorded(const SweepFolder& folder, const Comparison& comparison) {
    const std::string text = format_unrecorded(comparison);
    if (!text.empty()) log_root(LogLevel::warning, folder.root().string() + ": " + text.substr(0, text.size() - 1));
}

void require_same_inputs(const SweepFolder& folder, const Plan& plan) {
    const std::vector<std::string> changed = changed_inputs(plan.inputs, folder.hashes());
    if (changed.empty()) return;
    std::string text;
    for (const std::string& change : changed) text += "\n" + change;
    fail(folder.root().string() +
         " holds results of what its inputs were, which have changed since (give the earlier ones back, or run the sweep on the "
         "new " +
         "ones in another folder):" + text);
}

}  // namespace xlrm
