#include "estimator_table.hpp"

#include "similarity_measures.hpp"

namespace xlrm {

namespace {

struct Row {
    const char *table, *column, *estimator, *kind, *invariant, *centring, *normalisation, *source;
};

constexpr const char* kIsometry = "rotation, scale, translation";
constexpr const char* kCka = "Kornblith et al. 2019; Song et al. 2012";
constexpr Row kRows[] = {
    {"ratios", "f", "singular_value_ratio", "score", "rotation, scale", "by variant", "by variant",
     "largest singular value / sum, of the parallel versions of one item"},
    {"shift", "cosine", "cosine.mean", "score", "rotation of both, scale", "none", "rows", "mean of cos(base, model)"},
    {"shift", "centred_cosine", "cosine.mean", "score", "rotation of both, scale, translation", "columns", "rows", ""},
    {"shift", "relative", "shift.relative.median", "metric", "rotation of both, scale of both", "none", "norm of the base",
     "median |h − h0| / |h0|"},
    {"shift", "norm", "shift.log_norm.mean", "metric", "rotation", "none", "norm of the base", "mean log(|h| / |h0|)"},
    {"shift", "coherence", "shift.coherence", "score", "rotation of both, scale of both", "none", "none",
     "|mean D|² / mean |D|²"},
    {"shift", "cka", "cka.linear.debiased", "score", kIsometry, "columns", "none", kCka},
    {"shift", "cka_within", "cka.linear.debiased", "score", kIsometry, "columns within subsets", "none", kCka},
    {"shift", "cka_biased", "cka.linear.biased", "score", kIsometry, "columns", "none", "grows with features/items"},
    {"shift", "neighbours", "knn.jaccard(10,cosine)", "score", "rotation, scale", "none", "rows", "chance about 10/2n"},
    {"shift_directions", "cosine", "cosine of mean shifts", "score", "rotation of both, scale", "none", "none", ""},
    {"alignment", "p_at_1", "retrieval.p_at_1(cosine)", "score", "rotation of both, scale of rows", "none", "rows", "chance 1/n"},
    {"alignment", "centred", "retrieval.p_at_1(cosine)", "score", "rotation of both, translation", "each language", "rows",
     "chance 1/n"},
    {"alignment", "csls", "retrieval.p_at_1(csls,10)", "score", "rotation of both, scale of rows", "none", "rows",
     "Conneau et al. 2018"},
    {"alignment", "mexa", "mexa", "score", "rotation of both, scale of rows", "none", "rows", "Kargaran et al. 2025"},
    {"alignment", "margin", "cosine.margin", "score", "rotation of both, scale of rows", "none", "rows", ""},
    {"alignment", "cka", "cka.linear.debiased", "score", kIsometry, "columns", "none", kCka},
    {"alignment", "cka_within", "cka.linear.debiased", "score", kIsometry, "columns within subsets", "none", kCka},
    {"layer_pairs", "cka", "cka.linear.debiased", "score", kIsometry, "columns", "none", kCka},
    {"language_layer_pairs", "cka", "cka.linear.debiased", "score", kIsometry, "columns", "none", kCka},
    {"geometry", "anisotropy", "cosine.mean of different items", "score", "rotation, scale of rows", "none", "rows", ""},
    {"geometry", "top3", "top_feature_share(3)", "score", "scale", "none", "none", ""},
    {"geometry", "effective_rank", "effective_rank(sigma)", "score", kIsometry, "columns", "none", "Roy and Vetterli 2007"},
    {"geometry", "participation_ratio", "participation_ratio(sigma^2)", "score", kIsometry, "columns", "none", ""},
    {"geometry", "stable_rank", "stable_rank", "score", kIsometry, "columns", "none", ""},
    {"norm_distances", "w1", "wasserstein_1 of norms", "metric", "rotation", "none", "none", ""},
    {"norm_distances", "ks", "kolmogorov_smirnov of norms", "metric", "rotation, scale of both", "none", "none", ""},
};

}  // namespace

ResultTable estimator_table() {
    ResultTable table{
        "estimators",
        "What the tables of states measure",
        "Estimators by full name. kind: a score is 1 (or larger) where sides are alike, a metric 0. invariant_to: maps of "
        "either side that do not change it. centring, normalisation: what is done to the states first.",
        {{"table", ColumnKind::text},
         {"column", ColumnKind::text},
         {"estimator", ColumnKind::text},
         {"kind", ColumnKind::text},
         {"invariant_to", ColumnKind::text},
         {"centring", ColumnKind::text},
         {"normalisation", ColumnKind::text},
         {"source", ColumnKind::text}},
        {}};
    for (const Row& row : kRows)
        table.add({row.table, row.column, row.estimator, row.kind, row.invariant, row.centring, row.normalisation, row.source});
    for (const SimilarityMeasure& measure : similarity_measures())
        table.add({"similarity", "value", measure.name, measure.score ? "score" : "metric", measure.invariant, measure.centring,
                   measure.normalisation, measure.source});
    return table;
}

}  // namespace xlrm
