#include "eval/row_exchange.hpp"

#include <ATen/ops/empty.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "support/expect_error.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/partition.hpp"

namespace xlrm {
namespace {

constexpr std::int64_t kFeatures = 3;
constexpr std::int64_t kItems = 23;
const std::vector<RowSpool::Part> kParts = {
    {Capture::last, 0, DType::bf16}, {Capture::last, 2, DType::f32}, {Capture::mean, 2, DType::f16}};

// Items of two, three or four answers.
ItemSet some_items() {
    ItemSet set;
    for (std::int64_t i = 0; i < kItems; ++i) {
        Item item;
        item.first_answer = std::ssize(set.answers);
        item.answers = static_cast<std::int32_t>(2 + i % 3);
        set.answers.resize(set.answers.size() + static_cast<std::size_t>(item.answers));
        set.items.push_back(item);
    }
    return set;
}

//! The value of every feature of an answer's row.
float value_of(std::size_t part, std::int64_t answer) { return static_cast<float>(answer) + 100.0F * static_cast<float>(part); }

//! This rank's answers.
Range answers_of(const Communicator& world, const ItemSet& set) {
    const Range items = block_range(kItems, world.rank(), world.size());
    const auto first = [&](std::int64_t item) {
        return item < kItems ? set.items[static_cast<std::size_t>(item)].first_answer : std::ssize(set.answers);
    };
    return {first(items.begin), first(items.end)};
}

//! Gives the rows from the last answer to the first, `batch` at a time.
void fill(RowSpool* spool, const Range& answers, std::int64_t batch) {
    for (std::int64_t end = answers.size(); end > 0; end -= batch) {
        std::vector<std::vector<std::int64_t>> places;
        for (std::int64_t place = end - 1; place >= std::max<std::int64_t>(0, end - batch); --place) places.push_back({place});
        const std::vector<std::span<const std::int64_t>> views(places.begin(), places.end());
        for (std::size_t part = 0; part < kParts.size(); ++part) {
            const at::Tensor rows = at::empty({std::ssize(views), kFeatures}, at::TensorOptions().dtype(at::kFloat));
            for (std::int64_t i = 0; i < rows.numel(); ++i)
                rows.data_ptr<float>()[i] = value_of(part, answers.begin + places[static_cast<std::size_t>(i / kFeatures)][0]);
            spool->take({kParts[part].capture, kParts[part].layer, rows, views});
        }
    }
}

float first_value(std::span<const std::byte> row, DType dtype) {
    float value = 0.0F;
    std::uint16_t half = 0;
    if (dtype == DType::f32) std::memcpy(&value, row.data(), 4);
    if (dtype != DType::f32) std::memcpy(&half, row.data(), 2);
    return dtype == DType::f32 ? value : dtype == DType::f16 ? from_f16(half) : from_bf16(half);
}

TEST(RowExchange, TheRootReadsRowsOfAllRanksInAnyPieces) {
    const Communicator world = Communicator::world();
    const ItemSet set = some_items();
    const Range mine = answers_of(world, set);
    RowSpool spool(kParts, kFeatures, mine.size());
    fill(&spool, mine, 4);
    std::vector<std::int64_t> last;  // of each item
    for (const Item& item : set.items) last.push_back(item.first_answer + item.answers - 1);
    int calls = 0;
    with_rows_of_all(world, set, spool, [&](const RowsOfAll& rows) {
        ++calls;
        for (const std::int64_t piece : {1, 5, 23})
            for (std::size_t part = 0; part < kParts.size(); ++part)
                for (std::int64_t first = 0; first < kItems; first += piece) {
                    const std::int64_t count = std::min(piece, kItems - first);
                    const auto bytes = static_cast<std::size_t>(spool.row_bytes(part));
                    std::vector<std::byte> out(static_cast<std::size_t>(count) * bytes);
                    rows.read(part, first,
                              std::span(last).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)), out);
                    for (std::int64_t i = 0; i < count; ++i) {
                        const float expected = value_of(part, last[static_cast<std::size_t>(first + i)]);
                        const float rounded = kParts[part].dtype == DType::bf16 ? from_bf16(to_bf16(expected)) : expected;
                        ASSERT_EQ(first_value(std::span(out).subspan(static_cast<std::size_t>(i) * bytes), kParts[part].dtype),
                                  rounded)
                            << part << " " << first + i;
                    }
                }
    });
    EXPECT_EQ(calls, world.root() ? 1 : 0);
}

