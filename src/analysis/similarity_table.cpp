#include "similarity_measures.hpp"
#include "state_parts.hpp"

namespace xlrm {

namespace {

constexpr std::int64_t kManyItems = 300;  // above it a null is of few shuffles: their time grows with the square

//! One measure of one layer, pooled or within subsets.
class Comparisons {
public:
    Comparisons(const StateInput& input, const SimilarityMeasure& measure, bool within, ResultTable& table)
        : input_(input), set_(input.set), measure_(measure), within_(within), table_(table) {}

    void add() {
        std::vector<SimilarityForm> base;
        if (set_.has_base) base = forms(0);
        for (std::size_t m = 0; m < set_.models.size(); ++m) {
            const bool is_base = set_.has_base && m == 0;
            const std::vector<SimilarityForm> own = is_base ? base : forms(m);
            if (!is_base && set_.has_base) add_moves("base", m, base, own);
            if (!is_base && (within_ || !measure_.core)) continue;
            for (std::size_t a = 0; a < own.size(); ++a)
                for (std::size_t b = a + 1; b < own.size(); ++b) add_row("language", m, a, b, own[a], own[b]);
        }
        if (!set_.floor.empty()) add_moves("noise_floor", set_.models.size(), base, forms(set_.models.size()));
    }

private:
    std::vector<SimilarityForm> forms(std::size_t model) const {
        std::vector<SimilarityForm> all;
        for (std::size_t t = 0; t < set_.targets.size(); ++t) {
            const at::Tensor states = set_.load(model, t, input_.capture, input_.layer, "chosen");
            // What is constant stays so: centred, its rounding would vary.
            all.push_back(measure_.prepare(within_ && !is_constant(states) ? within_subsets(states, set_.subset) : states));
        }
        return all;
    }

    void add_moves(const char* comparison, std::size_t model, const std::vector<SimilarityForm>& base,
                   const std::vector<SimilarityForm>& own) const {
        for (std::size_t t = 0; t < base.size(); ++t) add_row(comparison, model, t, t, base[t], own[t]);
    }

    void add_row(const char* comparison, std::size_t model, std::size_t a, std::size_t b, const SimilarityForm& x,
                 const SimilarityForm& y) const {
        SimilarityValue result;
        if (const auto why = x.why ? x.why : y.why)
            result = {{*why, *why, *why, *why}, {*why, *why, 0}};
        else
            result = measure_.compare(x, y, std::ssize(set_.items) > kManyItems ? 19 : 99);
        const StateModel& who = set_.model(model);
        table_.add({set_.base, set_.benchmark, who.model, who.source, who.seed, comparison, set_.targets[a], set_.targets[b],
                    input_.capture, static_cast<std::int64_t>(input_.layer), within_ ? "within" : "pooled", measure_.name,
                    measure_.score ? "score" : "metric", std::ssize(set_.items), result.value, result.null.q95, result.null.p,
                    result.null.permutations});
    }

    const StateInput& input_;
    const StateSet& set_;
    const SimilarityMeasure& measure_;
    const bool within_;
    ResultTable& table_;
};

}  // namespace

std::vector<ResultTable> similarity_tables() {
    return {
        {"similarity",
         "How alike states are, by many measures, layer by layer",
         "Parallel items, chosen answers. comparison: base (the model with its base), noise_floor (the base in bf16 with itself: "
         "what rounding alone moves) or language (two targets in one model; of trained models three measures). scope: pooled, or "
         "within (of three measures): each "
         "subset centred "
         "first, since subsets alone make representations look alike. Measures by full name: table estimators. kind: a score is "
         "1 where both are the same, a metric 0. Intervals: jackknife, of debiased CKA alone. null: what 95 % of random pairings "
         "of items stay below (of a metric above); p: share of the pairings at least as alike, 99 of them, 19 above 300 items. "
         "cka.linear.biased is far from 0 for independent states of many features: read it against its null alone.",
         of_model({{"comparison", ColumnKind::text},
                   {"target", ColumnKind::text},
                   {"other_target", ColumnKind::text},
                   {"capture", ColumnKind::text},
                   {"layer", ColumnKind::count},
                   {"scope", ColumnKind::text},
                   {"measure", ColumnKind::text},
                   {"kind", ColumnKind::text, true},
                   {"items", ColumnKind::count, true},
                   {"value", ColumnKind::number, false, true},
                   {"null", ColumnKind::number},
                   {"p", ColumnKind::p},
                   {"permutations", ColumnKind::count, true}}),
         {}}};
}

namespace {

//! A measure and its scope.
struct Step {
    const SimilarityMeasure* measure = nullptr;
    bool within = false;
};

//! In the order of the table's rows.
std::vector<Step> steps_of(const StateSet& set) {
    std::vector<Step> steps;
    for (const SimilarityMeasure& measure : similarity_measures()) steps.push_back({&measure, false});
    for (const SimilarityMeasure& measure : similarity_measures())
        if (measure.core && set.several_subsets()) steps.push_back({&measure, true});
    return steps;
}

}  // namespace

std::int64_t similarity_steps(const StateSet& set) { return std::ssize(steps_of(set)); }

void add_similarity(const StateInput& input, std::vector<ResultTable>& tables) {
    const Step step = steps_of(input.set)[static_cast<std::size_t>(input.step)];
    Comparisons(input, *step.measure, step.within, tables[0]).add();
}

}  // namespace xlrm
