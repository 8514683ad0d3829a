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

void add_alignment(const StateInput& input, std::vector<ResultTable>& tables) {
    const StateSet& set = input.set;
    const auto both = [](const Retrieval& found) {
        if (!found.x_to_y.defined()) return found.x_to_y;
        return Estimate(0.5 * (found.x_to_y.value() + found.y_to_x.value()));
    };
    for (std::size_t m = 0; m < set.models.size(); ++m) {
        std::vector<at::Tensor> states;
        for (std::size_t t = 0; t < set.targets.size(); ++t)
            states.push_back(set.load(m, t, input.capture, input.layer, "chosen"));
        for (std::size_t a = 0; a < states.size(); ++a) {
            for (std::size_t b = a + 1; b < states.size(); ++b) {
                constexpr Undefined flat = Undefined::no_variation;
                if (is_constant(states[a]) || is_constant(states[b])) {
                    const EstimateWithInterval none{flat, flat, flat, flat};
                    tables[0].add({set.base, set.benchmark, set.models[m].model, set.models[m].source, set.models[m].seed,
                                   input.capture, static_cast<std::int64_t>(input.layer), set.targets[a], set.targets[b],
                                   std::ssize(set.items), Estimate(flat), Estimate(flat), Estimate(flat), Estimate(flat),
                                   Estimate(flat), none, none});
                    continue;
                }
                const Retrieval raw = retrieval(states[a], states[b]);
                const Retrieval centred = retrieval(without_mean(states[a]), without_mean(states[b]));
                tables[0].add({set.base, set.benchmark, set.models[m].model, set.models[m].source, set.models[m].seed,
                               input.capture, static_cast<std::int64_t>(input.layer), set.targets[a], set.targets[b],
                               std::ssize(set.items), both(raw), both(centred), raw.csls, raw.mexa, raw.margin,
                               debiased_cka(states[a], states[b]),
                               debiased_cka(within_subsets(states[a], set.subset), within_subsets(states[b], set.subset))});
            }
        }
    }
}

}  // namespace xlrm
