#include "state_parts.hpp"
#include "xlrm/stats/retrieval.hpp"

namespace xlrm {

std::vector<ResultTable> alignment_tables() {
    return {{"alignment",
             "How alike two languages' states are, by layer, of every model",
             "Parallel items, chosen answers. p_at_1: share whose translation is nearest by cosine (mean of both directions, a "
             "tie is wrong, "
             "chance 1/items); centred: after each language's mean is taken away; csls: corrected for hubs (k = 10); mexa: "
             "nearest in both "
             "directions; margin: mean cosine of translations minus that of other pairs, least dependent on n. cka: "
             "cka.linear.debiased "
             "between the languages, jackknife interval; cka_within: each subset centred first. Translated items inflate all of "
             "them.",
             of_model({{"capture", ColumnKind::text},
                       {"layer", ColumnKind::count},
                       {"first_target", ColumnKind::text},
                       {"second_target", ColumnKind::text},
                       {"items", ColumnKind::count},
                       {"p_at_1", ColumnKind::share},
                       {"centred", ColumnKind::share},
                       {"csls", ColumnKind::share, true},
                       {"mexa", ColumnKind::share},
                       {"margin", ColumnKind::number},
                       {"cka", ColumnKind::number, false, true},
                       {"cka_within", ColumnKind::number, true, true}}),
             {}}};
}

namespace {

//! States with what their comparison takes of one side alone.
struct AlignmentSide {
    AlignmentSide(const at::Tensor& states, const std::vector<std::size_t>& subset) : constant(is_constant(states)) {
        if (constant) return;
        raw = at_unit_length(states);
        centred = at_unit_length(without_mean(states));
        pooled.emplace(states);
        within.emplace(within_subsets(states, subset));
    }
    bool constant = false;
    at::Tensor raw, centred;  //!< rows at unit length
    std::optional<CkaStates> pooled, within;
};

void add_values(const AlignmentSide& a, const AlignmentSide& b, std::vector<TableValue>& row) {
    if (a.constant || b.constant) {
        constexpr Undefined flat = Undefined::no_variation;
        for (int i = 0; i < 5; ++i) row.emplace_back(Estimate(flat));
        for (int i = 0; i < 2; ++i) row.emplace_back(all_undefined(flat));
        return;
    }
    const auto both = [](const Retrieval& found) {
        if (!found.x_to_y.defined()) return found.x_to_y;
        return Estimate(0.5 * (found.x_to_y.value() + found.y_to_x.value()));
    };
    const Retrieval raw = retrieval_of_units(a.raw, b.raw), centred = retrieval_of_units(a.centred, b.centred, 0);
    row.insert(row.end(), {both(raw), both(centred), raw.csls, raw.mexa, raw.margin, debiased_cka(*a.pooled, *b.pooled),
                           debiased_cka(*a.within, *b.within)});
}

}  // namespace

void add_alignment(const StateInput& input, std::vector<ResultTable>& tables) {
    const StateSet& set = input.set;
    for (std::size_t m = 0; m < set.models.size(); ++m) {
        std::vector<AlignmentSide> sides;
        for (std::size_t t = 0; t < set.targets.size(); ++t)
            sides.emplace_back(set.load(m, t, input.capture, input.layer, "chosen"), set.subset);
        for (std::size_t a = 0; a < sides.size(); ++a) {
            for (std::size_t b = a + 1; b < sides.size(); ++b) {
                std::vector<TableValue> row = {set.base,
                                               set.benchmark,
                                               set.models[m].model,
                                               set.models[m].source,
                                               set.models[m].seed,
                                               input.capture,
                                               static_cast<std::int64_t>(input.layer),
                                               set.targets[a],
                                               set.targets[b],
                                               std::ssize(set.items)};
                add_values(sides[a], sides[b], row);
                tables[0].add(std::move(row));
            }
        }
    }
}

}  // namespace xlrm
