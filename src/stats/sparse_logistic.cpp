#include "xlrm/stats/sparse_logistic.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>
#include <utility>

namespace xlrm {
namespace {

using Vector = std::vector<double>;

double dot(const Vector& a, const Vector& b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

double log1p_exp(double x) { return x > 0.0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }

struct State {
    double objective = 0.0;
    Vector gradient;
    Vector curvature;  // c · σ(m) σ(−m) of each row
};

State evaluate(const SparseRows& rows, double c, const Vector& weights) {
    State state;
    state.objective = 0.5 * dot(weights, weights);
    state.gradient = weights;
    state.curvature.resize(static_cast<std::size_t>(rows.rows()));
    for (std::int64_t r = 0; r < rows.rows(); ++r) {
        const double margin = rows.dot(r, weights);
        const double wrong = 1.0 / (1.0 + std::exp(margin));
        state.objective += c * log1p_exp(-margin);
        rows.add_to(r, -c * wrong, state.gradient);
        state.curvature[static_cast<std::size_t>(r)] = c * wrong * (1.0 - wrong);
    }
    return state;
}

// Solves (I + Σ curvature_r x_r x_rᵀ) step = −gradient until the residual has fallen by `accuracy`.
Vector newton_step(const SparseRows& rows, const State& state, double accuracy) {
    Vector step(state.gradient.size(), 0.0), residual(state.gradient.size());
    std::transform(state.gradient.begin(), state.gradient.end(), residual.begin(), [](double g) { return -g; });
    Vector direction = residual;
    double norm = dot(residual, residual);
    const double target = norm * accuracy * accuracy;
    constexpr int kMaxProducts = 200;
    for (int k = 0; k < kMaxProducts && norm > target; ++k) {
        Vector product = direction;
        for (std::int64_t r = 0; r < rows.rows(); ++r)
            rows.add_to(r, state.curvature[static_cast<std::size_t>(r)] * rows.dot(r, direction), product);
        const double alpha = norm / dot(direction, product);
        for (std::size_t i = 0; i < step.size(); ++i) {
            step[i] += alpha * direction[i];
            residual[i] -= alpha * product[i];
        }
        const double next = dot(residual, residual);
        for (std::size_t i = 0; i < step.size(); ++i) direction[i] = residual[i] + next / norm * direction[i];
        norm = next;
    }
    return step;
}

double largest(const Vector& values) {
    double result = 0.0;
    for (const double value : values) result = std::max(result, std::abs(value));
    return result;
}

// Moves along `step`, halved until the objective falls enough (Armijo); false where rounding leaves no further descent.
bool descend(const SparseRows& rows, double c, const Vector& step, Vector& weights, State& state) {
    const double slope = dot(state.gradient, step);
    for (double length = 1.0; length > 1e-10; length *= 0.5) {
        Vector candidate = weights;
        for (std::size_t i = 0; i < candidate.size(); ++i) candidate[i] += length * step[i];
        State next = evaluate(rows, c, candidate);
        if (next.objective > state.objective + 1e-4 * length * slope) continue;
        weights = std::move(candidate);
        state = std::move(next);
        return true;
    }
    return false;
}

}  // namespace

double SparseRows::dot(std::int64_t row, std::span<const double> weights) const {
    double sum = 0.0;
    for (auto k = static_cast<std::size_t>(offsets[static_cast<std::size_t>(row)]);
         k < static_cast<std::size_t>(offsets[static_cast<std::size_t>(row) + 1]); ++k)
        sum += static_cast<double>(values[k]) * weights[columns[k]];
    return sum;
}

void SparseRows::add_to(std::int64_t row, double factor, std::span<double> weights) const {
    for (auto k = static_cast<std::size_t>(offsets[static_cast<std::size_t>(row)]);
         k < static_cast<std::size_t>(offsets[static_cast<std::size_t>(row) + 1]); ++k)
        weights[columns[k]] += factor * static_cast<double>(values[k]);
}

LogisticFit fit_bradley_terry(const SparseRows& rows, double c, int max_iterations, double tolerance) {
    assert(c > 0.0);
    LogisticFit fit;
    fit.weights.assign(static_cast<std::size_t>(rows.width), 0.0);
    State state = evaluate(rows, c, fit.weights);
    const double target = tolerance * largest(state.gradient);
    while (largest(state.gradient) > target && fit.iterations < max_iterations) {
        if (!descend(rows, c, newton_step(rows, state, 0.05), fit.weights, state)) break;
        ++fit.iterations;
    }
    fit.objective = state.objective;
    fit.gradient = largest(state.gradient);
    return fit;
}

}  // namespace xlrm
