#include <algorithm>

#include "state_parts.hpp"
#include "xlrm/stats/averages.hpp"
#include "xlrm/stats/sample_distance.hpp"
#include "xlrm/stats/spectrum.hpp"
#include "xlrm/store/cell_file.hpp"

namespace xlrm {

namespace {

std::vector<double> norms_of(const at::Tensor& states) {
    const at::Tensor norms = states.mul(states).sum(1).sqrt().contiguous();
    return {norms.const_data_ptr<double>(), norms.const_data_ptr<double>() + norms.numel()};
}

void add_norm_distances(const StateInput& input, std::size_t m, const std::vector<std::vector<double>>& norms,
                        ResultTable& table) {
    const StateSet& set = input.set;
    const StateModel& who = set.models[m];
    for (std::size_t a = 0; a < norms.size(); ++a)
        for (std::size_t b = a + 1; b < norms.size(); ++b)
            table.add({set.base, set.benchmark, who.model, who.source, who.seed, input.capture,
                       static_cast<std::int64_t>(input.layer), set.targets[a], set.targets[b], std::ssize(set.items),
                       wasserstein_1(norms[a], norms[b]), kolmogorov_smirnov(norms[a], norms[b])});
}

//! Quartiles of the items' token counts, once a set.
void add_token_lengths(const StateSet& set, ResultTable& table) {
    for (std::size_t t = 0; t < set.targets.size(); ++t) {
        const CellScores cell = read_cell_scores(set.models.front().files[t], set.hashes);
        for (const bool chosen : {true, false}) {
            std::vector<double> tokens;
            for (const std::size_t row : set.rows[0][t])
                tokens.push_back((chosen ? cell.chosen_tokens : cell.rejected_tokens)[row]);
            std::sort(tokens.begin(), tokens.end());
            const auto quantile = [&](double share) {
                const double place = share * static_cast<double>(tokens.size() - 1);
                const auto below = static_cast<std::size_t>(place);
                const std::size_t above = std::min(below + 1, tokens.size() - 1);
                return Estimate(tokens[below] + (place - static_cast<double>(below)) * (tokens[above] - tokens[below]));
            };
            table.add({set.base, set.benchmark, set.targets[t], chosen ? "chosen" : "rejected", std::ssize(set.items),
                       quantile(0.25), quantile(0.5), quantile(0.75)});
        }
    }
}

}  // namespace

std::vector<ResultTable> geometry_tables() {
    return {
        {"geometry",
         "Norms, anisotropy and dimension of the states, by layer and language",
         "Chosen answers, at equal n. norm_w1, norm_ks: 1-Wasserstein and Kolmogorov-Smirnov distances of the norms' "
         "distribution to that "
         "of the first target, in the same model. anisotropy: mean cosine of different items. top3: share of the mean "
         "squared norm in "
         "three features; where it is large, cosines say little. effective_rank (exp of the entropy of σ/Σσ), "
         "participation_ratio and "
         "stable_rank of the centred states.",
         of_model({{"target", ColumnKind::text},
                   {"capture", ColumnKind::text},
                   {"layer", ColumnKind::count},
                   {"items", ColumnKind::count, true},
                   {"norm_mean", ColumnKind::number},
                   {"norm_median", ColumnKind::number, true},
                   {"norm_w1", ColumnKind::number},
                   {"norm_ks", ColumnKind::number},
                   {"anisotropy", ColumnKind::number},
                   {"top3", ColumnKind::share},
                   {"effective_rank", ColumnKind::number},
                   {"participation_ratio", ColumnKind::number},
                   {"stable_rank", ColumnKind::number, true}}),
         {}},
        {"norm_distances",
         "How far apart the norms of two languages' states are, by layer",
         "1-Wasserstein and Kolmogorov-Smirnov distances of the distributions of |h|, chosen answers, the same items. Norms may "
         "follow the length: see the table token_lengths.",
         of_model({{"capture", ColumnKind::text},
                   {"layer", ColumnKind::count},
                   {"first_target", ColumnKind::text},
                   {"second_target", ColumnKind::text},
                   {"items", ColumnKind::count, true},
                   {"w1", ColumnKind::number},
                   {"ks", ColumnKind::number}}),
         {}},
        {"token_lengths",
         "Tokens of prompt and answer, by language",
         "Quartiles over the parallel items, as the first model's cells have them.",
         {{"base", ColumnKind::text},
          {"benchmark", ColumnKind::text},
          {"target", ColumnKind::text},
          {"side", ColumnKind::text},
          {"items", ColumnKind::count},
          {"q25", ColumnKind::number},
          {"q50", ColumnKind::number},
          {"q75", ColumnKind::number}},
         {}}};
}

void add_geometry(const StateInput& input, std::vector<ResultTable>& tables) {
    const StateSet& set = input.set;
    for (std::size_t m = 0; m < set.models.size(); ++m) {
        std::vector<double> first;
        std::vector<std::vector<double>> all_norms;
        for (std::size_t t = 0; t < set.targets.size(); ++t) {
            const at::Tensor states = set.load(m, t, input.capture, input.layer, "chosen");
            const std::vector<double> norms = norms_of(states);
            if (t == 0) first = norms;
            all_norms.push_back(norms);
            const Spectrum shape = spectrum(states);
            tables[0].add({set.base, set.benchmark, set.models[m].model, set.models[m].source, set.models[m].seed, set.targets[t],
                           input.capture, static_cast<std::int64_t>(input.layer), std::ssize(set.items), Estimate(mean(norms)),
                           Estimate(median(norms)), wasserstein_1(first, norms), kolmogorov_smirnov(first, norms),
                           anisotropy(states), top_feature_share(states, 3), shape.effective_rank, shape.participation_ratio,
                           shape.stable_rank});
        }
        add_norm_distances(input, m, all_norms, tables[1]);
    }
    if (set.layers.front() == std::pair(input.capture, input.layer)) add_token_lengths(set, tables[2]);
}

}  // namespace xlrm
