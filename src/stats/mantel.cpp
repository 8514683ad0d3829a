#include "xlrm/stats/mantel.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "xlrm/core/error.hpp"
#include "xlrm/core/random.hpp"
#include "xlrm/stats/rank_correlation.hpp"

namespace xlrm {

namespace {

std::vector<double> pairs_of_labels(std::span<const double> matrix, const std::vector<std::size_t>& labels) {
    const std::size_t n = labels.size();
    std::vector<double> values;
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j)
            if (i != j) values.push_back(matrix[labels[i] * n + labels[j]]);
    return values;
}

Estimate correlation(const std::vector<double>& x, const std::vector<double>& y, MantelKind kind) {
    return kind == MantelKind::pearson ? pearson(x, y) : spearman(x, y);
}

}  // namespace

Mantel mantel(std::span<const double> x, std::span<const double> y, std::int64_t n, MantelKind kind, std::int64_t random,
              std::uint64_t seed) {
    require(n >= 0 && x.size() == static_cast<std::size_t>(n * n) && y.size() == x.size(),
            "Mantel's test of matrices that are not (language, language)");
    Mantel result;
    if (n < 3) {
        result.r = result.p = Undefined::too_few_items;
        return result;
    }
    std::vector<std::size_t> labels(static_cast<std::size_t>(n));
    std::iota(labels.begin(), labels.end(), std::size_t{0});
    const std::vector<double> fixed = pairs_of_labels(x, labels);
    result.r = correlation(fixed, pairs_of_labels(y, labels), kind);
    if (!result.r.defined()) {
        result.p = result.r.why();
        return result;
    }
    const double bound = std::abs(result.r.value()) - 1e-12;  // permutations that only reorder the sums count as equal
    std::int64_t hits = 0;
    const auto test = [&] {
        hits += std::abs(correlation(fixed, pairs_of_labels(y, labels), kind).value_or(0.0)) >= bound ? 1 : 0;
        ++result.permutations;
    };
    constexpr std::int64_t kExactUpTo = 7;
    if (n <= kExactUpTo) {
        result.exact = true;
        do test();
        while (std::next_permutation(labels.begin(), labels.end()));
        result.p = static_cast<double>(hits) / static_cast<double>(result.permutations);
        return result;
    }
    for (std::int64_t r = 0; r < random; ++r) {
        Random draw(seed, static_cast<std::uint64_t>(r));
        for (std::size_t i = labels.size(); i > 1; --i) std::swap(labels[i - 1], labels[draw.below(i)]);
        test();
    }
    result.p = static_cast<double>(1 + hits) / static_cast<double>(1 + random);
    return result;
}

}  // namespace xlrm
