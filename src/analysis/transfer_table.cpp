#include "xlrm/analysis/transfer_table.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "parallel_ratios.hpp"
#include "table_items.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/data/preference_row.hpp"
#include "xlrm/eval/benchmark.hpp"
#include "xlrm/store/cell_file.hpp"

namespace xlrm {

namespace {

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
    explicit Builder(const Grid& grid) : grid_(grid) {
        table_.targets = grid.targets;
        for (const GridSource& source : grid.sources) table_.sources.push_back(source.name);
    }

    TransferTable build() {
        for (const auto& [key, file] : grid_.floors) floors_[key] = read_floor(file);
        std::map<std::vector<std::string>, std::vector<const GridCell*>> columns;  // base, benchmark, target
        for (const GridCell& cell : grid_.cells) {
            if (!cell_verifies(cell.file, grid_.hashes))
                ++table_.missing;
            else if (!cell.source.empty() && has_scores(cell))
                columns[{cell.base, cell.benchmark, cell.target}].push_back(&cell);
        }
        for (const auto& [key, cells] : columns) add_column(key, cells);
        finish_entries();
        for (auto& [key, rows] : gains_) {
            table_.gains.push_back({key.first, key.second, clustered_mean(rows.gain, rows.cluster),
                                    clustered_mean(rows.model, rows.cluster), clustered_mean(rows.floor, rows.cluster),
                                    rows.cells});
        }
        sort_entries();
        table_.ratios = parallel_ratios(grid_);
        return std::move(table_);
    }

private:
    //! A trained model has; one that is given may be without a reward head.
    bool has_scores(const GridCell& cell) const {
        return cell.source != kGivenModel || read_cell_scores(cell.file, grid_.hashes).has_scores;
    }

    //! The cells of one base, benchmark and target, over the items that all of them have.
    void add_column(const std::vector<std::string>& key, const std::vector<const GridCell*>& places) {
        std::vector<CellScores> cells;
        std::set<ItemKey> common;
        std::set<ItemKey> any;
        for (const GridCell* place : places) {
            cells.push_back(read_cell_scores(place->file, grid_.hashes));
            const CellScores& cell = cells.back();
            if (cell.chosen.size() != cell.id.size())
                fail(place->file.string() + ": a trained model's cell without scores; remove it and run again");
            std::set<ItemKey> keys = keys_of(cell);
            any.insert(keys.begin(), keys.end());
            if (place == places.front())
                common = std::move(keys);
            else
                std::erase_if(common, [&](const ItemKey& item) { return !keys.contains(item); });
        }
        ItemsLeftOut left{key[0], key[1], key[2], 0, 0, 0, static_cast<std::int64_t>(any.size() - common.size()), 0};
        count_too_long(cells.front(), key[2], static_cast<std::int64_t>(cells.front().id.size()), &left);
        for (std::size_t i = 0; i < places.size(); ++i) {
            left.without_floor = std::max(left.without_floor, without_floor(*places[i], common));
            keep_common(cells[i], common);
            add_cell(*places[i], cells[i], left);
        }
        if (left.too_long + left.not_in_all + left.without_floor > 0) table_.left_out.push_back(left);
    }

    //! What the length limit left out of a cell: its own report says it.
    static void count_too_long(const CellScores& cell, const std::string& lang, std::int64_t kept, ItemsLeftOut* left) {
        const Json provenance = cell.attributes.value("xlrm_provenance", Json::object());
        const Json report =
            provenance.value("inputs", Json::object()).value("report", Json::object()).value(lang, Json::object());
        left->items = report.value("read", kept);
        left->too_long = left->items - kept;
        left->max_length = provenance.value("options", Json::object()).value("max_length", std::int64_t{0});
    }

    std::int64_t without_floor(const GridCell& place, const std::set<ItemKey>& common) {
        const FloorMap& floor = floors_[{place.source, place.benchmark}];
        const auto judged = floor.find(place.target);
        if (judged == floor.end()) return 0;
        return std::count_if(common.begin(), common.end(), [&](const ItemKey& item) { return !judged->second.contains(item); });
    }

    void add_cell(const GridCell& place, const CellScores& cell, const ItemsLeftOut& left) {
        const std::set<std::string> subsets(cell.subset.begin(), cell.subset.end());
        const bool split = subsets.size() > 1;
        entry(place, "").left_out = left.too_long + left.not_in_all;
        for (std::size_t i = 0; i < cell.id.size(); ++i) {
            const ItemKey item{cell.id[i], cell.occurrence[i]};
            for (const std::string& subset :
                 split ? std::vector<std::string>{"", cell.subset[i]} : std::vector<std::string>{""}) {
                TransferEntry& to = entry(place, subset);
                add(&to.seeds[place.seed], cell.chosen[i], cell.rejected[i]);
                items_[places_.at(key_of(place, subset))].insert(item);
            }
        }
        add_score(place, cell);
        add_gain(place, cell);
    }

