#include "score_set.hpp"

#include <algorithm>
#include <set>

#include "categories.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/data/preference_row.hpp"
#include "xlrm/eval/benchmark.hpp"
#include "xlrm/store/cell_file.hpp"

namespace xlrm {

namespace {

//! The common items of a target's cells, and how many any has.
struct CommonItems {
    std::set<ItemKey> items;
    std::int64_t any = 0;
};

CommonItems common_items(const std::vector<CellScores>& cells) {
    CommonItems common;
    std::set<ItemKey> any;
    for (std::size_t c = 0; c < cells.size(); ++c) {
        std::set<ItemKey> keys = keys_of(cells[c]);
        any.insert(keys.begin(), keys.end());
        if (c == 0)
            common.items = std::move(keys);
        else
            std::erase_if(common.items, [&](const ItemKey& item) { return !keys.contains(item); });
    }
    common.any = std::ssize(any);
    return common;
}

//! The rows of a cell in the order of the items' keys, so that cells of other orders agree.
std::vector<std::size_t> ascending_rows(const CellScores& cell) {
    std::vector<std::size_t> rows(cell.id.size());
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = i;
    std::ranges::sort(rows, {}, [&](std::size_t i) { return std::pair(cell.id[i], cell.occurrence[i]); });
    return rows;
}

ModelScores model_scores(const GridCell& place, const CellScores& cell, const std::string& rule) {
    ModelScores model{place.source, place.model, place.seed, {}, {}, {}, {}, 0, 0.0};
    const std::vector<ScoredItem> items = scored_items(cell);
    const TiePolicy own = default_ties(rule);
    for (const std::size_t row : ascending_rows(cell)) {
        const double margin = static_cast<double>(cell.chosen[row]) - static_cast<double>(cell.rejected[row]);
        model.margin.push_back(margin);
        model.right.push_back(credit(items[row], TiePolicy::loss));
        model.half.push_back(credit(items[row], TiePolicy::half));
        model.worth.push_back(credit(items[row], own));
        model.ties += cell.chosen[row] == cell.rejected[row] ? 1 : 0;
    }
    model.score = score_benchmark(rule, own, items).total;
    return model;
}

class Reader {
public:
    Reader(const Grid& grid, const std::string& base, const std::string& benchmark, bool refuse, Statements* statements)
        : grid_(grid), refuse_(refuse), statements_(statements) {
        set_.base = base;
        set_.benchmark = benchmark;
    }

    ScoreSet read() {
        std::set<std::string> seen;
        for (const GridSource& source : grid_.sources) set_.single[source.name] = source.single;
        for (const std::string& target : grid_.targets) read_target(target);
        for (const GridSource& source : grid_.sources) {
            const bool has_cells =
                std::ranges::any_of(set_.targets, [&](const TargetScores& target) { return !target.of(source.name).empty(); });
            if (has_cells) set_.sources.push_back(source.name);
            const auto floor = grid_.floors.find({source.name, set_.benchmark});
            if (has_cells && floor != grid_.floors.end()) set_.floors[source.name] = read_floor(floor->second);
        }
        const auto has_given = [](const TargetScores& target) { return !target.of(kGivenModel).empty(); };
        if (std::ranges::any_of(set_.targets, has_given)) set_.sources.emplace_back(kGivenModel);
        set_.strata = strata_of();
        return std::move(set_);
    }

private:
    void state(const std::string& code, const std::string& target, const std::string& text) {
        statements_->push_back({code, set_.base + " " + set_.benchmark + (target.empty() ? "" : "." + target), text});
    }

    void read_target(const std::string& target) {
        std::vector<const GridCell*> places;
        std::vector<CellScores> cells;
        for (const GridCell& cell : grid_.cells) {
            if (cell.base != set_.base || cell.benchmark != set_.benchmark || cell.target != target || cell.source.empty())
                continue;
            CellScores scores = read_cell_scores(cell.file, grid_.hashes);
            if (!scores.has_scores) continue;  // a model that is given without a reward head
            places.push_back(&cell);
            cells.push_back(std::move(scores));
        }
        if (places.empty()) return;
        const CommonItems common = common_items(cells);
        TargetScores scores;
        scores.target = target;
        scores.left_out = common.any - std::ssize(common.items);
        if (scores.left_out > 0) {
            const std::string text = std::to_string(scores.left_out) + " of " + std::to_string(common.any) +
                                     " items that not every cell of this target has";
            if (refuse_)
                fail(set_.base + " " + set_.benchmark + "." + target + ": " + text +
                     " (--items refuse); evaluate the cells on the same data, or leave them out with --items intersect");
            state("items_left_out", target, text + " are left out of everything that compares its models");
        }
        if (common.items.empty()) {
            state("no_common_items", target, "the cells have no item in common, so the target is left out");
            return;
        }
        for (CellScores& cell : cells) keep_common(cell, common.items);
        add_items(cells.front(), &scores);
        for (std::size_t c = 0; c < cells.size(); ++c) scores.models.push_back(model_scores(*places[c], cells[c], scores.rule));
        set_.targets.push_back(std::move(scores));
    }

