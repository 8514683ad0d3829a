// Results of a tiny training and evaluation to the bit, for each kind of processor that the kernels know. Their sole use is to be
// equal to those of the commit before: where arithmetic changes them, `numerics` (recipes.hpp) must be raised, so that sweeps
// make anew what they hold. MKL and ATen are held to the code that all x86-64 processors share.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

#include "support/temporary_folder.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/sha256.hpp"
#include "xlrm/eval/evaluator.hpp"
#include "xlrm/store/safetensors.hpp"
#include "xlrm/sweep/recipes.hpp"
#include "xlrm/train/trainer.hpp"

namespace xlrm {
namespace {

// Before any of them looks.
const bool environment_set = [] {
    setenv("XLRM_CPU", "avx2", 0);
    setenv("MKL_CBWR", "COMPATIBLE", 1);
    setenv("ATEN_CPU_CAPABILITY", "default", 1);
    return true;
}();

struct GoldenBits {
    std::string weights, scores, states;
};

//! Recorded by this test (it prints what it finds) with libtorch 2.11.0 on an AMD EPYC of the Zen 4 kind.
constexpr int kRecordedNumerics = 1;
const std::map<std::string, GoldenBits> kGolden = {
    {"avx2",
     {"c9e4b540b1c70dc99f9afbba170b483acfae31288e6b5cf1561214a2e6abc16b",
      "71bbd3dea529a5aa900fd3615664bc876ab2b644865088e924e59b10d12c8ec2",
      "952362f6add37b20b509a36c4096a27cfa52fac2b3776e79e3eeb37eecb3b32c"}},
    {"avx512",
     {"7c06324951a7e2b1467fbe33e1bef3a974553a4dc3951c93979bc5d868ee6b5f",
      "4db96fe9e0cf623467c4bb3c410529ec27c75f0ec725486a1545a41aa39d6b4b",
      "35a8210ef8da1a8b8fea512fc9f2979784cfb9f7cb7022a772bc92c63a9edd85"}},
};

bool can_run(const std::string& kind) {
    return kind == "avx512" ? __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                                  __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")
                            : __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

const std::string kFixture = std::string(XLRM_SOURCE_DIR) + "/tests/fixtures/train/trl_run/";

std::string sha256_of_tensors(const std::filesystem::path& path) {
    const SafetensorsFile file(path);
    Sha256 hash;
    for (const std::string& name : file.names()) {
        hash.add(name);
        const auto bytes = file.tensor(name).bytes;
        hash.add({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    }
    return hash.hex();
}

std::string sha256_of_floats(const std::vector<float>& a, const std::vector<float>& b) {
    Sha256 hash;
    for (const auto* values : {&a, &b}) hash.add({reinterpret_cast<const char*>(values->data()), values->size() * sizeof(float)});
    return hash.hex();
}

void add_rows(Sha256& hash, const RowSource& rows, std::int64_t row_bytes) {
    std::vector<std::byte> bytes(static_cast<std::size_t>(rows.rows * row_bytes));
    rows.read(0, bytes);
    hash.add({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

GoldenBits computed() {
    const TemporaryFolder folder;
    const Communicator world = Communicator::world();
    TrainOptions train_options;
    train_options.model = kFixture + "model";
    train_options.data = {kFixture + "pairs.jsonl"};
    train_options.output = (folder / "model").string();
    train_options.lr = 1e-3;
    train_options.steps = 3;
    train_options.batch_pairs = 4;
    train(world, train_options, {}, true);
    GoldenBits bits;
    bits.weights = sha256_of_tensors(folder / "model" / "model.safetensors");
    EvaluateOptions evaluate;
    evaluate.activation_dtype = "fp32";
    evaluate.exact = "no";
    Evaluator evaluator(folder / "model", evaluate);
    evaluator.evaluate(world, {kFixture + "pairs.jsonl"}, {}, [&](Cell& cell) {
        bits.scores = sha256_of_floats(cell.chosen, cell.rejected);
        Sha256 states;
        for (const auto& [capture, layers] : cell.activations) {
            for (const LayerRows& layer : layers) {
                add_rows(states, layer.chosen, layer.features * 4);
                add_rows(states, layer.rejected, layer.features * 4);
            }
        }
        bits.states = states.hex();
    });
    return bits;
}

TEST(GoldenBits, AreThoseOfTheNumericsThatRecipesName) {
    ASSERT_TRUE(environment_set);
    const std::string kind = std::getenv("XLRM_CPU");
    const auto golden = kGolden.find(kind);
    ASSERT_NE(golden, kGolden.end()) << "no bits are recorded for " << kind;
    if (!can_run(kind)) GTEST_SKIP() << "this processor cannot run the kernels for " << kind;
    const GoldenBits now = computed();
    const std::string found =
        "{\"" + kind + "\", {\"" + now.weights + "\",\n \"" + now.scores + "\",\n \"" + now.states + "\"}},";
    ASSERT_EQ(kNumerics, kRecordedNumerics) << "numerics was raised: record the bits of every kind anew. Here: " << found;
    const std::string advice =
        "the arithmetic has changed: raise `numerics` (kNumerics in recipes.hpp) and record the bits of every kind anew. Here: " +
        found;
    EXPECT_EQ(now.weights, golden->second.weights) << advice;
    EXPECT_EQ(now.scores, golden->second.scores) << advice;
    EXPECT_EQ(now.states, golden->second.states) << advice;
}

}  // namespace
}  // namespace xlrm