    void add_score(const GridCell& place, const CellScores& cell) {
        const BenchmarkReport report = report_benchmark("auto", "auto", scored_items(cell));
        if (report.benchmark == "plain") return;
        TransferEntry& whole = entry(place, "");
        whole.rule = report.benchmark;
        whole.scores[place.seed] = report.mean();
    }

    void add_gain(const GridCell& place, const CellScores& cell) {
        const FloorMap& floor = floors_[{place.source, place.benchmark}];
        if (place.source == place.target || !floor.contains(place.target) || !is_single(place.source)) return;
        const Judged& judged = floor.at(place.target);
        GainRows& rows = gains_[{place.base, place.benchmark}];
        ++rows.cells;
        for (std::size_t i = 0; i < cell.id.size(); ++i) {
            const auto found = judged.find({cell.id[i], cell.occurrence[i]});
            if (found == judged.end()) continue;
            const double model = cell.chosen[i] > cell.rejected[i] ? 1.0 : 0.0;
            rows.model.push_back(model);
            rows.floor.push_back(found->second);
            rows.gain.push_back(model - found->second);
            rows.cluster.push_back(item_stem(cell.id[i]));
        }
    }

    bool is_single(const std::string& source) const {
        return std::ranges::any_of(grid_.sources, [&](const GridSource& s) { return s.name == source && s.single; });
    }

    static std::vector<std::string> key_of(const GridCell& place, const std::string& subset) {
        return {place.base, place.benchmark, subset, place.source, place.target};
    }

    TransferEntry& entry(const GridCell& place, const std::string& subset) {
        const auto [found, fresh] = places_.emplace(key_of(place, subset), table_.entries.size());
        if (fresh) {
            items_.emplace_back();
            positions_.push_back(&place - grid_.cells.data());
            TransferEntry entry;
            entry.base = place.base;
            entry.benchmark = place.benchmark;
            entry.subset = subset;
            entry.source = place.source;
            entry.target = place.target;
            table_.entries.push_back(std::move(entry));
        }
        return table_.entries[found->second];
    }

    void finish_entries() {
        for (std::size_t i = 0; i < table_.entries.size(); ++i) {
            TransferEntry& entry = table_.entries[i];
            for (auto& [seed, accuracy] : entry.seeds) {
                close(&accuracy);
                entry.pooled.items += accuracy.items;
                entry.pooled.correct += accuracy.correct;
                entry.pooled.ties += accuracy.ties;
            }
            close(&entry.pooled);
            fill_floor(items_[i], &entry);
        }
        for (TransferEntry& entry : table_.entries) {
            const auto own = places_.find({entry.base, entry.benchmark, entry.subset, entry.target, entry.target});
            entry.gap = own == places_.end() ? std::numeric_limits<double>::quiet_NaN()
                                             : entry.pooled.share() - table_.entries[own->second].pooled.share();
        }
    }

    //! Entries in the order of the grid.
    void sort_entries() {
        std::vector<std::size_t> order(table_.entries.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::ranges::stable_sort(order, {}, [&](std::size_t i) { return positions_[i]; });
        std::vector<TransferEntry> sorted;
        for (const std::size_t i : order) sorted.push_back(std::move(table_.entries[i]));
        table_.entries = std::move(sorted);
    }

    void fill_floor(const std::set<ItemKey>& items, TransferEntry* entry) {
        entry->floor = std::numeric_limits<double>::quiet_NaN();
        const FloorMap& floor = floors_[{entry->source, entry->benchmark}];
        const auto judged = floor.find(entry->target);
        if (judged == floor.end() || items.empty()) return;
        double right = 0.0;
        for (const ItemKey& item : items) {
            const auto found = judged->second.find(item);
            if (found == judged->second.end()) return;  // a floor of fewer items than the accuracy beside it says nothing
            right += found->second;
        }
        const auto count = static_cast<std::int64_t>(items.size());
        entry->floor = right / static_cast<double>(count);
        entry->floor_wilson = wilson_interval(static_cast<std::int64_t>(std::floor(right)), count);
    }

    const Grid& grid_;
    TransferTable table_;
    std::map<std::vector<std::string>, std::size_t> places_;
    std::vector<std::set<ItemKey>> items_;   //!< of each entry
    std::vector<std::ptrdiff_t> positions_;  //!< in the grid, of the first cell of each entry
    std::map<std::pair<std::string, std::string>, FloorMap> floors_;
    std::map<std::pair<std::string, std::string>, GainRows> gains_;
};

}  // namespace

double TransferEntry::score() const {
    double sum = 0.0;
    for (const auto& [seed, value] : scores) sum += value;
    return scores.empty() ? std::numeric_limits<double>::quiet_NaN() : sum / static_cast<double>(scores.size());
}

TransferTable build_table(const Grid& grid) { return Builder(grid).build(); }

}  // namespace xlrm
