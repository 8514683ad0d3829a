#include "xlrm/sweep/transfer_table.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/eval/benchmark.hpp"
#include "xlrm/stats/singular_ratio.hpp"
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
        add_ratios();
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

    //! f over items that every target has, for every model with last-token activations of its last layer.
    void add_ratios() {
        std::map<std::pair<std::string, std::string>, std::vector<const Task*>> cells;
        for (const Task& task : plan_.tasks) {
            if (task.kind == TaskKind::evaluate && cell_verifies(folder_.cell(task))) cells[{task.model(), task.benchmark}].push_back(&task);
        }
        for (const auto& [key, tasks] : cells) {
            if (tasks.size() == plan_.targets.size() && tasks.size() > 1) add_ratio(key.first, key.second, tasks);
        }
    }

    void add_ratio(const std::string& model, const std::string& benchmark, const std::vector<const Task*>& tasks) {
        std::map<std::string, std::vector<std::size_t>> rows;  // id → its row in each language
        std::vector<std::vector<float>> values;
        std::int64_t features = 0;
        for (const Task* task : tasks) {
            const CellScores cell = read_cell_scores(folder_.cell(*task));
            const std::map<std::string, std::vector<int>> layers = cell_layers(folder_.cell(*task));
            const auto last = layers.find("last");
            if (last == layers.end() || last->second.empty()) return;
            values.push_back(read_cell_activations(folder_.cell(*task), "last", last->second.back(), "chosen", &features));
            for (std::size_t i = 0; i < cell.id.size(); ++i) {
                std::vector<std::size_t>& places = rows[cell.id[i]];
                if (places.size() + 1 == values.size()) places.push_back(i);
            }
        }
        const std::size_t width = static_cast<std::size_t>(features);
        std::vector<std::vector<float>> aligned(values.size());
        std::int64_t items = 0;
        for (const auto& [id, places] : rows) {
            if (places.size() != values.size()) continue;
            ++items;
            for (std::size_t l = 0; l < values.size(); ++l) {
                const auto begin = values[l].begin() + static_cast<std::ptrdiff_t>(places[l] * width);
                aligned[l].insert(aligned[l].end(), begin, begin + static_cast<std::ptrdiff_t>(width));
            }
        }
        if (items == 0) return;
        RatioEntry entry{model, benchmark, items, {}};
        const std::vector<std::span<const float>> views(aligned.begin(), aligned.end());
        for (const RatioVariant variant : {RatioVariant::raw, RatioVariant::centred}) {
            double sum = 0.0;
            for (const double f : singular_ratios(views, items, features, variant)) sum += f;
            entry.mean[name_of(variant)] = sum / static_cast<double>(items);
        }
        table_.ratios.push_back(std::move(entry));
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
