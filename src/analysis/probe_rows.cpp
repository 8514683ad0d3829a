#include "probe_rows.hpp"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "settings.hpp"
#include "xlrm/core/random.hpp"
#include "xlrm/stats/intervals.hpp"

namespace xlrm {

namespace {

//! Number of each cluster in the order of their names.
std::map<std::string, std::int64_t> cluster_numbers(const StateSet& set) {
    std::map<std::string, std::int64_t> numbers;
    for (const std::string& cluster : set.clusters) numbers[cluster] = 0;
    std::int64_t next = 0;
    for (auto& [cluster, number] : numbers) number = next++;
    return numbers;
}

}  // namespace

ProbeSplit probe_split(const StateSet& set, std::int64_t most) {
    const auto numbers = cluster_numbers(set);
    ProbeSplit split;
    std::vector<std::int64_t> train;
    for (std::size_t i = 0; i < set.items.size(); ++i)
        (numbers.at(set.clusters[i]) % 3 == 0 ? split.test : train).push_back(static_cast<std::int64_t>(i));
    const std::int64_t step = std::max<std::int64_t>(1, (std::ssize(train) + most - 1) / most);
    for (std::size_t i = 0; i < train.size(); i += static_cast<std::size_t>(step)) split.train.push_back(train[i]);
    return split;
}

std::vector<std::int64_t> control_labels(const StateSet& set, std::int64_t classes) {
    const auto numbers = cluster_numbers(set);
    std::vector<std::int64_t> labels;
    for (const std::string& cluster : set.clusters) {
        Random random(kStateSeed, static_cast<std::uint64_t>(numbers.at(cluster)));
        labels.push_back(static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(classes))));
    }
    return labels;
}

at::Tensor integers(std::span<const std::int64_t> values) {
    at::Tensor out = at::empty({std::ssize(values)}, at::kLong);
    std::ranges::copy(values, out.mutable_data_ptr<std::int64_t>());
    return out;
}

at::Tensor rows_at(const at::Tensor& x, std::span<const std::int64_t> items) { return x.index_select(0, integers(items)); }

EstimateWithInterval clustered_share(const StateSet& set, std::span<const std::int64_t> items, std::span<const double> right) {
    if (right.empty()) return {};
    std::vector<std::string> clusters;
    for (std::size_t i = 0; i < right.size(); ++i)
        clusters.push_back(set.clusters[static_cast<std::size_t>(items[i % items.size()])]);
    const ClusteredMean mean = clustered_mean(right, clusters);
    if (mean.clusters < 2) return {mean.mean, Undefined::one_cluster, Undefined::one_cluster, Undefined::one_cluster};
    return {mean.mean, mean.standard_error, std::max(0.0, mean.interval.low), std::min(1.0, mean.interval.high)};
}

}  // namespace xlrm
