#include "xlrm/stats/sparse_logistic.hpp"

#include <gtest/gtest.h>

namespace xlrm {
namespace {

SparseRows from_dense(const std::vector<std::vector<float>>& dense) {
    SparseRows rows;
    rows.width = static_cast<std::int64_t>(dense.front().size());
    for (const auto& row : dense) {
        for (std::size_t k = 0; k < row.size(); ++k)
            if (row[k] != 0.0F) {
                rows.columns.push_back(static_cast<std::uint32_t>(k));
                rows.values.push_back(row[k]);
            }
        rows.offsets.push_back(static_cast<std::int64_t>(rows.columns.size()));
    }
    return rows;
}

// sklearn LogisticRegression(C=1, fit_intercept=False, tol=1e-12, solver="newton-cg") on the rows and their negatives, which
// doubles the loss; scipy.optimize.minimize(BFGS) gives the same objective.
TEST(FitBradleyTerry, EqualsScikitLearn) {
    const SparseRows rows =
        from_dense({{1, 0, -2, .5F}, {0, 1, 1, 0}, {2, -1, 0, 0}, {-1, 2, 0, 1}, {.5F, .5F, .5F, -3}, {1, 1, -1, 0}});
    const LogisticFit fit = fit_bradley_terry(rows, 2.0, 50, 1e-10);
    EXPECT_NEAR(fit.objective, 4.131742887526313, 1e-12);
    const std::vector<double> expected{1.1741081316637036, 1.2627280865704784, -0.20813787711113843, -0.2137183998840807};
    for (std::size_t k = 0; k < expected.size(); ++k) EXPECT_NEAR(fit.weights[k], expected[k], 2e-6);
    EXPECT_LT(fit.gradient, 1e-8);
}

// One feature, one row x = 1: w = c · σ(−w), so c = 1 gives the root of w (1 + e^w) = 1.
TEST(FitBradleyTerry, SolvesTheScalarEquation) {
    const LogisticFit fit = fit_bradley_terry(from_dense({{1.0F}}), 1.0, 50, 1e-13);
    EXPECT_NEAR(fit.weights[0], 0.4010581375, 1e-9);
}

TEST(FitBradleyTerry, SeparableRowsStayFinite) {
    const LogisticFit fit = fit_bradley_terry(from_dense({{1, 0}, {1, 1}, {2, -1}}), 1e6, 200, 1e-8);
    EXPECT_GT(fit.weights[0], 1.0);
    EXPECT_LT(fit.weights[0], 1e3);
}

}  // namespace
}  // namespace xlrm
