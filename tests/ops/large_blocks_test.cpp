#include "ops/cpu/large_blocks.hpp"

#include <ATen/ops/empty.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

namespace xlrm {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

TEST(LargeBlocks, GivesTheLowestHoleAgainAndJoinsNeighbours) {
    LargeBlocks blocks(64 * kMiB);
    char* first = static_cast<char*>(blocks.take(3 * kMiB));
    char* second = static_cast<char*>(blocks.take(5 * kMiB));
    char* third = static_cast<char*>(blocks.take(2 * kMiB));
    ASSERT_NE(third, nullptr);
    EXPECT_EQ(second, first + 3 * kMiB);
    EXPECT_TRUE(blocks.give_back(first));
    EXPECT_TRUE(blocks.give_back(second));
    EXPECT_EQ(blocks.take(8 * kMiB), first);
    EXPECT_TRUE(blocks.give_back(first));
    EXPECT_TRUE(blocks.give_back(third));
    EXPECT_EQ(blocks.take(12 * kMiB), first);  // a hole at the end grows
    EXPECT_EQ(blocks.used(), 12 * kMiB);
}

TEST(LargeBlocks, RefusesWhatIsNotItsOwnAndWhatDoesNotFit) {
    LargeBlocks blocks(4 * kMiB);
    int other = 0;
    EXPECT_FALSE(blocks.give_back(&other));
    EXPECT_EQ(blocks.take(5 * kMiB), nullptr);
    void* block = blocks.take(kMiB);
    EXPECT_FALSE(blocks.give_back(static_cast<char*>(block) + 64));
    EXPECT_TRUE(blocks.give_back(block));
    EXPECT_FALSE(blocks.give_back(block));
}

TEST(LargeBlocks, KeepsContentsApartInAnyOrder) {
    LargeBlocks blocks(512 * kMiB);
    struct Taken {
        unsigned char* data;
        std::size_t bytes;
        unsigned char mark;
    };
    std::vector<Taken> taken;
    std::mt19937 random(7);
    for (int i = 0; i < 2000; ++i) {
        if (taken.size() < 20 || random() % 2 == 0) {
            const std::size_t bytes = 1 + random() % (4 * kMiB);
            auto* data = static_cast<unsigned char*>(blocks.take(bytes));
            ASSERT_NE(data, nullptr);
            ASSERT_EQ(reinterpret_cast<std::uintptr_t>(data) % 64, 0u);
            taken.push_back({data, bytes, static_cast<unsigned char>(i)});
            data[0] = data[bytes - 1] = taken.back().mark;
        }
        if (taken.size() > 60 || random() % 2 == 0) {
            std::swap(taken[random() % taken.size()], taken.back());
            ASSERT_EQ(taken.back().data[0], taken.back().mark);
            ASSERT_EQ(taken.back().data[taken.back().bytes - 1], taken.back().mark);
            ASSERT_TRUE(blocks.give_back(taken.back().data));
            taken.pop_back();
        }
    }
    for (const Taken& one : taken) ASSERT_TRUE(blocks.give_back(one.data));
    EXPECT_LT(blocks.used(), 60 * 4 * kMiB);
    EXPECT_NE(blocks.take(blocks.used()), nullptr);  // all of it is one hole again
}

TEST(LargeBlocks, TensorsReuseThem) {
    ASSERT_TRUE(install_large_blocks());
    const auto options = at::TensorOptions().dtype(at::kByte);
    at::Tensor tensor = at::empty({std::int64_t(40 * kMiB)}, options);
    const void* first = tensor.data_ptr();
    tensor = at::Tensor();
    EXPECT_EQ(at::empty({std::int64_t(40 * kMiB)}, options).data_ptr(), first);
    at::Tensor small = at::empty({100}, options);  // libtorch's own
    small.fill_(1);
}

}  // namespace
}  // namespace xlrm
