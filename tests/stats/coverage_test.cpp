// Simulations with known truths: what intervals cover, what tests reject, what a planned gap finds.
#include <gtest/gtest.h>

#include <cmath>

#include "xlrm/core/random.hpp"
#include "xlrm/stats/bootstrap.hpp"
#include "xlrm/stats/detectable_gap.hpp"
#include "xlrm/stats/holm.hpp"
#include "xlrm/stats/intervals.hpp"
#include "xlrm/stats/mcnemar.hpp"

namespace xlrm {
namespace {

constexpr std::int64_t kTrials = 2000;
//! Three standard errors of a share over the trials.
double noise(double share) { return 3.0 * std::sqrt(share * (1.0 - share) / static_cast<double>(kTrials)); }

//! Differences of correctness d = first − second of `clusters` clusters of `size` items with E d = gap. Within a cluster all
//! items share the difficulty of their source with probability `shared`, so that they are right or wrong together.
struct World {
    std::int64_t clusters = 100, size = 1;
    double gap = 0.03, discordance = 0.25, shared = 0.0;
    std::vector<double> draw(std::uint64_t trial) const {
        Random random(2026, trial);
        std::vector<double> d;
        const auto item = [&] {
            const double u = random.uniform();
            const double first = 0.5 * (discordance + gap);
            return u < first ? 1.0 : u < discordance ? -1.0 : 0.0;
        };
        for (std::int64_t g = 0; g < clusters; ++g) {
            const double common = item();
            for (std::int64_t i = 0; i < size; ++i) d.push_back(random.uniform() < shared ? common : item());
        }
        return d;
    }
    std::vector<std::string> names() const {
        std::vector<std::string> names;
        for (std::int64_t g = 0; g < clusters; ++g)
            for (std::int64_t i = 0; i < size; ++i) names.push_back(std::to_string(g));
        return names;
    }
    std::vector<std::int64_t> sums(const std::vector<double>& d) const {
        std::vector<std::int64_t> sums(static_cast<std::size_t>(clusters), 0);
        for (std::size_t i = 0; i < d.size(); ++i) sums[i / static_cast<std::size_t>(size)] += std::lround(d[i]);
        return sums;
    }
};

bool covers(const Interval& interval, double truth) { return interval.low <= truth && truth <= interval.high; }

template <class Trial>
double share(const Trial& trial) {
    std::int64_t hits = 0;
    for (std::int64_t t = 0; t < kTrials; ++t) hits += trial(static_cast<std::uint64_t>(t)) ? 1 : 0;
    return static_cast<double>(hits) / static_cast<double>(kTrials);
}

void expect_95(double share, const char* what) {
    EXPECT_GE(share, 0.93) << what;
    EXPECT_LE(share, 0.97) << what;
    testing::Test::RecordProperty(what, std::to_string(share));
}

TEST(Coverage, OfWilsonIntervals) {
    expect_95(share([](std::uint64_t t) {
                  Random random(7, t);
                  std::int64_t right = 0;
                  for (int i = 0; i < 300; ++i) right += random.uniform() < 0.85 ? 1 : 0;
                  return covers(wilson_interval(right, 300), 0.85);
              }),
              "wilson");
}

TEST(Coverage, OfAGapWithIndependentItems) {
    const World world{400, 1, 0.03, 0.25, 0.0};
    const auto names = world.names();
    expect_95(share([&](std::uint64_t t) { return covers(clustered_mean(world.draw(t), names).interval, world.gap); }), "gap");
}

TEST(Coverage, OfAClusteredGapWhereTheNaiveIntervalFails) {
    const World world{150, 5, 0.03, 0.25, 0.8};
    const auto names = world.names();
    std::vector<std::string> alone;
    for (std::size_t i = 0; i < names.size(); ++i) alone.push_back(std::to_string(i));
    expect_95(share([&](std::uint64_t t) { return covers(clustered_mean(world.draw(t), names).interval, world.gap); }),
              "clustered");
    const double naive = share([&](std::uint64_t t) { return covers(clustered_mean(world.draw(t), alone).interval, world.gap); });
    EXPECT_LT(naive, 0.85);
    testing::Test::RecordProperty("naive", std::to_string(naive));
}

TEST(Coverage, OfTheClusterBootstrap) {
    const World world{120, 4, 0.05, 0.3, 0.7};
    const Resamples resamples(std::vector<std::int32_t>(120, 0), 5);
    for (const IntervalKind kind : {IntervalKind::percentile, IntervalKind::bca}) {
        expect_95(share([&](std::uint64_t t) {
                      const auto sums = world.sums(world.draw(t));
                      const auto all = replicate(resamples, 300, 1, [&](std::span<const double> weights, std::span<double> out) {
                          double sum = 0.0, items = 0.0;
                          for (std::size_t g = 0; g < sums.size(); ++g) {
                              sum += weights[g] * static_cast<double>(sums[g]);
                              items += weights[g] * static_cast<double>(world.size);
                          }
                          out[0] = sum / items;
                      });
                      const auto interval = bootstrap_interval(all[0], resamples.strata(), kind);
                      return covers({interval.low.value(), interval.high.value()}, world.gap);
                  }),
                  kind == IntervalKind::bca ? "bca" : "percentile");
    }
}

TEST(Rejection, OfExactTestsUnderTheNullIsAtMostTheirLevel) {
    const World alone{200, 1, 0.0, 0.25, 0.0}, clustered{100, 4, 0.0, 0.25, 0.8};
    const auto rejects = [](const World& world, std::uint64_t t) {
        return sign_flip_test(world.sums(world.draw(t))).value_or(1.0) <= 0.05;
    };
    EXPECT_LE(share([&](std::uint64_t t) { return rejects(alone, t); }), 0.05 + noise(0.05));
    EXPECT_LE(share([&](std::uint64_t t) { return rejects(clustered, t); }), 0.05 + noise(0.05));
    // McNemar's test takes the items of a cluster for independent ones and rejects far more often.
    const double naive = share([&](std::uint64_t t) {
        PairedCounts counts;
        for (const double d : clustered.draw(t)) ++(d > 0 ? counts.first : d < 0 ? counts.second : counts.both);
        return mcnemar(counts).exact.value_or(1.0) <= 0.05;
    });
    EXPECT_GT(naive, 0.15);
}

TEST(Rejection, OfAHolmFamilyUnderTheNullIsAtMostItsLevel) {
    const World world{150, 1, 0.0, 0.25, 0.0};
    constexpr std::int64_t kFamily = 4;
    EXPECT_LE(share([&](std::uint64_t t) {
                  std::vector<Estimate> p;
                  for (std::int64_t k = 0; k < kFamily; ++k)
                      p.push_back(sign_flip_test(world.sums(world.draw(t * kFamily + static_cast<std::uint64_t>(k)))));
                  for (const Estimate& adjusted : holm(p))
                      if (adjusted.value_or(1.0) <= 0.05) return true;
                  return false;
              }),
              0.05 + noise(0.05));
}

TEST(Power, IsWhatTheDetectableGapPromises) {
    World world{2300, 1, 0.0, 0.25, 0.0};
    world.gap = planned_gap(world.clusters, world.discordance);  // 2.9 points
    const auto names = world.names();
    const double found = share([&](std::uint64_t t) {
        const Interval interval = clustered_mean(world.draw(t), names).interval;
        return interval.low > 0.0;
    });
    EXPECT_NEAR(found, 0.8, noise(0.8) + 0.01);
    // The standard error of the data promises the same gap as the plan.
    const double se = clustered_mean(world.draw(1), names).standard_error;
    EXPECT_NEAR(detectable_gap(se), world.gap, 0.1 * world.gap);
}

}  // namespace
}  // namespace xlrm
