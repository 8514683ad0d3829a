#include "xlrm/bench/flops.hpp"

#include <gtest/gtest.h>

#include "xlrm/bench/bench.hpp"

namespace xlrm {
namespace {

// hidden 8, 1 layer, 2 heads of 4, 1 key head, intermediate 16.
const char* const kShape = "llama:8:1:2:1:16:32";

TEST(Flops, AreThoseOfTheProductsAndOfTheKeysSeen) {
    const ModelConfig config = named_size(kShape);
    // q 8x8, k and v 8x4 each, o 8x8, gate, up and down 8x16 each: 64 + 64 + 64 + 384 = 576 multiply-adds a token.
    // Three tokens see 1, 2 and 3 keys; each key costs 4 multiply-adds for q·k and 4 for p·v in each of 2 heads.
    const Segments segments = {{{{0, 3}}, {{0, 3, 0}}}};
    EXPECT_EQ(forward_flops(config, segments), 2.0 * (3 * 576 + 6 * 2 * 8));
    EXPECT_EQ(training_flops(config, segments), 3.0 * forward_flops(config, segments));
}

TEST(Flops, CountASharedPrefixOnce) {
    // A prompt of 3 tokens sees 1 + 2 + 3 keys; two answers of 2 see 4 + 5 each.
    const Segments segments = {{{{0, 3}}, {{0, 3, 0}}}, {{{0, 3}, {3, 2}}, {{3, 2, 3}}}, {{{0, 3}, {5, 2}}, {{5, 2, 3}}}};
    EXPECT_EQ(seen_keys(segments, 0), 6.0 + 9.0 + 9.0);
    EXPECT_EQ(seen_keys(segments, 2), 1 + 2 + 2 + 2 + 2 + 2 + 2);
}

TEST(Flops, OfManyTokensAreTwiceTheParametersOfTheBody) {
    const ModelConfig config = named_size("small");
    Segments segments;
    for (std::int64_t i = 0; i < 1000; ++i) segments.push_back({{{i, 1}}, {{i, 1, 0}}});
    const double norms = (2.0 * 6 + 1) * 384;
    EXPECT_EQ(forward_flops(config, segments),
              1000 * (2.0 * (static_cast<double>(config.body_parameters()) - norms) + 6 * 4.0 * 384));
}

}  // namespace
}  // namespace xlrm
