#include "head_inputs.hpp"

#include <ATen/ops/empty.h>

#include <algorithm>

#include "xlrm/store/cell_file.hpp"

namespace xlrm {

namespace {

at::Tensor vector_of(const std::vector<float>& values) {
    at::Tensor out = at::empty({std::ssize(values)}, at::kDouble);
    std::copy(values.begin(), values.end(), out.mutable_data_ptr<double>());
    return out;
}

}  // namespace

at::Tensor RewardHead::inputs(const at::Tensor& states) const {
    const at::Tensor scale = states.mul(states).mean(1, true).add(eps).rsqrt();
    return states.mul(scale).mul(norm);
}

std::optional<RewardHead> reward_head(const StateSet& set, std::size_t model, std::size_t target, std::int64_t features) {
    const CellScores cell = read_cell_scores(set.model(model).files[target], set.hashes);
    if (std::ssize(cell.head_weight) != features || std::ssize(cell.final_norm) != features) return {};
    return RewardHead{vector_of(cell.head_weight), vector_of(cell.final_norm), cell.norm_eps};
}

}  // namespace xlrm
