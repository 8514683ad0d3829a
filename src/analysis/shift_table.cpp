#include "settings.hpp"
#include "state_parts.hpp"
#include "xlrm/stats/representational_similarity.hpp"
#include "xlrm/stats/shift.hpp"

namespace xlrm {

ShiftSide::ShiftSide(at::Tensor of, const std::vector<std::size_t>& subset)
    : states(std::move(of)), constant(is_constant(states)) {
    if (constant) return;
    pooled.emplace(states);
    within.emplace(within_subsets(states, subset));
    if (states.size(0) > kNeighbours) nearest = nearest_others(states, kNeighbours);
}

std::vector<Column> shift_columns(std::vector<Column> before) {
    const std::vector<Column> own = {{"items", ColumnKind::count, true},
                                     {"cosine", ColumnKind::number},
                                     {"centred_cosine", ColumnKind::number, true},
                                     {"relative", ColumnKind::number},
                                     {"norm", ColumnKind::number},
                                     {"coherence", ColumnKind::number},
                                     {"cka", ColumnKind::number, false, true},
                                     {"cka_within", ColumnKind::number, false, true},
                                     {"cka_biased", ColumnKind::number, true},
                                     {"neighbours", ColumnKind::number}};
    before.insert(before.end(), own.begin(), own.end());
    return before;
}

std::vector<TableValue> shift_values(const ShiftSide& base, const ShiftSide& model) {
    constexpr Undefined flat = Undefined::no_variation;
    const Shift moved = shift(base.states, model.states);
    std::vector<TableValue> values = {base.states.size(0)};
    if (base.constant || model.constant) {
        values.insert(values.end(), {moved.cosine, Estimate(flat), moved.relative, moved.norm, moved.coherence,
                                     all_undefined(flat), all_undefined(flat), Estimate(flat), Estimate(flat)});
        return values;
    }
    const bool enough = base.nearest.defined() && model.nearest.defined();
    values.insert(values.end(),
                  {moved.cosine, moved.centred_cosine, moved.relative, moved.norm, moved.coherence,
                   debiased_cka(*base.pooled, *model.pooled), debiased_cka(*base.within, *model.within),
                   biased_cka(*base.pooled, *model.pooled),
                   enough ? Estimate(neighbour_overlap(base.nearest, model.nearest)) : Estimate(Undefined::too_few_items)});
    return values;
}

std::vector<ResultTable> shift_tables() {
    return {{"shift",
             "How each model's states moved from the base, by layer and language",
             "Same items and coordinates before and after training, chosen answers. cosine: mean of cos(base, model); relative: "
             "median |h − h0| "
             "/ |h0| (below 0.0024 it is the rounding of bf16); norm: mean log(|h| / |h0|); coherence: share of the movement "
             "that is one common "
             "translation. cka: cka.linear.debiased, a score, invariant to rotation, scale and translation, with its jackknife "
             "interval; "
             "cka_within: each subset centred first, since subsets alone make representations look alike. neighbours: Jaccard "
             "overlap "
             "of the 10 nearest by cosine (chance about 10/2n). Centred columns are named so; nothing is row-normalised.",
             of_model(shift_columns({{"target", ColumnKind::text}, {"capture", ColumnKind::text}, {"layer", ColumnKind::count}})),
             {}},
            {"shift_directions",
             "Whether languages moved the same way, by layer",
             "Cosine of the mean movements (model − base) of two languages: 1 = training moved both the same way.",
             {{"base", ColumnKind::text},
              {"benchmark", ColumnKind::text},
              {"model", ColumnKind::text},
              {"capture", ColumnKind::text},
              {"layer", ColumnKind::count},
              {"first_target", ColumnKind::text},
              {"second_target", ColumnKind::text},
              {"cosine", ColumnKind::number}},
             {}}};
}

void add_shifts(const StateInput& input, std::vector<ResultTable>& tables) {
    const StateSet& set = input.set;
    if (!set.has_base) return;
    const auto layer = static_cast<std::int64_t>(input.layer);
    std::vector<std::vector<at::Tensor>> moves(set.models.size());  // mean movement, by model and target
    for (std::size_t t = 0; t < set.targets.size(); ++t) {
        const ShiftSide base(set.load(0, t, input.capture, input.layer, "chosen"), set.subset);
        for (std::size_t m = 1; m < set.models.size(); ++m) {
            const ShiftSide model(set.load(m, t, input.capture, input.layer, "chosen"), set.subset);
            std::vector<TableValue> row = {set.base,           set.benchmark,  set.models[m].model, set.models[m].source,
                                           set.models[m].seed, set.targets[t], input.capture,       layer};
            for (TableValue& value : shift_values(base, model)) row.push_back(std::move(value));
            tables[0].add(std::move(row));
            moves[m].push_back(model.states.sub(base.states).mean(0));
        }
    }
    for (std::size_t m = 1; m < set.models.size(); ++m) {
        for (std::size_t a = 0; a < set.targets.size(); ++a)
            for (std::size_t b = a + 1; b < set.targets.size(); ++b)
                tables[1].add({set.base, set.benchmark, set.models[m].model, input.capture, layer, set.targets[a], set.targets[b],
                               direction_cosine(moves[m][a], moves[m][b])});
    }
}

}  // namespace xlrm
