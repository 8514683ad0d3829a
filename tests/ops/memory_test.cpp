// What goes between host and device: nothing where they are one, one copy for what is sent together.
#include "xlrm/ops/memory.hpp"

#include <ATen/ops/equal.h>

#include "ops/device_ops.hpp"
#include "ops/support.hpp"

namespace xlrm {
namespace {

TEST(Memory, OfTheCpuIsTheHosts) {
    const UseOps use(cpu_ops());
    EXPECT_TRUE(on_host(at::kCPU));
    at::Tensor x = test::ints({1, 2, 3});
    const at::Tensor before = x;
    send(at::kCPU, {&x});
    EXPECT_TRUE(x.is_same(before));
    const at::Tensor host = to_host(x);
    EXPECT_TRUE(host.is_same(x));
    host.fill_(7);
    from_host(host, x);
    EXPECT_TRUE(at::equal(x, test::ints({7, 7, 7})));
}

TEST(Memory, OfAnotherDeviceIsReadAndWrittenByCopies) {
    const UseOps use(reference_ops());
    EXPECT_FALSE(on_host(at::kCPU));
    const at::Tensor x = test::normal({3, 5}, 1, at::kFloat), before = x.clone();
    const at::Tensor host = to_host(x.narrow(0, 1, 2));
    EXPECT_TRUE(test::same_bits(host, x.narrow(0, 1, 2)));
    host.fill_(2.0);
    EXPECT_TRUE(test::same_bits(x, before));
    from_host(host, x.narrow(0, 1, 2));
    EXPECT_TRUE(test::same_bits(x.narrow(0, 0, 1), before.narrow(0, 0, 1)));
    EXPECT_TRUE(at::equal(x.narrow(0, 1, 2), host));
}

TEST(Memory, WhatIsSentTogetherIsOneCopy) {
    const UseOps use(reference_ops());
    at::Tensor tokens = test::ints({5, -1, 7}), rows = test::longs({1, std::int64_t{1} << 40}), empty = test::longs({}),
               weights = test::normal({3, 4}, 1, at::kDouble).t(), flags = test::normal({5}, 2).gt(0), none;
    const std::vector<at::Tensor*> all = {&tokens, &rows, &empty, &none, &weights, &flags};
    std::vector<at::Tensor> before;
    for (const at::Tensor* const tensor : all) before.push_back(tensor->defined() ? tensor->clone() : at::Tensor());
    const std::vector<at::Tensor> given = {tokens, rows, empty, none, weights, flags};
    send(at::kCPU, all);
    for (std::size_t i = 0; i < all.size(); ++i) {
        ASSERT_EQ(all[i]->defined(), before[i].defined());
        if (!before[i].defined()) continue;
        EXPECT_EQ(all[i]->scalar_type(), before[i].scalar_type());
        EXPECT_TRUE(at::equal(*all[i], before[i])) << i;
        EXPECT_TRUE(all[i]->is_contiguous());
        EXPECT_TRUE(all[i]->storage().is_alias_of(tokens.storage())) << i;
        EXPECT_FALSE(all[i]->storage().is_alias_of(given[i].storage())) << i;
    }
}

TEST(Memory, FlatBuffersAndRowsHaveTheirShapes) {
    for (const DeviceOps* const table : {&cpu_ops(), &reference_ops()}) {
        const UseOps use(*table);
        for (const std::int64_t elements : {0, 1, 5'000'000}) {
            const at::Tensor flat = flat_zeros(elements, at::kFloat);
            EXPECT_EQ(flat.numel(), elements);
            EXPECT_TRUE(at::equal(flat, test::zeros({elements}, at::kFloat)));
        }
        const at::Tensor rows = empty_rows({70, 3, 4}, at::TensorOptions().dtype(at::kBFloat16));
        EXPECT_EQ(rows.sizes(), (std::vector<std::int64_t>{70, 3, 4}));
        EXPECT_TRUE(rows.is_contiguous());
    }
}

}  // namespace
}  // namespace xlrm
