#include "xlrm/sweep/transfer_table.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "parallel_ratios.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/eval/benchmark.hpp"
#include "xlrm/store/cell_file.hpp"
#include "xlrm/store/index.hpp"
#include "xlrm/text/preference_row.hpp"

namespace xlrm {

namespace {

//! Right (1), wrong (0), or half for an undecided floor, of every item of one language.
struct Judged {
    std::vector<std::string> id, subset;
    std::vector<double> right;
};

using FloorMap = std::map<std::string, Judged>;  //!< target → judged

FloorMap read_floor(const std::filesystem::path& path) {
    FloorMap floor;
    if (!std::filesystem::exists(path)) return floor;
    const Json json = read_json(path);
    for (const auto& [target, entry] : json.at("targets").items()) {
        floor[target] = {entry.at("id"), entry.at("subset"), entry.at("right")};
    }
    return floor;
}

void add(Accuracy* accuracy, float chosen, float rejected) {
    ++accuracy->items;
    accuracy->correct += chosen > rejected ? 1 : 0;
    accuracy->ties += chosen == rejected ? 1 : 0;
}

void close(Accuracy* accuracy) {
    if (accuracy->items > 0) accuracy->wilson = wilson_interval(accuracy->correct, accuracy->items);
}

//! Item-wise values of the pooled off-diagonal comparison of one base and benchmark.
struct GainRows {
    std::vector<double> gain, model, floor;
    std::vector<std::string> cluster;
    std::int64_t cells = 0;
};

class Builder {
public:
    Builder(const SweepFolder& folder, const Plan& plan) : folder_(folder), plan_(plan) {
        table_.targets = plan.targets;
        for (const Source& source : plan.sources) table_.sources.push_back(source.name);
    }

    TransferTable build() {
        for (const Task& task : plan_.tasks) {
            if (task.kind == TaskKind::floor) floors_[{task.source, task.benchmark}] = read_floor(folder_.floor(task));
        }
        for (const Task& task : plan_.tasks) {
            if (task.kind != TaskKind::evaluate) continue;
            if (!cell_verifies(folder_.cell(task))) ++table_.missing;
            else if (!task.source.empty()) add_cell(task);
        }
        finish_entries();
        for (auto& [key, rows] : gains_) {
            table_.gains.push_back({key.first, key.second, clustered_mean(rows.gain, rows.cluster), clustered_mean(rows.model, rows.cluster),
                                    clustered_mean(rows.floor, rows.cluster), rows.cells});
        }
        table_.ratios = parallel_ratios(folder_, plan_);
        return std::move(table_);
    }

private:
    void add_cell(const Task& task) {
        const CellScores cell = read_cell_scores(folder_.cell(task));
        if (cell.chosen.size() != cell.id.size()) fail(folder_.cell(task).string() + ": a trained model's cell without scores; remove it and run again");
        std::set<std::string> subsets(cell.subset.begin(), cell.subset.end());
        const bool split = subsets.size() > 1;
        for (std::size_t i = 0; i < cell.id.size(); ++i) {
            add(&entry(task, "").seeds[task.seed], cell.chosen[i], cell.rejected[i]);
            if (split) add(&entry(task, cell.subset[i]).seeds[task.seed], cell.chosen[i], cell.rejected[i]);
        }
        add_score(task, cell);
        add_gain(task, cell);
    }

    void add_score(const Task& task, const CellScores& cell) {
        const BenchmarkReport report = report_benchmark("auto", "auto", scored_items(cell));
        if (report.benchmark == "plain") return;
        TransferEntry& whole = entry(task, "");
        whole.rule = report.benchmark;
        whole.scores[task.seed] = report.mean();
    }

