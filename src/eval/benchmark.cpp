#include "xlrm/eval/benchmark.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "benchmark_rules.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm {

namespace {

template <class AnyCell>
std::vector<ScoredItem> items_of(const AnyCell& cell) {
    std::vector<ScoredItem> items;
    items.reserve(cell.chosen.size());
    for (std::size_t i = 0; i < cell.chosen.size(); ++i) {
        ScoredItem item{cell.id[i], cell.subset[i], cell.lang[i], {}, 1, cell.occurrence[i]};
        if (cell.response.empty()) {
            item.scores = {cell.chosen[i], cell.rejected[i]};
        } else {
            const auto width = static_cast<std::size_t>(cell.max_answers);
            for (std::size_t k = 0; k < width && !std::isnan(cell.response[i * width + k]); ++k)
                item.scores.push_back(cell.response[i * width + k]);
            item.num_correct = cell.num_correct[i];
        }
        items.push_back(std::move(item));
    }
    return items;
}

bool is_ties(const std::string& subset) { return plain_subset_name(subset) == "ties"; }

void total_of_subsets(const BenchmarkRule& rule, BenchmarkScores* scores) {
    double sum = 0.0;
    std::int64_t count = 0;
    for (const auto& [name, subset] : scores->subsets) {
        if (!rule.counts(name)) continue;
        sum += subset.value;
        ++count;
    }
    if (count > 0) scores->total = sum / static_cast<double>(count);
}

void total_of_sections(const BenchmarkRule& rule, BenchmarkScores* scores) {
    double sum = 0.0;
    double weights = 0.0;
    for (const SectionRule& section : rule.sections) {
        double weighted = 0.0;
        double examples = 0.0;
        for (const WeightedSubset& member : section.subsets) {
            const auto found = scores->subsets.find(member.name);
            if (found == scores->subsets.end()) continue;
            weighted += found->second.value * member.weight;
            examples += member.weight;
        }
        const bool present = examples > 0.0;
        if (!present && section.optional) continue;
        scores->sections.push_back({section.name, present ? weighted / examples : 0.0, present});
        if (!present) continue;
        sum += section.weight * scores->sections.back().value;
        weights += section.weight;
    }
    if (weights > 0.0) scores->total = sum / weights;
}

bool all_known(const char* benchmark, const std::set<std::string>& subsets) {
    const BenchmarkRule& rule = benchmark_rule(benchmark);
    return std::all_of(subsets.begin(), subsets.end(), [&](const std::string& subset) { return rule.knows(subset); });
}

}  // namespace

std::vector<ScoredItem> scored_items(const Cell& cell) { return items_of(cell); }
std::vector<ScoredItem> scored_items(const CellScores& cell) { return items_of(cell); }

std::string name_of(TiePolicy policy) {
    return policy == TiePolicy::loss ? "loss" : policy == TiePolicy::half ? "half" : "shared";
}

TiePolicy parse_tie_policy(const std::string& name) {
    for (const TiePolicy policy : {TiePolicy::loss, TiePolicy::half, TiePolicy::shared}) {
        if (name_of(policy) == name) return policy;
    }
    fail("tie policy '" + name + "' is not known (loss, half, shared)", ExitCode::usage);
}

double credit(const ScoredItem& item, TiePolicy policy) {
    const auto split = item.scores.begin() + item.num_correct;
    const double right = *std::max_element(item.scores.begin(), split);
    const double wrong = *std::max_element(split, item.scores.end());
    if (right != wrong) return right > wrong ? 1.0 : 0.0;
    if (policy != TiePolicy::shared) return policy == TiePolicy::half ? 0.5 : 0.0;
    return static_cast<double>(std::count(item.scores.begin(), split, right)) /
           static_cast<double>(std::count(item.scores.begin(), item.scores.end(), right));
}

std::vector<std::string> benchmark_names() {
    std::vector<std::string> names;
    for (const BenchmarkRule& rule : benchmark_rules()) names.push_back(rule.name);
    return names;
}

std::string recognised_benchmark(std::span<const ScoredItem> items) {
    std::set<std::string> subsets;
    bool english = true;
    for (const ScoredItem& item : items) {
        subsets.insert(item.subset);
        english = english && item.lang == "en";
    }
    if (subsets.empty()) return "plain";
    if (english && all_known("rewardbench", subsets)) return "rewardbench";
    if (all_known("m-rewardbench", subsets)) return "m-rewardbench";
    std::set<std::string> named;
    for (const std::string& subset : subsets) named.insert(plain_subset_name(subset));
    const auto has_any = [&](std::initializer_list<const char*> marks) {
        return std::any_of(marks.begin(), marks.end(), [&](const char* mark) { return named.contains(mark); });
    };
    // Names like "math" and "chat" alone are anybody's.
    if (has_any({"ties", "factuality", "precise_if", "focus"}) && all_known("rewardbench2", named)) return "rewardbench2";
    return has_any({"language_hallucination", "linguistics", "lang_res"}) && all_known("mm-eval", named) ? "mm-eval" : "plain";
}

TiePolicy default_ties(const std::string& benchmark) {
    return benchmark_rule(benchmark).scores_ties ? TiePolicy::shared : TiePolicy::loss;
}

void add_sections(const std::string& benchmark, BenchmarkScores* scores) {
    const BenchmarkRule& rule = benchmark_rule(benchmark);
    scores->total = rule.total == BenchmarkRule::Total::items ? scores->accuracy : 0.0;
    if (rule.total == BenchmarkRule::Total::subsets) total_of_subsets(rule, scores);
    if (rule.total == BenchmarkRule::Total::sections) total_of_sections(rule, scores);
    for (const auto& [name, subset] : scores->subsets) {
        if (!rule.counts(name)) scores->uncounted.push_back(name);
    }
}

BenchmarkScores score_benchmark(const std::string& benchmark, TiePolicy ties, std::span<const ScoredItem> items) {
    const BenchmarkRule& rule = benchmark_rule(benchmark);
    BenchmarkScores scores;
    std::map<std::string, double> sums;
    std::map<std::string, std::vector<ScoredItem>> own;
    for (const ScoredItem& item : items) {
        const double worth = credit(item, ties);
        scores.accuracy += worth;
        ++scores.items;
        sums[item.subset] += worth;
        ++scores.subsets[item.subset].items;
        if (rule.scores_ties && is_ties(item.subset)) own[item.subset].push_back(item);
    }
    if (scores.items > 0) scores.accuracy /= static_cast<double>(scores.items);
    for (auto& [name, subset] : scores.subsets) subset.value = sums[name] / static_cast<double>(subset.items);
    for (const auto& [name, members] : own) scores.subsets[name].value = ties_score(members);
    add_sections(benchmark, &scores);
    return scores;
}

}  // namespace xlrm
