#include <algorithm>
#include <set>

#include "parts.hpp"
#include "xlrm/stats/cochran_q.hpp"
#include "xlrm/stats/holm.hpp"
#include "xlrm/stats/kappa.hpp"
#include "xlrm/stats/mcnemar.hpp"
#include "xlrm/stats/rank_correlation.hpp"

namespace xlrm {

namespace {

PairedCounts counts_of(const std::vector<double>& first, const std::vector<double>& second) {
    PairedCounts counts;
    for (std::size_t i = 0; i < first.size(); ++i)
        ++(first[i] > 0.5 ? (second[i] > 0.5 ? counts.both : counts.first) : (second[i] > 0.5 ? counts.second : counts.neither));
    return counts;
}

std::vector<std::int64_t> seeds_of(const TargetScores& target) {
    std::set<std::int64_t> seeds;
    for (const ModelScores& model : target.models) seeds.insert(model.seed);
    return {seeds.begin(), seeds.end()};
}

std::vector<const ModelScores*> models_of(const ScoreSet& set, const TargetScores& target, std::int64_t seed) {
    std::vector<const ModelScores*> models;
    for (const std::string& source : set.sources)
        if (const ModelScores* model = target.find(source, seed)) models.push_back(model);
    return models;
}

void add_pairs_of(const PartInput& input, const TargetScores& target, std::int64_t seed, ResultTable& table) {
    const auto models = models_of(input.set, target, seed);
    std::vector<std::pair<const ModelScores*, const ModelScores*>> pairs;
    for (std::size_t a = 0; a < models.size(); ++a)
        for (std::size_t b = a + 1; b < models.size(); ++b) pairs.emplace_back(models[a], models[b]);
    std::vector<McNemar> tests;
    std::vector<Estimate> p;
    for (const auto& [first, second] : pairs) {
        tests.push_back(mcnemar(counts_of(first->right, second->right)));
        p.push_back(paired_p(target, first->source, second->source));
        if (target.of(first->source).size() > 1 || target.of(second->source).size() > 1) p.back() = tests.back().exact;
    }
    const std::vector<Estimate> adjusted = holm(p);
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        const auto& [first, second] = pairs[i];
        const PairedCounts counts = counts_of(first->right, second->right);
        const auto share = static_cast<double>(counts.both + counts.neither) / static_cast<double>(counts.items());
        table.add({input.set.base,
                   input.set.benchmark,
                   target.target,
                   seed,
                   first->source,
                   second->source,
                   counts.both,
                   counts.first,
                   counts.second,
                   counts.neither,
                   tests[i].exact,
                   tests[i].mid_p,
                   tests[i].chi_square_p,
                   tests[i].corrected_p,
                   p[i],
                   adjusted[i],
                   std::ssize(pairs),
                   Estimate(share),
                   kappa_of_correctness(counts),
                   kappa_of_order(counts),
                   spearman(first->margin, second->margin)});
    }
}

//! All models of one seed on one target.
struct Omnibus {
    std::int64_t seed = 0, models = 0;
    const TargetScores* target = nullptr;
    CochranQ q;
    Estimate fleiss = Undefined::one_model;
};

Omnibus omnibus_of(const ScoreSet& set, const TargetScores& target, std::int64_t seed) {
    const auto models = models_of(set, target, seed);
    Omnibus result{seed, std::ssize(models), &target, {}, Undefined::one_model};
    std::vector<std::uint8_t> right;
    std::vector<std::int64_t> counts;
    for (std::size_t i = 0; i < target.items.size(); ++i) {
        std::int64_t sum = 0;
        for (const ModelScores* model : models) {
            right.push_back(model->right[i] > 0.5 ? 1 : 0);
            sum += right.back();
        }
        counts.push_back(sum);
        counts.push_back(result.models - sum);
    }
    result.q = cochran_q(right, std::max<std::int64_t>(1, result.models));
    if (result.models > 1) result.fleiss = fleiss_kappa(counts, 2);
    return result;
}

}  // namespace

std::vector<ResultTable> pair_tables() {
    return {
        {"pairs",
         "Pairs of models on the same items: tests and agreement",
         "both, first, second, neither: items that both, one alone or none of the two models answered rightly (strict). exact, "
         "mid_p: "
         "McNemar's tests, which take items for independent. p: exact by random signs of clusters where both have one seed, else "
         "exact; p_holm: adjusted for all pairs of the same target and seed (family). kappa_correctness: Cohen's kappa of right "
         "/ wrong; "
         "kappa_order: of the answer chosen, the two shown in random order (2·agreement − 1). spearman: of the margins.",
         {{"base", ColumnKind::text},
          {"benchmark", ColumnKind::text},
          {"target", ColumnKind::text},
          {"seed", ColumnKind::count},
          {"first_source", ColumnKind::text},
          {"second_source", ColumnKind::text},
          {"both", ColumnKind::count, true},
          {"first", ColumnKind::count},
          {"second", ColumnKind::count},
          {"neither", ColumnKind::count, true},
          {"exact", ColumnKind::p},
          {"mid_p", ColumnKind::p},
          {"chi_square_p", ColumnKind::p, true},
          {"corrected_p", ColumnKind::p, true},
          {"p", ColumnKind::p, true},
          {"p_holm", ColumnKind::p},
          {"family", ColumnKind::count, true},
          {"agreement", ColumnKind::share},
          {"kappa_correctness", ColumnKind::number},
          {"kappa_order", ColumnKind::number},
          {"spearman", ColumnKind::number}},
         {}},
        {"omnibus",
         "All models on one target: Cochran's Q and Fleiss' kappa",
         "Cochran's Q: whether the models of one seed are equally accurate on the items of a target (items taken for "
         "independent); p_holm: "
         "adjusted for all targets and seeds (family). fleiss: kappa of right / wrong over all models.",
         {{"base", ColumnKind::text},
          {"benchmark", ColumnKind::text},
          {"target", ColumnKind::text},
          {"seed", ColumnKind::count},
          {"items", ColumnKind::count},
          {"models", ColumnKind::count},
          {"q", ColumnKind::number},
          {"p", ColumnKind::p},
          {"p_holm", ColumnKind::p},
          {"family", ColumnKind::count, true},
          {"fleiss", ColumnKind::number}},
         {}}};
}

void add_pairs(const PartInput& input, std::vector<ResultTable>& tables) {
    std::vector<Omnibus> all;
    std::vector<Estimate> p;
    for (const TargetScores& target : input.set.targets) {
        for (const std::int64_t seed : seeds_of(target)) {
            add_pairs_of(input, target, seed, tables[0]);
            all.push_back(omnibus_of(input.set, target, seed));
            p.push_back(all.back().q.p);
        }
    }
    const std::vector<Estimate> adjusted = holm(p);
    for (std::size_t i = 0; i < all.size(); ++i)
        tables[1].add({input.set.base, input.set.benchmark, all[i].target->target, all[i].seed, std::ssize(all[i].target->items),
                       all[i].models, all[i].q.q, p[i], adjusted[i], std::ssize(all), all[i].fleiss});
}

}  // namespace xlrm
