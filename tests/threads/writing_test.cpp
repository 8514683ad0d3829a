#include <ATen/ops/empty.h>
#include <gtest/gtest.h>

#include <cstring>

#include "eval/row_exchange.hpp"
#include "store/sample_cell.hpp"
#include "support/temporary_folder.hpp"
#include "support/thread_ranks.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/partition.hpp"

namespace xlrm {
namespace {

constexpr std::int64_t kFeatures = 6;
constexpr std::int64_t kItems = 41;

ItemSet pairs() {
    ItemSet set;
    for (std::int64_t i = 0; i < kItems; ++i) {
        Item item;
        item.first_answer = 2 * i;
        item.answers = 2;
        set.items.push_back(item);
    }
    set.answers.resize(2 * kItems);
    return set;
}

const std::vector<RowSpool::Part> kParts = {{Capture::last, 0, DType::f32}};

//! Rows from the last to the first, since batches end in any order.
void fill(RowSpool* spool, const Range& items) {
    for (std::int64_t place = 2 * items.size() - 1; place >= 0; --place) {
        const at::Tensor row = at::empty({1, kFeatures}, at::TensorOptions().dtype(at::kFloat));
        for (std::int64_t i = 0; i < kFeatures; ++i) row.data_ptr<float>()[i] = static_cast<float>(2 * items.begin + place);
        const std::vector<std::int64_t> places = {place};
        const std::vector<std::span<const std::int64_t>> views = {places};
        spool->take({Capture::last, 0, row, views});
    }
}

TEST(ThreadWriting, TheRootReadsEveryRanksRowsWhileItWritesAFile) {
    const TemporaryFolder folder;
    for (const int ranks : {1, 2, 4}) {
        run_ranks(ranks, [&](int) {
            const Communicator world = Communicator::world();
            const ItemSet set = pairs();
            const Range mine = block_range(kItems, world.rank(), world.size());
            RowSpool spool(kParts, kFeatures, 2 * mine.size());
            fill(&spool, mine);
            with_rows_of_all(world, set, spool, [&](const RowsOfAll& rows) {
                for (std::int64_t first = 0; first < kItems; first += 7) {
                    const std::int64_t count = std::min<std::int64_t>(7, kItems - first);
                    std::vector<std::int64_t> answers;
                    for (std::int64_t i = 0; i < count; ++i) answers.push_back(2 * (first + i) + 1);
                    std::vector<float> out(static_cast<std::size_t>(count * kFeatures));
                    rows.read(0, first, answers, std::as_writable_bytes(std::span(out)));
                    for (std::int64_t i = 0; i < count; ++i)
                        EXPECT_EQ(out[static_cast<std::size_t>(i * kFeatures)], static_cast<float>(2 * (first + i) + 1));
                }
                write_cell(folder / "cell.h5", sample_cell(), Json::object());
            });
            EXPECT_TRUE(std::filesystem::exists(folder / "cell.h5"));
            world.barrier();
        });
    }
}

TEST(ThreadWriting, AnErrorOfTheRootEndsAllRanks) {
    run_ranks(3, [](int) {
        const Communicator world = Communicator::world();
        const ItemSet set = pairs();
        const Range mine = block_range(kItems, world.rank(), world.size());
        RowSpool spool(kParts, kFeatures, 2 * mine.size());
        fill(&spool, mine);
        EXPECT_THROW(with_rows_of_all(world, set, spool, [](const RowsOfAll&) { fail("the disk is full", ExitCode::io); }),
                     Error);
    });
}

}  // namespace
}  // namespace xlrm
