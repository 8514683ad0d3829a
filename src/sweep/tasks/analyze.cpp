// The analysis of all cells (xlrm/analysis/analyze.hpp), on all ranks once every cell is there or has failed. What it is of it
// records itself, in summary.json: its options, and the hash of each cell and floor.
#include <algorithm>
#include <map>

#include "../output_records.hpp"
#include "kinds.hpp"
#include "xlrm/analysis/analyze.hpp"
#include "xlrm/sweep/recipes.hpp"
#include "xlrm/sweep/workplace.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

class AnalyzeTask : public Task {
public:
    //! `results`: outputs that it sums up.
    AnalyzeTask(Json options, std::vector<std::string> parts, std::vector<std::string> results)
        : options_(std::move(options)), parts_(std::move(parts)), results_(std::move(results)) {
        ranks = kAllRanks;
    }
    const char* kind() const override { return kAnalyzeTask.name; }
    std::string name() const override { return "analyze"; }
    std::string output() const override { return "analysis"; }
    //! The report that was drawn of it.
    std::vector<std::string> beside() const override { return {"report.html"}; }
    Json fields() const override { return {{"options", options_}, {"parts", parts_}, {"results", results_}}; }
    bool derived() const override { return true; }

    //! Whether it is of the results that are there, all of them and no others (but for what was imported).
    bool done(const SweepFolder& folder) const override {
        const Json summary = summary_of(folder);
        if (summary.is_null() || options_of(summary) != planned_options()) return false;
        std::map<std::string, std::string> here;
        for (const std::string& result : results_) {
            const fs::path file = folder.place(result);
            if (fs::exists(file)) here[result] = folder.hashes().sha256(file);
        }
        std::map<std::string, std::string> there;
        for (const auto& [file, hash] : summary.at("files").items())
            if (!file.starts_with(kImported)) there[file] = hash.get<std::string>();
        const Json& parts = summary.at("parts");
        const auto is_done = [&](const auto& part) { return parts.value(part, "") == "done"; };
        return there == here && std::ranges::all_of(parts_.empty() ? analysis_parts() : parts_, is_done);
    }
    std::string found(const SweepFolder& folder) const override { return summary_of(folder).is_null() ? "" : output(); }

    Json recipe(const RecipeBook& book) const override {
        Json recipe = planned_options();
        for (const std::string& result : results_) recipe["results"][result] = book.needed(result);
        return recipe;
    }
    Json recorded(const SweepFolder& folder) const override {
        const Json summary = summary_of(folder);
        if (summary.is_null()) return {};
        Json record = options_of(summary);
        record["files"] = summary.at("files");
        return record;
    }
    TaskWording wording() const override { return {.verb = "was made"}; }

    //! What is added to the grid is analysed beside what is there; a result that has changed, or is gone, makes it another's.
    Verdict judge(OutputRecords& records, const Json&) const override {
        const Json there = recorded(records.folder());
        Verdict verdict = records.compare(there, planned_options(), wording());
        if (verdict.agrees == Verdict::no) return verdict;
        for (const auto& [result, hash] : there.at("files").items()) {
            if (std::ranges::find(results_, result) == results_.end()) continue;
            const fs::path file = records.folder().place(result);
            if (!fs::exists(file)) return {Verdict::no, "was made with " + result + ", which is gone", "", ""};
            if (records.folder().hashes().sha256(file) != hash)
                return {Verdict::no, "was made with another " + result + " than is there", "", ""};
        }
        return verdict;
    }

    TaskOutcome run(Workplace& place, const std::function<bool()>& stop) const override {
        place.unload();
        analyze_folder(place.group, place.config.analyze, place.folder.root(), stop);
        return {};
    }

private:
    //! Null where there is none, or one of an earlier version, which does not say what it is of.
    static Json summary_of(const SweepFolder& folder) {
        const fs::path file = folder.place("analysis/summary.json");
        if (!fs::exists(file)) return {};
        Json summary = read_json(file);
        return summary.contains("files") && summary.contains("options") && summary.contains("parts") ? summary : Json();
    }
    static Json options_of(const Json& summary) {
        return {{"numerics", summary.value("numerics", 0)}, {"options", summary.at("options")}};
    }
    Json planned_options() const { return {{"numerics", kAnalysisNumerics}, {"options", options_}}; }

    Json options_;
    std::vector<std::string> parts_, results_;
};

void add(PlanBuilder& builder) {
    if (builder.config.analysis != "yes") return;
    std::vector<std::string> results;
    for (const TaskPointer& task : builder.plan.tasks) {
        const std::string kind = task->kind();
        if (kind == kEvaluateTask.name || kind == kJudgeTask.name || kind == kFloorTask.name) results.push_back(task->output());
    }
    builder.add(std::make_shared<AnalyzeTask>(content_of(builder.config.analyze), builder.config.analyze.parts, results),
                results);
}

}  // namespace

const TaskKind kAnalyzeTask = {"analyze", "analysis of all cells", add,
                               [](const Json& json, const Plan&) -> std::shared_ptr<Task> {
                                   return std::make_shared<AnalyzeTask>(json.at("options"), json.at("parts"), json.at("results"));
                               }};

}  // namespace xlrm
