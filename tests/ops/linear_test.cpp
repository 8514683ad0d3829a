#include "xlrm/ops/linear.hpp"

#include <cmath>
#include <cstdlib>
#include <limits>

#include "ops/cpu/kernels.hpp"
#include "ops/cpu/row_blocks.hpp"
#include "ops/support.hpp"
#include "xlrm/ops/rows.hpp"

namespace xlrm {
namespace {

TEST(Linear, EqualsTheFormulaAndItsGradient) {
    for (const at::ScalarType dtype : test::kDtypes)
        for (const std::int64_t rows : {1, 5, 70}) {
            const at::Tensor x = test::normal({rows, 96}, 1, dtype), w = test::normal({40, 96}, 2, dtype),
                             b = test::normal({40}, 3, dtype);
            const at::Tensor dy = test::normal({rows, 40}, 4, dtype);
            const auto f = [](const std::vector<at::Tensor>& in) { return in[0].matmul(in[1].t()) + in[2]; };
            const std::vector<at::Tensor> wide{x.to(at::kDouble), w.to(at::kDouble), b.to(at::kDouble)};
            EXPECT_LT(test::difference(xlrm::linear(x, w, b), f(wide)), test::tolerance(dtype));
            EXPECT_LT(test::difference(xlrm::linear(x, w), wide[0].matmul(wide[1].t())), test::tolerance(dtype));
            const auto grads = test::autograd(f, wide, dy.to(at::kDouble));
            EXPECT_LT(test::difference(linear_backward_input(dy, w), grads[0]), test::tolerance(dtype));
            const at::ScalarType sums = dtype == at::kDouble ? at::kDouble : at::kFloat;
            const at::Tensor dw = test::zeros({40, 96}, sums) + 1.0, db = test::zeros({40}, sums) + 1.0;
            linear_backward_weight(dy, x, dw, db);
            EXPECT_LT(test::difference(dw, grads[1] + 1.0), test::tolerance(dtype));
            EXPECT_LT(test::difference(db, grads[2] + 1.0), test::tolerance(dtype));
        }
}

void expect_rows_stand_alone(at::ScalarType dtype, std::int64_t k, std::int64_t n, std::int64_t most) {
    const at::Tensor x = test::normal({most, k}, 1, dtype), w = test::normal({n, k}, 2, dtype), b = test::normal({n}, 3, dtype);
    const at::Tensor all = xlrm::linear(x, w, b);
    for (const int threads : {1, 2})
        test::with_threads(threads, [&] {
            for (const std::int64_t rows : {1, 2, 3, 5, 8, 17, 100, 203})
                for (const std::int64_t first : {0, 31, 102}) {
                    if (first + rows > most) continue;
                    EXPECT_TRUE(test::same_bits(xlrm::linear(x.narrow(0, first, rows), w, b), all.narrow(0, first, rows)))
                        << dtype << " k " << k << " n " << n << " rows " << rows << " at " << first << " threads " << threads;
                }
        });
}

TEST(Linear, APackedWeightGivesTheSameBits) {
    for (const at::ScalarType dtype : test::kDtypes)
        for (const std::int64_t k : {1, 40, 384, 768, 1025, 2500})
            for (const std::int64_t n : {1, 31, 384, 1000}) {
                const at::Tensor w = test::normal({n, k}, 2, dtype), b = test::normal({n}, 3, dtype);
                const std::shared_ptr<const PackedWeight> packed = pack_weight(w);
                if (packed == nullptr) continue;  // products read it as it is
                for (const int threads : {1, 2})
                    test::with_threads(threads, [&] {
                        for (const std::int64_t rows : {1, 8, 13, 128, 300}) {
                            const at::Tensor x = test::normal({rows, k}, 1, dtype);
                            EXPECT_TRUE(test::same_bits(xlrm::linear(x, w, b, packed.get()), xlrm::linear(x, w, b)))
                                << dtype << " k " << k << " n " << n << " rows " << rows << " threads " << threads;
                        }
                    });
            }
    const bool kernels = std::getenv("XLRM_OPS") == nullptr;
    const bool own = cpu::own_products<float>() != nullptr;
    EXPECT_EQ(pack_weight(test::normal({4, 4}, 1, at::kFloat)) != nullptr, own && kernels);
    // Beside the library's products this holds only where it adds in the same order, as oneDNN 3.10 does.
    const bool pairs = cpu::packed_products<cpu::Bf16>() != nullptr;
    for (const std::int64_t k : {384, 768, 1024, 1536, 3072})
        EXPECT_EQ(pack_weight(test::normal({384, k}, 1, at::kBFloat16)) != nullptr, pairs && kernels) << k;
}

TEST(Linear, BitsOfARowDependOnItAlone) {
    for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
        for (const std::int64_t k : {64, 384, 1024})
            for (const std::int64_t n : {64, 384, 1000}) expect_rows_stand_alone(dtype, k, n, 203);
        // Depths that the libraries divide, by the number of rows if they are let, and one that fills no vector.
        expect_rows_stand_alone(dtype, 2048, 200, 320);
        expect_rows_stand_alone(dtype, 4096, 128, 203);
        expect_rows_stand_alone(dtype, 333, 77, 203);
    }
}

TEST(Linear, ColumnsAloneAreTheColumnsOfTheWhole) {
    for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16})
        for (const std::int64_t k : {96, 333, 2048}) {
            const at::Tensor x = test::normal({150, k}, 1, dtype), w = test::normal({320, k}, 2, dtype),
                             b = test::normal({320}, 3, dtype);
            const at::Tensor all = xlrm::linear(x, w, b), back = linear_backward_input(all, w);
            EXPECT_TRUE(test::same_bits(xlrm::linear(x, w.narrow(0, 128, 64), b.narrow(0, 128, 64)), all.narrow(1, 128, 64)))
                << k;
            EXPECT_TRUE(test::same_bits(xlrm::linear(x, w.narrow(0, 7, 33), b.narrow(0, 7, 33)), all.narrow(1, 7, 33))) << k;
            for (const std::int64_t rows : {1, 40, 149})
                EXPECT_TRUE(test::same_bits(linear_backward_input(all.narrow(0, 1, rows), w), back.narrow(0, 1, rows))) << k;
        }
}