    void add_gain(const Task& task, const CellScores& cell) {
        const FloorMap& floor = floors_[{task.source, task.benchmark}];
        if (task.source == task.target || !floor.contains(task.target) || !is_single(task.source)) return;
        const Judged& judged = floor.at(task.target);
        GainRows& rows = gains_[{task.base, task.benchmark}];
        ++rows.cells;
        std::map<std::string, double> right;
        for (std::size_t i = 0; i < judged.id.size(); ++i) right[judged.id[i]] = judged.right[i];
        for (std::size_t i = 0; i < cell.id.size(); ++i) {
            const auto found = right.find(cell.id[i]);
            if (found == right.end()) continue;
            const double model = cell.chosen[i] > cell.rejected[i] ? 1.0 : 0.0;
            rows.model.push_back(model);
            rows.floor.push_back(found->second);
            rows.gain.push_back(model - found->second);
            rows.cluster.push_back(item_stem(cell.id[i]));
        }
    }

    bool is_single(const std::string& source) const {
        return std::any_of(plan_.sources.begin(), plan_.sources.end(), [&](const Source& s) { return s.name == source && s.langs.size() == 1; });
    }

    TransferEntry& entry(const Task& task, const std::string& subset) {
        const std::vector<std::string> key = {task.base, task.benchmark, subset, task.source, task.target};
        const auto [found, fresh] = places_.emplace(key, table_.entries.size());
        if (fresh) {
            TransferEntry entry;
            entry.base = task.base;
            entry.benchmark = task.benchmark;
            entry.subset = subset;
            entry.source = task.source;
            entry.target = task.target;
            table_.entries.push_back(std::move(entry));
        }
        return table_.entries[found->second];
    }

    void finish_entries() {
        for (TransferEntry& entry : table_.entries) {
            for (auto& [seed, accuracy] : entry.seeds) {
                close(&accuracy);
                entry.pooled.items += accuracy.items;
                entry.pooled.correct += accuracy.correct;
                entry.pooled.ties += accuracy.ties;
            }
            close(&entry.pooled);
            fill_floor(&entry);
        }
        for (TransferEntry& entry : table_.entries) {
            const auto own = places_.find({entry.base, entry.benchmark, entry.subset, entry.target, entry.target});
            entry.gap = own == places_.end() ? std::numeric_limits<double>::quiet_NaN()
                                             : entry.pooled.share() - table_.entries[own->second].pooled.share();
        }
    }

    void fill_floor(TransferEntry* entry) {
        entry->floor = std::numeric_limits<double>::quiet_NaN();
        const FloorMap& floor = floors_[{entry->source, entry->benchmark}];
        const auto found = floor.find(entry->target);
        if (found == floor.end()) return;
        double right = 0.0;
        std::int64_t items = 0;
        for (std::size_t i = 0; i < found->second.right.size(); ++i) {
            if (!entry->subset.empty() && found->second.subset[i] != entry->subset) continue;
            right += found->second.right[i];
            ++items;
        }
        if (items == 0) return;
        entry->floor = right / static_cast<double>(items);
        entry->floor_wilson = wilson_interval(static_cast<std::int64_t>(std::floor(right)), items);
    }

    const SweepFolder& folder_;
    const Plan& plan_;
    TransferTable table_;
    std::map<std::vector<std::string>, std::size_t> places_;
    std::map<std::pair<std::string, std::string>, FloorMap> floors_;
    std::map<std::pair<std::string, std::string>, GainRows> gains_;
};

}  // namespace

double TransferEntry::score() const {
    double sum = 0.0;
    for (const auto& [seed, value] : scores) sum += value;
    return scores.empty() ? std::numeric_limits<double>::quiet_NaN() : sum / static_cast<double>(scores.size());
}

TransferTable build_table(const SweepFolder& folder, const Plan& plan) { return Builder(folder, plan).build(); }

void write_tables(const SweepFolder& folder, const Plan& plan) {
    const TransferTable table = build_table(folder, plan);
    write_file_atomic(folder.table("txt"), format_text(table));
    write_file_atomic(folder.table("md"), format_markdown(table));
    write_file_atomic(folder.table("csv"), format_csv(table));
    write_index(folder.index(), collect_index(folder.root()));
}

}  // namespace xlrm
