#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace xlrm {

//! Sparse rows in one block: row r has the entries [offsets[r], offsets[r + 1]) of `columns` and `values`.
struct SparseRows {
    std::int64_t width = 0;
    std::vector<std::int64_t> offsets{0};
    std::vector<std::uint32_t> columns;
    std::vector<float> values;

    std::int64_t rows() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
    double dot(std::int64_t row, std::span<const double> weights) const;
    void add_to(std::int64_t row, double factor, std::span<double> weights) const;
};

struct LogisticFit {
    std::vector<double> weights;
    double objective = 0.0;  //!< ½‖w‖² + c · Σ log(1 + exp(−w·x))
    double gradient = 0.0;   //!< largest absolute component
    int iterations = 0;
};

//! Minimises ½‖w‖² + c · Σ_r log(1 + exp(−w·x_r)), Bradley-Terry on rows of feature differences (label always +1, no intercept),
//! by Newton's method with conjugate gradients and a halving line search, from w = 0. Stops when the gradient is below
//! `tolerance` times its value at zero. Strictly convex: the result is the unique minimum.
LogisticFit fit_bradley_terry(const SparseRows& rows, double c, int max_iterations, double tolerance = 1e-6);

}  // namespace xlrm
