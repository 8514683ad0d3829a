#include "xlrm/comm/communicator.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <climits>
#include <ctime>
#include <thread>
#include <type_traits>

#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

static_assert(!std::is_copy_constructible_v<Communicator> && !std::is_copy_assignable_v<Communicator>);
static_assert(std::is_nothrow_move_constructible_v<Communicator> && std::is_nothrow_move_assignable_v<Communicator>);
static_assert(!std::is_move_constructible_v<Session>);

TEST(Communicator, KnowsItsPlace) {
    const Communicator world = Communicator::world();
    int rank = -1;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    EXPECT_EQ(world.rank(), rank);
    EXPECT_EQ(world.root(), rank == 0);
    EXPECT_NE(world.get(), MPI_COMM_WORLD);
    EXPECT_EQ(world.local_size(), world.size());  // the test runs on one node
    EXPECT_EQ(world.local_rank(), world.rank());
    const Communicator self = Communicator::self();
    EXPECT_EQ(self.rank(), 0);
    EXPECT_EQ(self.size(), 1);
}

TEST(Communicator, SumsOverRanksInPlace) {
    const Communicator world = Communicator::world();
    const auto ranks = static_cast<double>(world.size());
    const double sum_of_ranks = ranks * (ranks - 1) / 2;
    std::vector<float> floats = {1.0F, static_cast<float>(world.rank())};
    std::vector<double> doubles = {0.5, 1.0 * world.rank()};
    std::vector<std::int64_t> integers = {INT64_C(1) << 40, world.rank()};
    world.sum(std::span<float>(floats));
    world.sum(std::span<double>(doubles));
    world.sum(std::span<std::int64_t>(integers));
    world.sum(std::span<double>());
    EXPECT_EQ(floats, (std::vector<float>{static_cast<float>(ranks), static_cast<float>(sum_of_ranks)}));
    EXPECT_EQ(doubles, (std::vector<double>{0.5 * ranks, sum_of_ranks}));
    EXPECT_EQ(integers, (std::vector<std::int64_t>{(INT64_C(1) << 40) * world.size(), static_cast<std::int64_t>(sum_of_ranks)}));
}

TEST(Communicator, ExtremesAndAgreementOfFlags) {
    const Communicator world = Communicator::world();
    const int last = world.size() - 1;
    EXPECT_EQ(world.max(1.5 * world.rank()), 1.5 * last);
    EXPECT_EQ(world.min(-1.5 * world.rank()), -1.5 * last);
    EXPECT_EQ(world.max((INT64_C(1) << 40) + world.rank()), (INT64_C(1) << 40) + last);
    EXPECT_TRUE(world.any(world.rank() == last));
    EXPECT_FALSE(world.any(false));
    EXPECT_TRUE(world.any_after_wait(world.rank() == last));
    EXPECT_FALSE(world.any_after_wait(false));
    EXPECT_TRUE(world.all(true));
    EXPECT_FALSE(world.all(world.rank() != last));
}

TEST(Communicator, TextsOfAnyLengthReachAllRanks) {
    const Communicator world = Communicator::world();
    const int last = world.size() - 1;
    for (const std::size_t length : {0U, 1U, 300000U}) {
        const std::string text(length, 'x');
        EXPECT_EQ(world.broadcast(world.root() ? text : "ignored"), text);
        EXPECT_EQ(world.broadcast(world.rank() == last ? text : "", last), text);
    }
    const std::vector<std::string> all = world.gather_text(std::string(static_cast<std::size_t>(world.rank()), 'r'));
    ASSERT_EQ(static_cast<int>(all.size()), world.size());
    for (int rank = 0; rank < world.size(); ++rank)
        EXPECT_EQ(all[static_cast<std::size_t>(rank)], std::string(static_cast<std::size_t>(rank), 'r'));
}

TEST(Communicator, GathersUnequalShares) {
    const Communicator world = Communicator::world();
    const std::vector<double> mine(static_cast<std::size_t>(world.rank()), world.rank());  // rank 0 gives none
    std::vector<double> expected;
    for (int rank = 0; rank < world.size(); ++rank) expected.insert(expected.end(), static_cast<std::size_t>(rank), rank);
    EXPECT_EQ(world.gather(mine), expected);
    const std::vector<float> floats(mine.begin(), mine.end());
    const std::vector<float> all(expected.begin(), expected.end());
    EXPECT_EQ(world.gather_to_root(floats), world.root() ? all : std::vector<float>());
    const std::vector<std::int64_t> integers = {world.rank()};
    const std::vector<std::int64_t> ranks = world.gather(integers);
    ASSERT_EQ(static_cast<int>(ranks.size()), world.size());
    for (int rank = 0; rank < world.size(); ++rank) EXPECT_EQ(ranks[static_cast<std::size_t>(rank)], rank);
}

