#pragma once

#include <cstdint>
#include <vector>

#include "state_parts.hpp"
#include "xlrm/core/json.hpp"

namespace xlrm {

//! Of the panels of all stripes that are in memory at once; with all else a rank stays below 2 GiB.
inline constexpr double kMostPanelBytes = 1.6e9;

//! Debiased linear CKA of layers with layers (gram_pairs.hpp): every model's with the base's in the same language, and between
//! two languages in one model. By example (each Gram matrix once) or by feature, whichever takes fewer operations.
std::vector<ResultTable> layer_pair_tables();

//! n(n−3) HSIC_u, or a part of that sum, of a model's (target, layer) with one another and with the base's.
struct LayerPairSums {
    std::vector<double> own;   //!< (target, layer)²
    std::vector<double> base;  //!< (target, base layer, layer)
};

//! All layers of input.capture, in pieces that add up in their order: stripes of the Gram matrices, of a number that keeps their
//! panels below kMostPanelBytes; or models.
std::int64_t layer_pair_pieces(const StateInput& input);
//! {"own": {model: [(target, layer)² of n(n−3) HSIC_u]}, "base": {model: [target, base layer, layer]}}
Json layer_pair_piece(const StateInput& input, std::int64_t piece);
//! Operations of all pieces, multiplications and additions.
double layer_pair_operations(const StateInput& input);
void add_layer_pairs(const StateInput& input, const std::vector<Json>& pieces, std::vector<ResultTable>& tables);

}  // namespace xlrm