struct Thrown {
    std::string message;
    ExitCode code = ExitCode::done;
    bool agreed = false;
};

Thrown thrown_by(const std::function<void()>& work) {
    try {
        work();
    } catch (const Error& error) {
        return {error.what(), error.code(), error.agreed()};
    }
    return {};
}

TEST(RowExchange, AnErrorOfTheRootOrOfARankIsThrownByAll) {
    const Communicator world = Communicator::world();
    const ItemSet set = some_items();
    const Range mine = answers_of(world, set);
    RowSpool spool(kParts, kFeatures, mine.size());
    if (world.rank() != world.size() - 1) fill(&spool, mine, 100);  // the last rank has no rows
    const Thrown disk =
        thrown_by([&] { with_rows_of_all(world, set, spool, [](const RowsOfAll&) { fail("the disk is full", ExitCode::io); }); });
    EXPECT_EQ(disk.message, "the disk is full");
    EXPECT_EQ(disk.code, ExitCode::io);
    EXPECT_TRUE(disk.agreed);
    const Thrown rank = thrown_by([&] {
        with_rows_of_all(world, set, spool, [&](const RowsOfAll& rows) {
            std::vector<std::int64_t> first;
            for (const Item& item : set.items) first.push_back(item.first_answer);
            std::vector<std::byte> out(static_cast<std::size_t>(kItems * spool.row_bytes(0)));
            rows.read(0, 0, first, out);
        });
    });
    const std::string who = world.size() == 1 ? "" : "rank " + std::to_string(world.size() - 1) + ": ";
    EXPECT_EQ(rank.message, who + "a row was asked for that was not computed");
    EXPECT_TRUE(rank.agreed);
    world.barrier();
}

TEST(RowSpool, OneRowServesAllAnswersOfAText) {
    RowSpool spool({{Capture::mean, 1, DType::f32}}, kFeatures, 3);
    const std::vector<std::int64_t> shared = {2, 0}, single = {1};
    const std::vector<std::span<const std::int64_t>> places = {shared, single};
    const at::Tensor rows = at::empty({2, kFeatures}, at::TensorOptions().dtype(at::kFloat));
    for (std::int64_t i = 0; i < 6; ++i) rows.data_ptr<float>()[i] = static_cast<float>(i);
    spool.take({Capture::mean, 1, rows, places});
    std::vector<std::byte> out(3 * 12);
    const std::vector<std::int64_t> wanted = {0, 1, 2};
    spool.read(0, wanted, out);
    for (const auto& [row, value] : {std::pair{0U, 0.0F}, {1U, 3.0F}, {2U, 0.0F}})
        EXPECT_EQ(first_value(std::span(out).subspan(row * 12), DType::f32), value);
}

// What is reported does not depend on the order of batches: the first layer, and of it the first answer.
TEST(RowSpool, NamesTheFirstValueThatDoesNotFit) {
    RowSpool spool({{Capture::last, 0, DType::bf16}, {Capture::last, 1, DType::f16}, {Capture::last, 2, DType::f16}}, 1, 2);
    const auto give = [&](std::int64_t place, std::int64_t layer, float value) {
        const std::span<const std::int64_t> places[] = {std::span(&place, 1)};
        const at::Tensor row = at::empty({1, 1}, at::TensorOptions().dtype(at::kFloat));
        row.data_ptr<float>()[0] = value;
        spool.take({Capture::last, layer, row, places});
    };
    for (const std::int64_t place : {1, 0}) {
        give(place, 0, 1e9F);
        give(place, 1, place == 0 ? -70000.0F : 65536.0F);
        give(place, 2, std::numeric_limits<float>::infinity());
    }
    expect_error([&] { spool.require_storable(); }, {"layer 1: an activation of -70000.000000 does not fit in fp16"});
}

}  // namespace
}  // namespace xlrm
