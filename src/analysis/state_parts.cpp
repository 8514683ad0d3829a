#include "state_parts.hpp"

#include <ATen/Parallel.h>

#include <algorithm>

#include "layer_pairs.hpp"
#include "settings.hpp"
#include "xlrm/stats/cka.hpp"

namespace xlrm {

const std::vector<StatePart>& state_parts() {
    static const std::vector<StatePart> all = {
        {"ratios", false, ratio_tables, add_ratios},
        {"shift", false, shift_tables, add_shifts},
        {"alignment", false, alignment_tables, add_alignment},
        {"geometry", false, geometry_tables, add_geometry},
        {"lens", true, lens_tables, add_lens},
        {"layer_pairs", true, layer_pair_tables, nullptr, layer_pair_pieces, layer_pair_piece, add_layer_pairs},
        {"similarity", false, similarity_tables, add_similarity, nullptr, nullptr, nullptr, similarity_steps},
        {"noise_floor", false, noise_floor_tables, add_noise_floor},
        {"subspace", false, subspace_tables, add_subspaces},
        {"preferences", false, preference_tables, add_preferences},
        {"probes", false, probe_tables, add_probes}};
    return all;
}

bool is_constant(const at::Tensor& x) { return x.size(0) > 0 && x.eq(x[0]).all().item<bool>(); }

CkaStates::CkaStates(const at::Tensor& x) {
    const at::Tensor rows = x.sub(x.mean(0, true));
    if (x.size(0) <= kMostItems)
        kernel.emplace(linear_kernel(rows));
    else
        centred = rows;
}

EstimateWithInterval debiased_cka(const CkaStates& x, const CkaStates& y) {
    constexpr std::int64_t kChunk = 256;
    if (x.kernel && y.kernel) {
        const CkaJackknife result = cka_jackknife(*x.kernel, *y.kernel);
        return {result.value, result.standard_error, result.low, result.high};
    }
    LinearCkaSums sums(x.centred[0].clone(), y.centred[0].clone());
    for (std::int64_t begin = 0; begin < x.centred.size(0); begin += kChunk) {
        const std::int64_t size = std::min(kChunk, x.centred.size(0) - begin);
        sums.add(x.centred.narrow(0, begin, size), y.centred.narrow(0, begin, size));
    }
    constexpr Undefined why = Undefined::too_many_items;
    return {sums.debiased(), why, why, why};
}

Estimate biased_cka(const CkaStates& x, const CkaStates& y) {
    return x.kernel && y.kernel ? cka_biased(*x.kernel, *y.kernel) : linear_cka_biased(x.centred, y.centred);
}

OneThread::OneThread() : before_(at::get_num_threads()) { at::set_num_threads(1); }
OneThread::~OneThread() { at::set_num_threads(before_); }

at::Tensor within_subsets(const at::Tensor& x, const std::vector<std::size_t>& subset) {
    at::Tensor out = x.clone();
    const std::size_t count = subset.empty() ? 0 : *std::ranges::max_element(subset) + 1;
    const std::int64_t features = x.size(1);
    double* values = out.mutable_data_ptr<double>();
    std::vector<std::vector<double>> means(count, std::vector<double>(static_cast<std::size_t>(features), 0.0));
    std::vector<double> sizes(count, 0.0);
    for (std::size_t i = 0; i < subset.size(); ++i) {
        sizes[subset[i]] += 1.0;
        for (std::size_t k = 0; k < means[subset[i]].size(); ++k)
            means[subset[i]][k] += values[i * static_cast<std::size_t>(features) + k];
    }
    for (std::size_t i = 0; i < subset.size(); ++i) {
        for (std::size_t k = 0; k < means[subset[i]].size(); ++k)
            values[i * static_cast<std::size_t>(features) + k] -= means[subset[i]][k] / sizes[subset[i]];
    }
    return out;
}

std::vector<Column> of_model(std::vector<Column> columns) {
    columns.insert(columns.begin(), {{"base", ColumnKind::text},
                                     {"benchmark", ColumnKind::text},
                                     {"model", ColumnKind::text},
                                     {"source", ColumnKind::text, true},
                                     {"seed", ColumnKind::count, true}});
    return columns;
}

}  // namespace xlrm
