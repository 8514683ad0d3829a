// Our own products in vectors, of every type: row_product and linear_backward_weight take them where they have nothing faster for
// a processor.
#include <limits>

#include "ops/cpu/aligned_buffer.hpp"
#include "ops/cpu/dispatch.hpp"
#include "ops/cpu/kernels.hpp"
#include "ops/support.hpp"

namespace xlrm {
namespace {

//! x [T, k] · w [n, k]^T or w [k, n] (+ bias) into a tensor with columns behind it that must stay as they are.
at::Tensor product(const at::Tensor& x, const at::Tensor& w, bool transposed, const at::Tensor& bias) {
    const std::int64_t n = w.size(transposed ? 0 : 1), behind = 5;
    const at::Tensor y = test::zeros({x.size(0), n + behind}, x.scalar_type()) + 3.0;
    dispatch(x.scalar_type(), [&](auto type) {
        using T = decltype(type);
        const cpu::Product<T> args{const_data<T>(x),
                                   x.stride(0),
                                   const_data<T>(w),
                                   w.stride(0),
                                   transposed,
                                   bias.defined() ? const_data<T>(bias) : nullptr,
                                   data<T>(y),
                                   y.stride(0),
                                   x.size(0),
                                   x.size(1),
                                   n};
        AlignedBuffer<char> scratch(cpu::kernels<T>().products.scratch(args.k));
        cpu::kernels<T>().products.product(args, scratch.data());
    });
    EXPECT_TRUE((y.narrow(1, n, behind) == 3.0).all().item<bool>());
    return y.narrow(1, 0, n).contiguous();
}

double bound(at::ScalarType dtype) { return dtype == at::kDouble ? 1e-14 : dtype == at::kFloat ? 2e-6 : 3e-3; }

TEST(OwnProduct, EqualsTheSumInFp64RoundedOnce) {
    for (const at::ScalarType dtype : test::kDtypes)
        for (const std::int64_t k : {1, 45, 384, 2050, 3000})
            for (const std::int64_t n : {1, 39, 96, 700}) {
                const at::Tensor x = test::normal({37, k}, 1, dtype), w = test::normal({n, k}, 2, dtype),
                                 b = test::normal({n}, 3, dtype);
                const at::Tensor exact = x.to(at::kDouble).matmul(w.to(at::kDouble).t());
                EXPECT_LT(test::difference(product(x, w, true, {}), exact), bound(dtype)) << dtype << " " << k << " " << n;
                EXPECT_LT(test::difference(product(x, w.t().contiguous(), false, b), exact + b.to(at::kDouble)), bound(dtype))
                    << dtype << " " << k << " " << n;
            }
}

TEST(OwnProduct, BitsOfAnElementDependOnItsRowAndColumnAlone) {
    for (const at::ScalarType dtype : test::kDtypes)
        for (const std::int64_t k : {333, 1100}) {
            const at::Tensor x = test::normal({600, k}, 1, dtype), w = test::normal({320, k}, 2, dtype);
            const at::Tensor all = product(x, w, true, {});
            EXPECT_TRUE(test::same_bits(product(x, w.t().contiguous(), false, {}), all)) << dtype << " " << k;
            for (const std::int64_t rows : {1, 7, 40})
                for (const std::int64_t columns : {3, 33, 200})
                    EXPECT_TRUE(test::same_bits(product(x.narrow(0, 500, rows), w.narrow(0, 7, columns), true, {}),
                                                all.narrow(0, 500, rows).narrow(1, 7, columns).contiguous()))
                        << dtype << " " << k << " rows " << rows << " columns " << columns;
        }
}

// What lies outside x and w is not read as a number: infinity there would come out as not-a-number.
TEST(OwnProduct, ReadsNothingElse) {
    for (const at::ScalarType dtype : test::kDtypes) {
        const at::Tensor wide_x = test::normal({20, 90}, 1, dtype), wide_w = test::normal({70, 90}, 2, dtype);
        const at::Tensor x = wide_x.narrow(0, 0, 11).narrow(1, 0, 45), w = wide_w.narrow(0, 0, 39).narrow(1, 0, 45);
        const at::Tensor before = product(x, w, true, {});
        for (const at::Tensor& outside :
             {wide_x.narrow(1, 45, 45), wide_x.narrow(0, 11, 9), wide_w.narrow(1, 45, 45), wide_w.narrow(0, 39, 31)})
            outside.fill_(std::numeric_limits<double>::infinity());
        EXPECT_TRUE(test::same_bits(product(x, w, true, {}), before)) << dtype;
    }
}

TEST(OwnProduct, WeightGradientAddsToWhatIsThere) {
    for (const at::ScalarType dtype : test::kDtypes)
        for (const std::int64_t tokens : {1, 255, 700})
            for (const std::int64_t k : {32, 576}) {
                const at::Tensor dy = test::normal({tokens, 128}, 1, dtype), x = test::normal({tokens, k}, 2, dtype);
                const at::Tensor dw = test::zeros({128, k + 16}, sum_type(dtype)) + 1.0;
                dispatch(dtype, [&](auto type) {
                    using T = decltype(type);
                    const cpu::Products<T>& own = cpu::kernels<T>().products;
                    AlignedBuffer<char> scratch(own.gradient_scratch());
                    own.weight_gradient({const_data<T>(dy), dy.stride(0), const_data<T>(x), x.stride(0), tokens, k,
                                         data<cpu::Accumulate<T>>(dw), dw.stride(0)},
                                        32, 96, scratch.data());
                });
                at::Tensor expected = test::zeros({128, k + 16}, at::kDouble) + 1.0;
                expected.narrow(0, 32, 64).narrow(1, 0, k) += dy.to(at::kDouble).narrow(1, 32, 64).t().matmul(x.to(at::kDouble));
                EXPECT_LT(test::difference(dw, expected), dtype == at::kDouble ? 1e-14 : 1e-6)
                    << dtype << " " << tokens << " " << k;
                EXPECT_TRUE((dw.narrow(0, 0, 32) == 1.0).all().item<bool>() && (dw.narrow(1, k, 16) == 1.0).all().item<bool>());
            }
}

}  // namespace
}  // namespace xlrm
