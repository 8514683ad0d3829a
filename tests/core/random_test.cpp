#include "xlrm/core/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "xlrm/core/error.hpp"
#include "xlrm/core/json.hpp"

namespace xlrm {
namespace {

TEST(Random, PermutationsEqualThoseOfTorch) {
    const Json rows = read_json(XLRM_SOURCE_DIR "/tests/fixtures/core/torch_randperm.json");
    ASSERT_GT(rows.size(), 0U);
    for (const Json& row : rows) {
        const std::int64_t n = row.at("n");
        const std::vector<std::int64_t> order = torch_randperm(n, row.at("seed").get<std::uint64_t>());
        ASSERT_EQ(static_cast<std::int64_t>(order.size()), n);
        const auto edge = static_cast<std::ptrdiff_t>(std::min<std::int64_t>(n, 6));
        const std::string what = row.dump();
        EXPECT_EQ(std::vector<std::int64_t>(order.begin(), order.begin() + edge),
                  row.at("first").get<std::vector<std::int64_t>>())
            << what;
        EXPECT_EQ(std::vector<std::int64_t>(order.end() - edge, order.end()), row.at("last").get<std::vector<std::int64_t>>())
            << what;
        std::uint64_t checksum = 0;
        for (std::size_t i = 0; i < order.size(); ++i) checksum += (i + 1) * static_cast<std::uint64_t>(order[i]);
        EXPECT_EQ(checksum, row.at("checksum").get<std::uint64_t>()) << what;
    }
}

TEST(Random, PermutationRefusesWhatTorchShufflesInAnotherWay) {
    EXPECT_THROW(torch_randperm(-1, 0), Error);
    EXPECT_THROW(torch_randperm(INT64_C(4294967296) / 20, 0), Error);
}

TEST(Random, StreamsAreRepeatableAndApart) {
    Random a(7, 1);
    Random same(7, 1);
    Random other_stream(7, 2);
    Random other_seed(8, 1);
    int equal = 0;
    for (int i = 0; i < 1000; ++i) {
        const std::uint64_t value = a.next();
        EXPECT_EQ(value, same.next());
        equal += (value == other_stream.next()) + (value == other_seed.next());
    }
    EXPECT_EQ(equal, 0);
}

TEST(Random, BelowIsUniform) {
    Random random(1);
    std::vector<int> counts(7);
    for (int i = 0; i < 70000; ++i) {
        const std::uint64_t value = random.below(7);
        ASSERT_LT(value, 7U);
        ++counts[value];
    }
    double chi2 = 0.0;
    for (const int count : counts) chi2 += (count - 10000.0) * (count - 10000.0) / 10000.0;
    EXPECT_LT(chi2, 22.5);  // 99.9 % quantile with 6 degrees of freedom
    EXPECT_EQ(random.below(1), 0U);
}

TEST(Random, UniformAndNormalHaveTheirMoments) {
    Random random(3);
    constexpr int kCount = 100000;
    double sum = 0.0;
    double normal_sum = 0.0;
    double normal_squares = 0.0;
    for (int i = 0; i < kCount; ++i) {
        const double u = random.uniform();
        ASSERT_GE(u, 0.0);
        ASSERT_LT(u, 1.0);
        sum += u;
        const double z = random.normal();
        normal_sum += z;
        normal_squares += z * z;
    }
    // Four standard errors each.
    EXPECT_NEAR(sum / kCount, 0.5, 4 * std::sqrt(1.0 / 12 / kCount));
    EXPECT_NEAR(normal_sum / kCount, 0.0, 4 / std::sqrt(kCount));
    EXPECT_NEAR(normal_squares / kCount, 1.0, 4 * std::sqrt(2.0 / kCount));
}

TEST(Random, StableHashSpreadsSimilarNames) {
    EXPECT_EQ(stable_hash("x-17"), stable_hash("x-17"));
    std::vector<std::uint64_t> hashes;
    int low_half = 0;
    for (int i = 0; i < 10000; ++i) {
        hashes.push_back(stable_hash("item-" + std::to_string(i)));
        low_half += hashes.back() < (UINT64_C(1) << 63U);
    }
    std::sort(hashes.begin(), hashes.end());
    EXPECT_EQ(std::adjacent_find(hashes.begin(), hashes.end()), hashes.end());
    EXPECT_NEAR(low_half, 5000, 200);  // four standard errors
}

// kat_vectors of Random123 1.14, philox4x32 with 10 rounds.
TEST(Random, PhiloxGivesItsKnownAnswers) {
    using Words = std::array<std::uint32_t, 4>;
    EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
    EXPECT_EQ(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
              (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
    EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
              (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

}  // namespace
}  // namespace xlrm