// Halves between two bf16 numbers, infinity, and what lies behind a row.
TEST(Linear, Bf16ProductRoundsOnceAndReadsNothingElse) {
    const std::int64_t k = 45, n = 39;
    const at::Tensor wide = test::normal({40, 2 * k}, 1, at::kBFloat16), w = test::normal({n, k}, 2, at::kBFloat16);
    const at::Tensor x = wide.narrow(1, 0, k);
    wide.narrow(1, k, k).fill_(std::numeric_limits<double>::quiet_NaN());
    const at::Tensor y = xlrm::linear(x, w);
    EXPECT_LT(test::difference(y, x.to(at::kDouble).matmul(w.to(at::kDouble).t())), 3e-3);
    const at::Tensor eye = test::zeros({3, 3}, at::kBFloat16);
    for (int i = 0; i < 3; ++i) eye[i][i] = 1.0;
    const at::Tensor odd = test::zeros({2, 3}, at::kBFloat16), bias = test::zeros({3}, at::kBFloat16);
    odd[0][0] = 1.0, odd[0][1] = 1.0 + 1.0 / 128, odd[0][2] = -3.0;
    bias[0] = 1.0 / 256, bias[1] = 1.0 / 256, bias[2] = 3e38;
    const at::Tensor sums = xlrm::linear(odd, eye, bias);
    EXPECT_EQ(sums[0][0].item<float>(), 1.0f);               // half way: to the even one
    EXPECT_EQ(sums[0][1].item<float>(), 1.0f + 2.0f / 128);  // half way: to the even one, which is above
    odd[1][0] = std::numeric_limits<double>::infinity(), odd[1][1] = 2.0;
    const at::Tensor infinite = xlrm::linear(odd, eye, bias);
    EXPECT_EQ(infinite[1][0].item<float>(), std::numeric_limits<float>::infinity());
    EXPECT_TRUE(std::isnan(infinite[1][1].item<float>()));  // infinity · 0
    EXPECT_TRUE(test::same_bits(infinite[0], sums[0]));     // and the other row knows nothing of it
}

TEST(Linear, RoomBehindTheRowsChangesNothing) {
    for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16})
        for (const auto& [rows, k] :
             std::vector<std::pair<std::int64_t, std::int64_t>>{{1, 384}, {64, 384}, {70, 384}, {203, 384}, {70, 40}, {70, 50}}) {
            const at::Tensor x = test::normal({rows, k}, 1, dtype), w = test::normal({16, k}, 2, dtype);
            const at::Tensor roomy = cpu::empty_rows(x.sizes(), x.options());
            ASSERT_TRUE(cpu::with_room(roomy, (rows + 63) / 64 * 64).defined());
            cpu::with_room(roomy, (rows + 63) / 64 * 64).fill_(std::numeric_limits<double>::quiet_NaN());
            roomy.copy_(x);
            EXPECT_TRUE(test::same_bits(xlrm::linear(roomy, w), xlrm::linear(x, w))) << dtype << " rows " << rows << " k " << k;
            EXPECT_EQ(cpu::with_room(x, (rows + 63) / 64 * 64).defined(), rows == 64) << dtype << " rows " << rows;
        }
}

TEST(Linear, WeightGradientOfBf16RowsDoesNotDependOnThreads) {
    for (const std::int64_t rows : {1, 33, 512, 1101}) {
        const at::Tensor x = test::normal({rows, 96}, 1, at::kBFloat16);
        const at::Tensor dy = test::normal({rows, 700}, 2, at::kBFloat16).narrow(1, 17, 608);  // rows are a strided view
        const at::Tensor expected = dy.to(at::kDouble).t().matmul(x.to(at::kDouble)) + 1.0;
        const at::Tensor one = test::zeros({608, 96}, at::kFloat) + 1.0, two = one.clone();
        linear_backward_weight(dy, x, one);
        test::with_threads(2, [&] { linear_backward_weight(dy, x, two); });
        // In our own products all sums are fp32; the libraries' is rounded to bf16 once.
        EXPECT_LT(test::difference(one, expected), cpu::own_products<cpu::Bf16>() != nullptr ? 1e-6 : 4e-3) << rows;
        EXPECT_TRUE(test::same_bits(one, two)) << rows;
    }
}

}  // namespace
}  // namespace xlrm
