#include "xlrm/stats/singular_ratio.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

TEST(SymmetricEigenvalues, EqualTheClosedForm) {
    // [[2, 1], [1, 2]] → 3, 1; the second difference matrix of order 3 → 2 + sqrt 2, 2, 2 - sqrt 2.
    const std::vector<double> two = symmetric_eigenvalues({2, 1, 1, 2}, 2);
    EXPECT_NEAR(two[0], 3.0, 1e-15);
    EXPECT_NEAR(two[1], 1.0, 1e-15);
    const std::vector<double> three = symmetric_eigenvalues({2, -1, 0, -1, 2, -1, 0, -1, 2}, 3);
    EXPECT_NEAR(three[0], 2.0 + std::sqrt(2.0), 1e-14);
    EXPECT_NEAR(three[1], 2.0, 1e-14);
    EXPECT_NEAR(three[2], 2.0 - std::sqrt(2.0), 1e-14);
}

TEST(SingularRatio, IdenticalRowsGiveOne) {
    std::vector<double> matrix;
    for (int row = 0; row < 5; ++row) matrix.insert(matrix.end(), {0.3, -1.0, 2.0, 0.1, 0.0, 4.0});
    EXPECT_NEAR(singular_ratio(matrix, 5, 6).value(), 1.0, 1e-7);
}

TEST(SingularRatio, OrthogonalRowsOfEqualNormGiveTheInverseOfTheirNumber) {
    const std::vector<double> matrix{1, 1, 1, 1, 1, -1, 1, -1, 1, 1, -1, -1};
    EXPECT_NEAR(singular_ratio(matrix, 3, 4).value(), 1.0 / 3.0, 1e-15);
}

TEST(SingularRatio, ZeroMatrixHasNone) {
    EXPECT_EQ(singular_ratio(std::vector<double>(12, 0.0), 3, 4).why(), Undefined::no_variation);
    const std::vector<float> zero(8, 0.0F), other{1, 2, 3, 4, 0, 0, 0, 0};  // the second item is zero in both languages
    const std::vector<std::span<const float>> languages{zero, other};
    const auto ratios = singular_ratios(languages, 2, 4, RatioVariant::raw);
    EXPECT_NEAR(ratios[0].value(), 1.0, 1e-12);
    EXPECT_EQ(ratios[1].why(), Undefined::no_variation);
    EXPECT_EQ(mean_ratio(ratios).why(), Undefined::no_variation);
    EXPECT_NEAR(mean_ratio(std::span(ratios).first(1)).value(), 1.0, 1e-12);
    EXPECT_EQ(mean_ratio({}).why(), Undefined::no_items);
}

// First five rows of numpy.random.RandomState(1337).randn(100, 10); values by numpy.linalg.svd.
TEST(SingularRatio, EqualsNumpy) {
    const std::vector<double> rows{
        -0.7031873098624105,   -0.49028236278771464,  -0.3218143296501526, -1.7550787171239868,   0.20666447021383047,
        -2.011264572814634,    -0.5572507081239421,   0.3372170084417056,  1.5488359716694058,    -1.3707365582609627,
        1.4252913986629026,    -0.2794639098029346,   -0.559627906760132,  1.186383367445606,     1.6985189051376623,
        -1.6912201576405048,   -0.6995228442321605,   0.582962841937446,   0.9782226298198076,    -1.2173721054718658,
        -1.3293954484318342,   -0.001454742266428668, -1.3146526837845254, -0.37961174341756554,  1.265210647376645,
        0.12066774406890175,   0.14794177849860185,   -2.7537257920074936, -0.3568963241881448,   0.00771783656034255,
        1.4782771611306014,    -0.957614628561729,    1.3290081066145112,  -0.9858496301914452,   0.47155720186813443,
        -0.008746529498673312, 0.36701868900629514,   1.1185547440864663,  -0.008389935119820476, 0.46631537869506084,
        1.2632687003334995,    -0.9016546538618192,   -1.0288426927914085, 0.5696784209487935,    0.6416647796503595,
        0.2598119299882401,    1.1931781372550891,    -1.0463003622367857, 0.13988892063047142,   -1.7306558398878829};
    EXPECT_NEAR(singular_ratio(rows, 5, 10).value(), 0.2746761963059751, 1e-12);
}

// Three languages, two items, four features: small whole numbers, so that float loses nothing. Values by numpy.linalg.svd.
class SingularRatios : public ::testing::Test {
protected:
    const std::vector<float> a{1, 2, 3, 4, 0, 1, 0, -1}, b{2, 2, 2, 5, 1, 1, 0, -2}, c{-1, 0, 3, 1, 3, 0, 1, 1};
    const std::vector<std::span<const float>> languages{a, b, c};
    double of(RatioVariant variant, std::size_t item) const { return singular_ratios(languages, 2, 4, variant)[item].value(); }
};

TEST_F(SingularRatios, EveryVariantEqualsNumpy) {
    EXPECT_NEAR(of(RatioVariant::raw, 0), 0.7152881270653206, 1e-12);
    EXPECT_NEAR(of(RatioVariant::raw, 1), 0.5095916875363329, 1e-12);
    EXPECT_NEAR(of(RatioVariant::row_normalised, 0), 0.646768419781507, 1e-12);
    EXPECT_NEAR(of(RatioVariant::row_normalised, 1), 0.5131594934389768, 1e-12);
    EXPECT_NEAR(of(RatioVariant::centred, 0), 0.5983275404758256, 1e-12);
    EXPECT_NEAR(of(RatioVariant::centred, 1), 0.6135911489506767, 1e-12);
    EXPECT_NEAR(of(RatioVariant::centred_normalised, 0), 0.5428593641300271, 1e-12);
    EXPECT_NEAR(of(RatioVariant::centred_normalised, 1), 0.5419802996505128, 1e-12);
}

TEST_F(SingularRatios, RefusesMatricesThatAreNotParallel) {
    EXPECT_THROW(singular_ratios(languages, 3, 4, RatioVariant::raw), Error);
    EXPECT_THROW(singular_ratios({}, 2, 4, RatioVariant::raw), Error);
}

}  // namespace
}  // namespace xlrm