    void add_items(const CellScores& cell, TargetScores* scores) {
        scores->rule = recognised_benchmark(scored_items(cell));
        const std::set<std::string> subsets(cell.subset.begin(), cell.subset.end());
        scores->subsets.assign(subsets.begin(), subsets.end());
        std::int64_t repeated = 0;
        std::vector<std::int64_t> sizes(subsets.size(), 0);
        for (const std::size_t row : ascending_rows(cell)) {
            scores->items.emplace_back(cell.id[row], cell.occurrence[row]);
            repeated += cell.occurrence[row] > 0 ? 1 : 0;
            const auto subset = std::ranges::lower_bound(scores->subsets, cell.subset[row]) - scores->subsets.begin();
            scores->subset.push_back(static_cast<std::size_t>(subset));
            ++sizes[static_cast<std::size_t>(subset)];
            const auto [cluster, fresh] = clusters_.try_emplace(item_stem(cell.id[row]), set_.clusters.size());
            if (fresh) set_.clusters.push_back(cluster->first);
            scores->cluster.push_back(cluster->second);
            scores->length_difference.push_back(cell.chosen_tokens[row] - cell.rejected_tokens[row]);
        }
        // Cells of other tools do not say them; a text has a token at least.
        if (std::ranges::all_of(cell.chosen_tokens, [](std::int32_t tokens) { return tokens == 0; }))
            scores->length_difference.clear();
        scores->categories = categories_of(scores->rule, scores->subsets, sizes);
        if (repeated > 0)
            state("repeated_ids", scores->target,
                  std::to_string(repeated) +
                      " items have an id that an earlier one has; they count as items of their own (id and "
                      "occurrence) in one cluster");
        if (scores->items.size() < 4)
            state("too_few_items", scores->target,
                  "only " + std::to_string(scores->items.size()) + " items: intervals and tests say next to nothing");
        for (std::size_t s = 0; s < sizes.size(); ++s) {
            if (sizes[s] == 1 && sizes.size() > 1)
                state("category_of_one_item", scores->target,
                      "subset " + scores->subsets[s] + " has one item, so its score has no interval");
        }
    }

    //! Clusters whose items lie in the same subsets, over all targets, are one stratum, in order of appearance.
    std::vector<std::int32_t> strata_of() const {
        std::vector<std::set<std::string>> profiles(set_.clusters.size());
        for (const TargetScores& target : set_.targets) {
            for (std::size_t i = 0; i < target.items.size(); ++i)
                profiles[target.cluster[i]].insert(target.subsets[target.subset[i]]);
        }
        std::map<std::set<std::string>, std::int32_t> numbers;
        std::vector<std::int32_t> strata;
        for (const auto& profile : profiles)
            strata.push_back(numbers.try_emplace(profile, static_cast<std::int32_t>(numbers.size())).first->second);
        return strata;
    }

    const Grid& grid_;
    bool refuse_;
    Statements* statements_;
    ScoreSet set_;
    std::map<std::string, std::size_t> clusters_;
};

}  // namespace

const ModelScores* TargetScores::find(const std::string& source, std::int64_t seed) const {
    for (const ModelScores& model : models)
        if (model.source == source && model.seed == seed) return &model;
    return nullptr;
}

std::vector<const ModelScores*> TargetScores::of(const std::string& source) const {
    std::vector<const ModelScores*> found;
    for (const ModelScores& model : models)
        if (model.source == source) found.push_back(&model);
    return found;
}

std::int64_t TargetScores::cluster_count() const { return std::ssize(std::set<std::size_t>(cluster.begin(), cluster.end())); }

const TargetScores* ScoreSet::find(const std::string& target) const {
    for (const TargetScores& scores : targets)
        if (scores.target == target) return &scores;
    return nullptr;
}

ScoreSet read_scores(const Grid& grid, const std::string& base, const std::string& benchmark, bool refuse_differences,
                     Statements* statements) {
    return Reader(grid, base, benchmark, refuse_differences, statements).read();
}

std::vector<std::pair<std::string, std::string>> score_sets(const Grid& grid) {
    std::vector<std::pair<std::string, std::string>> sets;
    for (const GridCell& cell : grid.cells) {
        const std::pair key(cell.base, cell.benchmark);
        if (!cell.source.empty() && std::ranges::find(sets, key) == sets.end()) sets.push_back(key);
    }
    return sets;
}

}  // namespace xlrm