TEST(Communicator, SplitsByColourAndOrdersByKey) {
    const Communicator world = Communicator::world();
    const Communicator part = world.split(world.rank() % 2, -world.rank());
    EXPECT_EQ(part.size(), (world.size() + 1 - world.rank() % 2) / 2);
    EXPECT_EQ(part.rank(), part.size() - 1 - world.rank() / 2);
    EXPECT_EQ(part.local_rank(), world.local_rank());  // the node is shared with the other parts
    EXPECT_EQ(part.local_size(), world.local_size());
    std::vector<std::int64_t> one = {1};
    part.sum(std::span<std::int64_t>(one));
    EXPECT_EQ(one[0], part.size());
}

TEST(Communicator, MessagesOfADuplicateStayApart) {
    const Communicator world = Communicator::world();
    const Communicator copy = world.duplicate();
    if (world.rank() != 0) copy.send("from " + std::to_string(world.rank()), 0, 1);
    copy.barrier();
    EXPECT_FALSE(world.try_receive(1).has_value());
    for (int i = 1; world.root() && i < world.size(); ++i) {
        EXPECT_FALSE(copy.try_receive(2).has_value());
        const Communicator::Message message = copy.receive(1);
        EXPECT_EQ(message.text, "from " + std::to_string(message.from));
    }
    EXPECT_FALSE(copy.try_receive(1).has_value());
    world.barrier();
}

TEST(Communicator, LongAndEmptyMessagesArriveInOrder) {
    const Communicator world = Communicator::world();
    const int last = world.size() - 1;
    if (last == 0) GTEST_SKIP() << "needs two ranks";
    const std::string longer(3000000, 'z');
    if (world.rank() == last) {
        world.send(longer, 0, 5);
        world.send("", 0, 5);
    }
    if (world.root()) {
        EXPECT_EQ(world.receive(5).text, longer);
        const Communicator::Message empty = world.receive(5);
        EXPECT_EQ(empty.text, "");
        EXPECT_EQ(empty.from, last);
    }
    world.barrier();
}

// Waiting must leave the core to others: a coordinator and its workers share it.
TEST(Communicator, WaitingSleeps) {
    const Communicator world = Communicator::world();
    const int last = world.size() - 1;
    if (last == 0) GTEST_SKIP() << "needs two ranks";
    world.barrier();
    const auto cpu_s = [] { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; };
    const double before = cpu_s();
    if (world.rank() == last) {
        std::this_thread::sleep_for(std::chrono::seconds(1));
        world.send("late", 0, 3);
    } else if (world.root()) {
        EXPECT_EQ(world.receive(3).text, "late");
        EXPECT_LT(cpu_s() - before, 0.5);
    }
    world.any_after_wait(false);
    EXPECT_LT(cpu_s() - before, 0.7);
}

TEST(Communicator, AgreeGivesTheFirstErrorToAll) {
    const Communicator world = Communicator::world();
    EXPECT_EQ(world.agree(""), "");
    const int last = world.size() - 1;
    const std::string prefix = last > 0 ? "rank " + std::to_string(last) + ": " : "";
    EXPECT_EQ(world.agree(world.rank() == last ? "row 7 is broken" : ""), prefix + "row 7 is broken");
    EXPECT_EQ(world.agree("all"), "all");
    EXPECT_EQ(world.agree("of " + std::to_string(world.rank())), last > 0 ? "rank 0: of 0" : "of 0");
}

TEST(Communicator, MovesLeaveTheOldOneEmpty) {
    Communicator a = Communicator::world();
    const MPI_Comm handle = a.get();
    const Communicator b = std::move(a);
    EXPECT_EQ(b.get(), handle);
    EXPECT_EQ(a.get(), MPI_COMM_NULL);  // NOLINT: what a move leaves is the contract here
}

TEST(Communicator, ErrorsOfMpiCarryItsWords) {
    const Communicator world = Communicator::world();
    try {
        world.send("x", world.size() + 7, 0);
        ADD_FAILURE() << "no error";
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("MPI_Send"), std::string::npos);
        EXPECT_NE(std::string(error.what()).find("MPI_ERR_RANK"), std::string::npos) << error.what();
    }
}

TEST(Communicator, CountsAreNotWrapped) {
    EXPECT_EQ(mpi_count(static_cast<std::size_t>(INT_MAX)), INT_MAX);
    EXPECT_THROW(mpi_count(static_cast<std::size_t>(INT_MAX) + 1), Error);
}

}  // namespace
}  // namespace xlrm
