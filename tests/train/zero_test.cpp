// The divided optimiser (ZeRO-1) against the whole one: the same bits on any number of ranks.
#include <gtest/gtest.h>

#include "train/training_support.hpp"

namespace xlrm {
namespace {

TrainOptions options_for(const std::filesystem::path& output, const std::string& dtype, std::int64_t zero) {
    TrainOptions options = trl_options(output);
    options.steps = 9;
    options.dtype = dtype;
    options.zero = zero;
    return options;
}

void expect_equal_runs(const std::filesystem::path& one, const std::filesystem::path& two) {
    for (const char* key : {"loss", "grad_norm", "margin"})
        EXPECT_EQ(series(read_metrics(one / "metrics.jsonl"), key), series(read_metrics(two / "metrics.jsonl"), key)) << key;
    for (const char* name : {"model.safetensors", "xlrm.json"}) EXPECT_EQ(read_file(one / name), read_file(two / name)) << name;
}

TEST(Zero, GivesTheSameBits) {
    const Communicator world = Communicator::world();
    for (const std::string dtype : {"fp32", "bf16"}) {
        const SharedFolder folder(world);
        train(world, options_for(folder / "whole", dtype, 0), {}, true);
        train(world, options_for(folder / "divided", dtype, 1), {}, true);
        expect_equal_runs(folder / "whole", folder / "divided");
    }
}

TEST(Zero, ResumesFromItsOwnAndFromAWholeCheckpoint) {
    const Communicator world = Communicator::world();
    for (const std::string dtype : {"fp32", "bf16"}) {
        const SharedFolder folder(world);
        train(world, options_for(folder / "whole", dtype, 0), {}, true);
        for (const std::int64_t first : {0, 1}) {
            const std::filesystem::path output = folder / ("stopped-" + std::to_string(first));
            const StopCheck stop = [asked = 0]() mutable { return asked++ == 4; };
            EXPECT_EQ(train(world, options_for(output, dtype, first), stop, true).steps, 4);
            EXPECT_EQ(train(world, options_for(output, dtype, 1), {}, true).steps, 9);
            expect_equal_runs(folder / "whole", output);
        }
    }
}

}  // namespace
}  // namespace xlrm
