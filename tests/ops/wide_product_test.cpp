// bf16 products in fp32 vectors, which row_product and linear_backward_weight take where a processor has no instructions for bf16.
#include <cstring>

#include "ops/aligned_buffer.hpp"
#include "ops/cpu/kernels.hpp"
#include "ops/dispatch.hpp"
#include "ops/support.hpp"

namespace xlrm {
namespace {

const cpu::Bf16Products& wide() { return cpu::flat_kernels().wide; }

//! x [T, k] · w [n, k]^T or w [k, n] (+ bias) into a tensor with columns behind it that must stay as they are.
at::Tensor product(const at::Tensor& x, const at::Tensor& w, bool transposed, const at::Tensor& bias) {
    const std::int64_t n = w.size(transposed ? 0 : 1), behind = 5;
    const at::Tensor y = test::zeros({x.size(0), n + behind}, at::kBFloat16) + 3.0;
    const cpu::Bf16Product args{const_data<cpu::Bf16>(x), x.stride(0), const_data<cpu::Bf16>(w), w.stride(0), transposed,
                                bias.defined() ? const_data<cpu::Bf16>(bias) : nullptr, data<cpu::Bf16>(y), y.stride(0), x.size(0), x.size(1), n};
    AlignedBuffer<char> scratch(wide().scratch(args.k));
    wide().product(args, scratch.data());
    EXPECT_TRUE((y.narrow(1, n, behind) == 3.0).all().item<bool>());
    return y.narrow(1, 0, n).contiguous();
}

TEST(WideProduct, EqualsTheSumInFp64RoundedOnce) {
    for (const std::int64_t k : {1, 45, 384, 2050})
        for (const std::int64_t n : {1, 39, 96, 700}) {
            const at::Tensor x = test::normal({37, k}, 1, at::kBFloat16), w = test::normal({n, k}, 2, at::kBFloat16), b = test::normal({n}, 3, at::kBFloat16);
            const at::Tensor exact = x.to(at::kDouble).matmul(w.to(at::kDouble).t());
            EXPECT_LT(test::difference(product(x, w, true, {}), exact), 3e-3) << k << " " << n;
            EXPECT_LT(test::difference(product(x, w.t().contiguous(), false, b), exact + b.to(at::kDouble)), 3e-3) << k << " " << n;
        }
}

TEST(WideProduct, BitsOfAnElementDependOnItsRowAndColumnAlone) {
    const at::Tensor x = test::normal({150, 333}, 1, at::kBFloat16), w = test::normal({320, 333}, 2, at::kBFloat16);
    const at::Tensor all = product(x, w, true, {});
    EXPECT_TRUE(test::same_bits(product(x, w.t().contiguous(), false, {}), all));
    for (const std::int64_t rows : {1, 7, 40})
        for (const std::int64_t columns : {3, 33, 200})
            EXPECT_TRUE(test::same_bits(product(x.narrow(0, 100, rows), w.narrow(0, 7, columns), true, {}),
                                        all.narrow(0, 100, rows).narrow(1, 7, columns).contiguous()))
                << rows << " " << columns;
}

TEST(WideProduct, WeightGradientAddsInFp32) {
    for (const std::int64_t tokens : {1, 255, 700})
        for (const std::int64_t k : {32, 576}) {
            const at::Tensor dy = test::normal({tokens, 128}, 1, at::kBFloat16), x = test::normal({tokens, k}, 2, at::kBFloat16);
            const at::Tensor dw = test::zeros({128, k + 16}, at::kFloat) + 1.0;
            AlignedBuffer<char> scratch(wide().gradient_scratch());
            const cpu::Bf16WeightGradient args{const_data<cpu::Bf16>(dy), dy.stride(0), const_data<cpu::Bf16>(x), x.stride(0), tokens, k, data<float>(dw),
                                               dw.stride(0)};
            wide().weight_gradient(args, 32, 96, scratch.data());
            at::Tensor expected = test::zeros({128, k + 16}, at::kDouble) + 1.0;
            expected.narrow(0, 32, 64).narrow(1, 0, k) += dy.to(at::kDouble).narrow(1, 32, 64).t().matmul(x.to(at::kDouble));
            EXPECT_LT(test::difference(dw, expected), 1e-6) << tokens << " " << k;
            EXPECT_TRUE((dw.narrow(0, 0, 32) == 1.0).all().item<bool>() && (dw.narrow(1, k, 16) == 1.0).all().item<bool>());
        }
}

}  // namespace
}  // namespace xlrm
