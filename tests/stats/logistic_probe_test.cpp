#include "xlrm/stats/logistic_probe.hpp"

#include <gtest/gtest.h>

#include "stats/matrices.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

at::Tensor labels_of(const std::vector<std::int64_t>& labels) {
    at::Tensor out = at::empty({static_cast<std::int64_t>(labels.size())}, at::kLong);
    std::copy(labels.begin(), labels.end(), out.mutable_data_ptr<std::int64_t>());
    return out;
}

// sklearn.linear_model.LogisticRegression(solver="newton-cholesky", tol=1e-14)
TEST(LogisticProbe, EqualsScikitLearn) {
    for (const Json& one : test::representation().at("probes")) {
        const at::Tensor x = test::matrix_of(one.at("x"), one.at("n"), one.at("d"));
        const at::Tensor labels = labels_of(one.at("y"));
        const LogisticProbe probe = fit_probe(x, labels, one.at("c"), one.at("intercept"));
        EXPECT_NEAR(probe.objective, one.at("objective").get<double>(), 1e-6);
        EXPECT_NEAR(probe.intercept, one.at("bias").get<double>(), 1e-5);
        const std::vector<double> weights = one.at("weights");
        for (std::size_t i = 0; i < weights.size(); ++i)
            EXPECT_NEAR(probe.weights[static_cast<std::int64_t>(i)].item<double>(), weights[i], 1e-5);
        EXPECT_NEAR(probe.accuracy(x, labels), one.at("accuracy").get<double>(), 1e-12);
    }
}

TEST(LogisticProbe, EqualsReferenceValues) {
    const auto [x, y, packages] = test::matrices("v1");
    const at::Tensor labels = x.select(1, 0).gt(0.0).to(at::kLong);
    const LogisticProbe probe = fit_probe(y, labels);
    EXPECT_NEAR(probe.objective, 50.16605776, 1e-6);
    EXPECT_NEAR(probe.intercept, -0.22997823, 1e-5);
    EXPECT_NEAR(probe.accuracy(y, labels), 0.78, 1e-12);
    EXPECT_LT(probe.gradient, 1e-6);
}

TEST(LogisticProbe, FitsSeparableDataWithLargeC) {
    const at::Tensor x = test::normal_matrix(50, 3, 1);
    const at::Tensor labels = x.select(1, 0).gt(0.0).to(at::kLong);
    const LogisticProbe probe = fit_probe(x, labels, 1e4);
    EXPECT_EQ(probe.accuracy(x, labels), 1.0);
}

TEST(LogisticProbe, InTheSpanOfTheRowsIsTheSame) {
    const at::Tensor x = test::normal_matrix(25, 60, 1);
    const at::Tensor labels = x.select(1, 0).gt(0.2).to(at::kLong);
    for (const bool intercept : {true, false}) {
        const LogisticProbe whole = fit_probe(x, labels, 0.5, intercept), wide = fit_wide_probe(x, labels, 0.5, intercept);
        EXPECT_NEAR(wide.objective, whole.objective, 1e-8);
        EXPECT_NEAR(wide.intercept, whole.intercept, 1e-6);
        EXPECT_LT(wide.weights.sub(whole.weights).abs().max().item<double>(), 1e-6);
    }
    const at::Tensor narrow = test::normal_matrix(40, 3, 1), own = narrow.select(1, 0).gt(0.0).to(at::kLong);
    EXPECT_EQ(fit_wide_probe(narrow, own).objective, fit_probe(narrow, own).objective);
}

TEST(LogisticProbe, RefusesWhatItCannotFit) {
    const at::Tensor x = test::normal_matrix(4, 2, 1);
    EXPECT_THROW(fit_probe(x, labels_of({1, 1, 1, 1})), Error);
    EXPECT_THROW(fit_probe(x, labels_of({1, 0, 2, 1})), Error);
    EXPECT_THROW(fit_probe(x, labels_of({1, 0})), Error);
    EXPECT_THROW(fit_probe(x, labels_of({1, 0, 1, 0}), 0.0), Error);
}

}  // namespace
}  // namespace xlrm
