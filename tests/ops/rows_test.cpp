#include "xlrm/ops/rows.hpp"

#include "ops/support.hpp"

namespace xlrm {
namespace {

TEST(Rows, GatherAndItsTranspose) {
    const at::Tensor index = test::longs({4, 0, 4});
    for (const at::ScalarType dtype : test::kDtypes) {
        const at::Tensor x = test::normal({6, 77}, 1, dtype), dy = test::normal({3, 77}, 2, dtype);
        EXPECT_TRUE(test::same_bits(gather_rows(x, index), x.index_select(0, index)));
        const at::Tensor dx = test::normal({6, 77}, 3, dtype);
        const at::Tensor expected = dx.to(at::kDouble).index_add(0, index, dy.to(at::kDouble));
        scatter_add_rows(dy, index, dx);
        EXPECT_LT(test::difference(dx, expected), test::tolerance(dtype));
    }
}

TEST(Rows, SegmentMean) {
    for (const at::ScalarType dtype : test::kDtypes) {
        const at::Tensor x = test::normal({30, 70}, 1, dtype);
        const at::Tensor mean = segment_mean(x, test::longs({2, 11, 5}), test::longs({9, 30, 5}));
        EXPECT_LT(test::difference(mean[0], x.to(at::kDouble).narrow(0, 2, 7).mean(0)), dtype == at::kDouble ? 1e-14 : 1e-6);
        EXPECT_LT(test::difference(mean[1], x.to(at::kDouble).narrow(0, 11, 19).mean(0)), dtype == at::kDouble ? 1e-14 : 1e-6);
        EXPECT_EQ(mean[2].abs().max().item<double>(), 0.0);
        EXPECT_TRUE(test::same_bits(mean.narrow(0, 0, 1), segment_mean(x.narrow(0, 2, 7), test::longs({0}), test::longs({7}))));
    }
}

}  // namespace
}  // namespace xlrm
