#include "xlrm/store/states_file.hpp"

#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "xlrm/core/file.hpp"

namespace xlrm {
namespace {

States small_states() {
    States states;
    states.row_size = {2, 1};
    states.features = 2;
    states.hidden = {{0, {1, 2, 3, 4, 5, 6}}, {3, {-1, -2, -3, -4, -5, 1e-30F}}};
    states.vocab = 3;
    states.logits = {0, 1, 2, 3, 4, 5, 6, 7, 8};
    return states;
}

TEST(StatesFile, RoundTripAndEqualBytes) {
    const TemporaryFolder folder;
    const States states = small_states();
    write_states(folder / "a.h5", states);
    write_states(folder / "b.h5", states);
    EXPECT_EQ(read_file(folder / "a.h5"), read_file(folder / "b.h5"));
    const States read = read_states(folder / "a.h5");
    EXPECT_EQ(read.row_size, states.row_size);
    EXPECT_EQ(read.hidden, states.hidden);
    EXPECT_EQ(read.logits, states.logits);
    EXPECT_EQ(read.features, 2);
    EXPECT_EQ(read.vocab, 3);
    EXPECT_TRUE(read.score.empty());
}

TEST(StatesFile, RewardModelHasScoresInsteadOfLogits) {
    const TemporaryFolder folder;
    States states = small_states();
    states.logits.clear();
    states.score = {0.5F, -2.0F};
    write_states(folder / "rm.h5", states);
    EXPECT_EQ(read_states(folder / "rm.h5").score, states.score);
    EXPECT_TRUE(read_states(folder / "rm.h5").logits.empty());
}

TEST(StatesFile, AHeadOfSeveralLabelsHasAScoreForEach) {
    const TemporaryFolder folder;
    States states = small_states();
    states.logits.clear();
    states.labels = 2;
    states.score = {0.5F, -2.0F, 1.0F, 3.0F};
    write_states(folder / "rm.h5", states);
    EXPECT_EQ(read_states(folder / "rm.h5").score, states.score);
    EXPECT_EQ(read_states(folder / "rm.h5").labels, 2);
    states.score.pop_back();
    expect_error([&] { write_states(folder / "bad.h5", states); }, {"bad.h5", "score"});
}

TEST(StatesFile, RefusesLengthsThatDisagree) {
    const TemporaryFolder folder;
    States states = small_states();
    states.hidden[3].pop_back();
    expect_error([&] { write_states(folder / "bad.h5", states); }, {"bad.h5", "layer_03"});
    states = small_states();
    states.score = {1.0F};
    expect_error([&] { write_states(folder / "bad.h5", states); }, {"bad.h5", "score"});
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace xlrm
