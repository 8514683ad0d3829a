// The reducer's own part, over a transport that notes what it is given.
#include "xlrm/comm/gradient_transport.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "xlrm/comm/gradient_reducer.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

struct Seen {
    std::vector<Range> ranges;
    std::vector<void*> events;
    int waits = 0, abandoned = 0, ended = 0;
};

//! Sums when it is waited for. `fails`: throws instead.
class FakeTransport : public GradientTransport {
public:
    FakeTransport(const Communicator& group, Seen& seen, bool overlaps = true, bool fails = false)
        : group_(group), seen_(seen), overlaps_(overlaps), fails_(fails) {}
    ~FakeTransport() override { ++seen_.ended; }

    void begin(std::span<float> gradient) override { gradient_ = gradient; }
    void enqueue(Range range, RangeReady ready) override {
        seen_.ranges.push_back(range);
        seen_.events.push_back(ready.event);
        waiting_.push_back(range);
    }
    void wait() override {
        ++seen_.waits;
        if (fails_) throw Error("the network is gone");
        for (const Range& range : waiting_)
            group_.sum(gradient_.subspan(static_cast<std::size_t>(range.begin), static_cast<std::size_t>(range.size())));
        waiting_.clear();
    }
    bool overlaps() const override { return overlaps_; }
    void abandon() noexcept override { ++seen_.abandoned; }

private:
    const Communicator& group_;
    Seen& seen_;
    bool overlaps_, fails_;
    std::span<float> gradient_;
    std::vector<Range> waiting_;
};

GradientReducer reducer_over(const Communicator& world, Seen& seen, std::int64_t bucket, bool overlaps = true,
                             bool fails = false) {
    return {std::make_unique<FakeTransport>(world, seen, overlaps, fails), world.size(), bucket};
}

std::string text_of(const std::vector<Range>& ranges) {
    std::string out;
    for (const Range& range : ranges) out += std::to_string(range.begin) + "-" + std::to_string(range.end) + " ";
    return out;
}

TEST(GradientTransport, GetsBucketsFromTheEndOfTheBufferOn) {
    const Communicator world = Communicator::world();
    Seen seen;
    GradientReducer reducer = reducer_over(world, seen, 10);
    std::vector<float> gradient(45, 1.0F);
    reducer.begin(gradient);
    int events[4] = {};
    reducer.ready(41, 4, {events});
    EXPECT_EQ(text_of(seen.ranges), "") << "a bucket is not full";
    reducer.ready(33, 8, {events + 1});
    EXPECT_EQ(text_of(seen.ranges), world.size() > 1 ? "35-45 33-35 " : "");
    reducer.ready(8, 25, {events + 2});
    reducer.ready(5, 3, {events + 3});
    reducer.finish();
    if (world.size() == 1) {
        EXPECT_TRUE(seen.ranges.empty()) << "one rank has nothing to sum";
        EXPECT_EQ(seen.waits, 0);
        EXPECT_EQ(gradient, std::vector<float>(45, 1.0F));
        return;
    }
    EXPECT_EQ(text_of(seen.ranges), "35-45 33-35 23-33 13-23 8-13 0-8 ");
    EXPECT_EQ(seen.events, (std::vector<void*>{events + 1, events + 1, events + 2, events + 2, events + 2, nullptr}));
    EXPECT_EQ(seen.waits, 1);
    EXPECT_EQ(gradient, std::vector<float>(45, static_cast<float>(world.size())));
}

TEST(GradientTransport, ThatDoesNotOverlapGetsAllAtTheEnd) {
    const Communicator world = Communicator::world();
    Seen seen;
    GradientReducer reducer = reducer_over(world, seen, 10, false);
    std::vector<float> gradient(25, 1.0F);
    reducer.begin(gradient);
    reducer.ready(3, 22);
    EXPECT_TRUE(seen.ranges.empty());
    reducer.finish();
    EXPECT_EQ(text_of(seen.ranges), world.size() > 1 ? "15-25 5-15 0-5 " : "");
    EXPECT_EQ(gradient, std::vector<float>(25, static_cast<float>(world.size())));
}

TEST(GradientTransport, ARankWithoutItemsGivesTheSameRanges) {
    const Communicator world = Communicator::world();
    Seen seen;
    GradientReducer reducer = reducer_over(world, seen, 16);
    for (const int idle : {0, world.size() - 1}) {
        seen.ranges.clear();
        const bool computes = world.rank() != idle;
        std::vector<float> gradient(100, computes ? 1.0F : 0.0F);
        reducer.begin(gradient);
        // One announces while it computes, the other all at once.
        for (const std::int64_t begin : {90, 60, 30, 0}) {
            if (computes) std::fill(gradient.begin() + begin, gradient.begin() + (begin == 90 ? 100 : begin + 30), 2.0F);
            reducer.ready(begin, begin == 90 ? 10 : 30);
        }
        reducer.finish();
        const std::string mine = text_of(seen.ranges);
        for (const std::string& other : world.gather_text(mine)) EXPECT_EQ(other, mine);
        const float sum = world.size() == 1 ? 0.0F : 2.0F * static_cast<float>(world.size() - 1);
        EXPECT_EQ(gradient, std::vector<float>(100, sum));
    }
}

TEST(GradientTransport, AnErrorOfItComesOutOfFinishAndGivesUpWhatWaits) {
    const Communicator world = Communicator::world();
    if (world.size() == 1) GTEST_SKIP() << "one rank waits for nothing";
    Seen seen;
    std::string problem;
    try {
        GradientReducer reducer = reducer_over(world, seen, 10, true, true);
        std::vector<float> gradient(25);
        reducer.begin(gradient);
        reducer.ready(0, 25);
        reducer.finish();
    } catch (const Error& error) {
        problem = error.what();
    }
    EXPECT_EQ(problem, "the network is gone");
    EXPECT_EQ(seen.abandoned, 1);
    EXPECT_EQ(seen.ended, 1);
}

TEST(GradientTransport, IsNotGivenUpWhereNothingFailed) {
    const Communicator world = Communicator::world();
    Seen seen;
    {
        GradientReducer reducer = reducer_over(world, seen, 10);
        std::vector<float> gradient(25);
        reducer.begin(gradient);
        reducer.ready(0, 25);
        reducer.finish();
    }
    EXPECT_EQ(seen.abandoned, 0);
    EXPECT_EQ(seen.ended, 1);
}

}  // namespace
}  // namespace xlrm
