#include <map>

#include "parts.hpp"
#include "xlrm/stats/kappa.hpp"
#include "xlrm/stats/rank_correlation.hpp"

namespace xlrm {

namespace {

//! One model's verdicts on the items that two targets share.
struct Parallel {
    PairedCounts counts;
    std::vector<double> first, second;  //!< margins
};

Parallel parallel_items(const TargetScores& a, const TargetScores& b, const ModelScores& one, const ModelScores& two) {
    std::map<ItemKey, std::size_t> places;
    for (std::size_t j = 0; j < b.items.size(); ++j) places[b.items[j]] = j;
    Parallel result;
    for (std::size_t i = 0; i < a.items.size(); ++i) {
        const auto found = places.find(a.items[i]);
        if (found == places.end()) continue;
        const bool x = one.right[i] > 0.5, y = two.right[found->second] > 0.5;
        ++(x ? (y ? result.counts.both : result.counts.first) : (y ? result.counts.second : result.counts.neither));
        result.first.push_back(one.margin[i]);
        result.second.push_back(two.margin[found->second]);
    }
    return result;
}

//! Items that every English model answers rightly and no model of the target's own.
void add_english_only(const PartInput& input, ResultTable& table) {
    for (const TargetScores& target : input.set.targets) {
        const auto english = target.of(input.english), own = target.of(target.target);
        if (target.target == input.english || english.empty() || own.empty()) continue;
        for (std::size_t i = 0; i < target.items.size(); ++i) {
            bool alone = true;
            for (const ModelScores* model : english) alone = alone && model->right[i] > 0.5;
            for (const ModelScores* model : own) alone = alone && model->right[i] < 0.5;
            if (alone)
                table.add({input.set.base, input.set.benchmark, target.target, target.items[i].first,
                           static_cast<std::int64_t>(target.items[i].second), target.subsets[target.subset[i]]});
        }
    }
}

}  // namespace

std::vector<ResultTable> language_tables() {
    return {{"languages",
             "One model in two languages: agreement on parallel items",
             "Items with the same id (and occurrence) in both targets. kappa_correctness: Cohen's kappa of right / wrong; "
             "kappa_order: "
             "2·agreement − 1; spearman: of the margins. Translated items agree more than natural ones would.",
             {{"base", ColumnKind::text},
              {"benchmark", ColumnKind::text},
              {"source", ColumnKind::text},
              {"seed", ColumnKind::count},
              {"first_target", ColumnKind::text},
              {"second_target", ColumnKind::text},
              {"items", ColumnKind::count},
              {"agreement", ColumnKind::share},
              {"kappa_correctness", ColumnKind::number},
              {"kappa_order", ColumnKind::number},
              {"spearman", ColumnKind::number}},
             {}},
            {"english_only",
             "Items that only English gets right",
             "Items of a target that the models trained on English answer rightly at every seed, and those trained on the target "
             "at none.",
             {{"base", ColumnKind::text},
              {"benchmark", ColumnKind::text},
              {"target", ColumnKind::text},
              {"id", ColumnKind::text},
              {"occurrence", ColumnKind::count},
              {"subset", ColumnKind::text}},
             {}}};
}

void add_languages(const PartInput& input, std::vector<ResultTable>& tables) {
    const auto& targets = input.set.targets;
    for (const std::string& source : input.set.sources) {
        for (std::size_t a = 0; a < targets.size(); ++a) {
            for (std::size_t b = a + 1; b < targets.size(); ++b) {
                for (const ModelScores* one : targets[a].of(source)) {
                    const ModelScores* two = targets[b].find(source, one->seed);
                    if (two == nullptr) continue;
                    const Parallel items = parallel_items(targets[a], targets[b], *one, *two);
                    const std::int64_t count = items.counts.items();
                    const Estimate share = count == 0 ? Estimate(Undefined::no_items)
                                                      : Estimate(static_cast<double>(items.counts.both + items.counts.neither) /
                                                                 static_cast<double>(count));
                    tables[0].add({input.set.base, input.set.benchmark, source, one->seed, targets[a].target, targets[b].target,
                                   count, share, kappa_of_correctness(items.counts), kappa_of_order(items.counts),
                                   spearman(items.first, items.second)});
                }
            }
        }
    }
    add_english_only(input, tables[1]);
}

}  // namespace xlrm
