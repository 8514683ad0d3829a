#include "xlrm/ops/rope.hpp"

#include <nlohmann/json.hpp>

#include <fstream>

#include "ops/support.hpp"

namespace xlrm {
namespace {

nlohmann::json fixture() {
    std::ifstream file(XLRM_SOURCE_DIR "/tests/fixtures/ops/rope.json");
    return nlohmann::json::parse(file);
}

RopeConfig config_of(const nlohmann::json& c) {
    RopeConfig config;
    config.theta = c["theta"];
    if (c["type"] == "linear") config.scaling = RopeConfig::Scaling::linear;
    if (c["type"] == "llama3") config.scaling = RopeConfig::Scaling::llama3;
    config.factor = c.value("factor", 1.0);
    config.low_freq_factor = c.value("low_freq_factor", 1.0);
    config.high_freq_factor = c.value("high_freq_factor", 4.0);
    config.original_max_position = c.value("original_max_position", 8192.0);
    return config;
}

TEST(Rope, TableEqualsTransformers) {
    for (const auto& c : fixture()) {
        const std::int64_t d = c["head_dim"];
        const std::vector<std::int64_t> positions = c["positions"];
        const RopeTable table = make_rope_table(config_of(c), positions.back() + 1, d, at::kFloat);
        for (std::size_t p = 0; p < positions.size(); ++p)
            for (std::int64_t i = 0; i < d / 2; ++i) {
                // Both round the frequency and the angle to fp32, so at a large angle a unit in the last place shows.
                const double bound = 1e-6 + 2.5e-7 * double(positions[p]);
                EXPECT_NEAR(table.cos[positions[p]][i].item<double>(), c["cos"][p][std::size_t(i)].get<double>(), bound)
                    << c["type"] << p;
                EXPECT_NEAR(table.sin[positions[p]][i].item<double>(), c["sin"][p][std::size_t(i)].get<double>(), bound)
                    << c["type"] << p;
            }
    }
}

TEST(Rope, RotationEqualsTransformers) {
    for (const auto& c : fixture()) {
        const std::int64_t d = c["head_dim"];
        const std::vector<std::int32_t> positions = c["positions"];
        const std::int64_t n = std::int64_t(positions.size());
        const at::Tensor x = test::normal({n, 2, d}, 1), expected = test::zeros({n, 2, d}, at::kDouble);
        for (std::int64_t t = 0; t < n; ++t)
            for (std::int64_t h = 0; h < 2; ++h)
                for (std::int64_t i = 0; i < d; ++i) {
                    const auto at = [&](const char* name) {
                        return c[name][std::size_t(t)][std::size_t(i % (d / 2))].get<double>();
                    };
                    const double partner = i < d / 2 ? -x[t][h][i + d / 2].item<double>() : x[t][h][i - d / 2].item<double>();
                    expected[t][h][i] = x[t][h][i].item<double>() * at("cos") + partner * at("sin");
                }
        for (const at::ScalarType dtype : test::kDtypes) {
            const at::Tensor y = x.to(dtype, false, true);
            rope(y, test::ints(positions), make_rope_table(config_of(c), positions.back() + 1, d, dtype));
            EXPECT_LT(test::difference(y, expected), dtype == at::kBFloat16 ? 1e-2 : 3e-4) << c["type"] << dtype;
        }
    }
}

TEST(Rope, InverseIsTheTransposeOnStridedViews) {
    const RopeTable table = make_rope_table({}, 100, 64, at::kDouble);
    const at::Tensor positions = test::ints({99, 0, 7, 50});
    const at::Tensor merged = test::normal({4, 5, 64}, 1), before = merged.clone(), y = test::normal({4, 3, 64}, 2),
                     rotated = y.clone();
    const at::Tensor view = merged.narrow(1, 1, 3);
    rope(view, positions, table);
    const double forward = (view * y).sum().item<double>();
    rope(rotated, positions, table, true);
    EXPECT_NEAR(forward, (before.narrow(1, 1, 3) * rotated).sum().item<double>(), 1e-11);
    rope(view, positions, table, true);
    EXPECT_LT(test::difference(merged, before), 1e-15);
    EXPECT_TRUE(test::same_bits(merged.narrow(1, 4, 1), before.narrow(1, 4, 1)));
}

TEST(Rope, ATableDoesNotDependOnItsLength) {
    EXPECT_TRUE(test::same_bits(make_rope_table({}, 37, 64, at::kFloat).cos,
                                make_rope_table({}, 400, 64, at::kFloat).cos.narrow(0, 0, 37)));
}

}  // namespace
}  // namespace xlrm
