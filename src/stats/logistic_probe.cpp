#include "xlrm/stats/logistic_probe.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/linalg_qr.h>
#include <ATen/ops/linalg_solve.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

#include "matrix.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm {

namespace {

constexpr int kMostIterations = 100;

//! The problem in one matrix: a last column of ones where there is an intercept, which is not penalised.
struct Problem {
    at::Tensor rows, signs, penalised;  //!< (n, p), (n) ±1, (p) 1 or 0
    double c = 1.0;

    double objective(const at::Tensor& w) const {
        double sum = 0.0;
        for (const double m : matrix::values(rows.matmul(w).mul(signs)))
            sum += m > 0.0 ? std::log1p(std::exp(-m)) : -m + std::log1p(std::exp(m));
        return 0.5 * matrix::dot(w.mul(penalised), w) + c * sum;
    }
    at::Tensor wrong(const at::Tensor& w) const { return rows.matmul(w).mul(signs).neg().sigmoid(); }
    at::Tensor gradient(const at::Tensor& w, const at::Tensor& wrong) const {
        return w.mul(penalised).sub(rows.t().matmul(wrong.mul(signs)), c);
    }
    at::Tensor hessian(const at::Tensor& wrong) const {
        at::Tensor h = rows.t().matmul(rows.mul(wrong.mul(wrong.neg().add(1.0)).unsqueeze(1))).mul(c);
        h.diagonal().add_(penalised);
        return h;
    }
};

Problem make_problem(const at::Tensor& x, const at::Tensor& labels, double c, bool intercept) {
    matrix::require_matrix(x, "a probe");
    require(labels.dim() == 1 && labels.scalar_type() == at::kLong && labels.size(0) == x.size(0) && c > 0.0,
            "a probe needs one label (int64) for each row, and C > 0");
    const at::Tensor ones_of = labels.eq(1);
    const std::int64_t positive = ones_of.sum().item<std::int64_t>(), zero = labels.eq(0).sum().item<std::int64_t>();
    require(positive + zero == x.size(0) && positive > 0 && zero > 0, "a probe needs labels 0 and 1, some of each");
    Problem problem{x, ones_of.to(at::kDouble).mul(2.0).sub(1.0), at::ones({x.size(1)}, at::kDouble), c};
    if (intercept) {
        problem.rows = at::cat({x, at::ones({x.size(0), 1}, at::kDouble)}, 1);
        problem.penalised = at::cat({problem.penalised, at::zeros({1}, at::kDouble)});
    }
    return problem;
}

}  // namespace

double LogisticProbe::accuracy(const at::Tensor& x, const at::Tensor& labels) const {
    const at::Tensor positive = x.matmul(weights).add(intercept).gt(0.0);
    return static_cast<double>(positive.eq(labels.eq(1)).sum().item<std::int64_t>()) / static_cast<double>(x.size(0));
}

LogisticProbe fit_probe(const at::Tensor& x, const at::Tensor& labels, double c, bool intercept) {
    const Problem problem = make_problem(x, labels, c, intercept);
    at::Tensor w = at::zeros({problem.rows.size(1)}, at::kDouble);
    LogisticProbe probe;
    probe.objective = problem.objective(w);
    const double enough = 1e-8 * (1.0 + c * static_cast<double>(x.size(0)));
    for (;; ++probe.iterations) {
        const at::Tensor wrong = problem.wrong(w);
        const at::Tensor gradient = problem.gradient(w, wrong);
        probe.gradient = gradient.abs().max().item<double>();
        if (probe.gradient <= enough || probe.iterations == kMostIterations) break;
        const at::Tensor step = at::linalg_solve(problem.hessian(wrong), gradient);
        const double slope = matrix::dot(step, gradient);
        double length = 1.0;
        at::Tensor next = w.sub(step);
        double value = problem.objective(next);
        while (value > probe.objective - 1e-4 * length * slope && length > 1e-10) {
            length *= 0.5;
            next = w.sub(step, length);
            value = problem.objective(next);
        }
        if (value >= probe.objective) break;  // rounding is all that is left
        w = next;
        probe.objective = value;
    }
    const std::int64_t features = x.size(1);
    probe.weights = w.narrow(0, 0, features).contiguous();
    if (intercept) probe.intercept = w[features].item<double>();
    return probe;
}

LogisticProbe fit_wide_probe(const at::Tensor& x, const at::Tensor& labels, double c, bool intercept) {
    matrix::require_matrix(x, "a probe");
    if (x.size(1) <= x.size(0)) return fit_probe(x, labels, c, intercept);
    const auto [q, r] = at::linalg_qr(x.t());  // x = r' q'
    LogisticProbe probe = fit_probe(r.t().contiguous(), labels, c, intercept);
    probe.weights = q.matmul(probe.weights);
    return probe;
}

}  // namespace xlrm
