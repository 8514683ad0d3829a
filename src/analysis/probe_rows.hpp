#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "state_set.hpp"
#include "xlrm/stats/estimate.hpp"

namespace xlrm {

//! Items that probes are fitted on and tested on: every third cluster, in their order, is tested, so that translations and
//! siblings never lie on both sides. Of the others every so many-th item, so that at most `most` are fitted on.
struct ProbeSplit {
    std::vector<std::int64_t> train, test;
};
ProbeSplit probe_split(const StateSet& set, std::int64_t most);

//! A label below `classes` of each item, at random, alike in each cluster: the control task (Hewitt and Liang 2019), which only
//! what is remembered can solve.
std::vector<std::int64_t> control_labels(const StateSet& set, std::int64_t classes);

//! Rows `items` of (n, d).
at::Tensor rows_at(const at::Tensor& x, std::span<const std::int64_t> items);
//! (size) int64.
at::Tensor integers(std::span<const std::int64_t> values);

//! Share of ones in `right`, whose rows' clusters are those of `items` in turn, again from the first for each language: clustered
//! interval.
EstimateWithInterval clustered_share(const StateSet& set, std::span<const std::int64_t> items, std::span<const double> right);

}  // namespace xlrm
