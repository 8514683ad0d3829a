#include <algorithm>

#include "state_parts.hpp"
#include "xlrm/stats/sample_distance.hpp"
#include "xlrm/stats/spectrum.hpp"

namespace xlrm {

namespace {

constexpr std::int64_t kMostFeatures = 1024;  // singular values of wider matrices take minutes a layer

std::vector<double> norms_of(const at::Tensor& states) {
    const at::Tensor norms = states.mul(states).sum(1).sqrt().contiguous();
    return {norms.const_data_ptr<double>(), norms.const_data_ptr<double>() + norms.numel()};
}

double mean(const std::vector<double>& values) {
    double sum = 0.0;
    for (const double value : values) sum += value;
    return sum / static_cast<double>(values.size());
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return 0.5 * (values[(values.size() - 1) / 2] + values[values.size() / 2]);
}

}  // namespace

std::vector<ResultTable> geometry_tables() {
    return {{"geometry",
             "Norms, anisotropy and dimension of the states, by layer and language",
             "Chosen answers, at equal n. norm_w1, norm_ks: 1-Wasserstein and Kolmogorov-Smirnov distances of the norms' "
             "distribution to that "
             "of the first target, in the same model. anisotropy: mean cosine of different items. top3: share of the mean "
             "squared norm in "
             "three features; where it is large, cosines say little. effective_rank (exp of the entropy of σ/Σσ), "
             "participation_ratio and "
             "stable_rank of the centred states, up to 1,024 features.",
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
             {}}};
}

void add_geometry(const StateInput& input, std::vector<ResultTable>& tables) {
    const StateSet& set = input.set;
    for (std::size_t m = 0; m < set.models.size(); ++m) {
        std::vector<double> first;
        for (std::size_t t = 0; t < set.targets.size(); ++t) {
            const at::Tensor states = set.load(m, t, input.capture, input.layer, "chosen");
            const std::vector<double> norms = norms_of(states);
            if (t == 0) first = norms;
            Spectrum shape;
            if (states.size(1) <= kMostFeatures)
                shape = spectrum(states);
            else
                shape.effective_rank = shape.participation_ratio = shape.stable_rank = Undefined::too_many_features;
            tables[0].add({set.base, set.benchmark, set.models[m].model, set.models[m].source, set.models[m].seed, set.targets[t],
                           input.capture, static_cast<std::int64_t>(input.layer), std::ssize(set.items), Estimate(mean(norms)),
                           Estimate(median(norms)), wasserstein_1(first, norms), kolmogorov_smirnov(first, norms),
                           anisotropy(states), top_feature_share(states, 3), shape.effective_rank, shape.participation_ratio,
                           shape.stable_rank});
        }
    }
}

}  // namespace xlrm
