#include <numeric>

#include "ops/support.hpp"
#include "xlrm/ops/linear.hpp"

// The bits of a row of linear() over many shapes, in company and alone. Takes minutes; ops/linear has a few of the shapes.
namespace xlrm {
namespace {

constexpr std::int64_t kRows = 2000;
constexpr std::int64_t kMost = 32 * 1024 * 1024;

//! The first values of one long row of random numbers.
at::Tensor values(std::int64_t rows, std::int64_t columns, std::int64_t skip, at::ScalarType dtype) {
    static const at::Tensor all = test::normal({kMost}, 1, at::kFloat);
    return all.narrow(0, skip, rows * columns).view({rows, columns}).to(dtype);
}

std::vector<std::int64_t> row_counts() {
    std::vector<std::int64_t> counts(40);
    std::iota(counts.begin(), counts.end(), 1);
    for (const std::int64_t n : {47,  48,  49,  63,  64,  65,  95,  96,  97,  127, 128,  129,  191,  192,  193,  255, 256,
                                 257, 300, 383, 384, 385, 448, 511, 512, 513, 700, 1000, 1023, 1024, 1025, 1500, 1999})
        counts.push_back(n);
    return counts;
}

void scan(at::ScalarType dtype, std::int64_t k, std::int64_t n) {
    const at::Tensor x = values(kRows, k, 0, dtype), w = values(n, k, 7, dtype), b = values(1, n, 3, dtype).flatten();
    const at::Tensor all = linear(x, w, b);
    const std::string where = std::string(c10::toString(dtype)) + " k " + std::to_string(k) + " n " + std::to_string(n);
    const at::Tensor few = x.narrow(0, 100, 3).to(at::kDouble).matmul(w.to(at::kDouble).t()) + b.to(at::kDouble);
    EXPECT_LT(test::difference(all.narrow(0, 100, 3), few), dtype == at::kFloat ? 1e-5 : 4e-3) << where;
    for (const int threads : {1, 2})
        test::with_threads(threads, [&] {
            EXPECT_TRUE(test::same_bits(linear(x, w, b), all)) << where << " threads " << threads;
            for (const std::int64_t rows : row_counts())
                for (const std::int64_t first : {0, 31, 500}) {
                    if (first + rows > kRows || (first == 31 && rows > 513)) continue;
                    EXPECT_TRUE(test::same_bits(linear(x.narrow(0, first, rows), w, b), all.narrow(0, first, rows)))
                        << where << " rows " << rows << " at " << first << " threads " << threads;
                }
            for (const std::int64_t rows : {1, 70, 300}) {
                const std::int64_t first = n / 3, columns = n - n / 2;
                EXPECT_TRUE(
                    test::same_bits(linear(x.narrow(0, 0, rows), w.narrow(0, first, columns), b.narrow(0, first, columns)),
                                    all.narrow(0, 0, rows).narrow(1, first, columns)))
                    << where << " rows " << rows << " of some columns, threads " << threads;
            }
        });
}

class LinearScan : public testing::TestWithParam<at::ScalarType> {};

TEST_P(LinearScan, BitsOfARowDependOnItAlone) {
    for (const std::int64_t k : {64, 100, 128, 256, 333, 512, 896, 1024, 2048, 2560, 4096, 8192, 14336})
        for (const std::int64_t n : {16, 33, 64, 100, 511, 768, 1001, 2048, 4097, 14336})
            if (k * n <= 8 * 1024 * 1024) scan(GetParam(), k, n);
}

INSTANTIATE_TEST_SUITE_P(Dtypes, LinearScan, testing::Values(at::kFloat, at::kBFloat16),
                         [](const auto& test) { return test.param == at::kFloat ? std::string("fp32") : std::string("bf16"); });

}  // namespace
}  // namespace xlrm
