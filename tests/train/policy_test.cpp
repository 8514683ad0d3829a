// Policies and margins against runs that TRL logged (tests/fixtures/train/make_policy_runs.py).
#include <gtest/gtest.h>

#include <cmath>

#include "train/training_support.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/store/safetensors.hpp"

namespace xlrm {
namespace {

const std::filesystem::path kRuns = XLRM_SOURCE_DIR "/tests/fixtures/train/policy_runs";

TrainOptions options_of(const std::string& objective, const std::filesystem::path& output) {
    TrainOptions options;
    options.objective = objective;
    options.model = (kRuns / (objective == "bt" ? "reward_model" : "model")).string();
    options.data = {(kRuns / "rows.jsonl").string()};
    options.output = output.string();
    options.lr = 1e-4;
    options.schedule = "cosine";
    options.warmup_steps = 2;
    options.epochs = 2.0;
    options.batch_pairs = 8;
    options.weight_decay = 0.01;
    options.max_length = 128;
    options.beta = 0.3;
    return options;
}

// Every metric that TRL logged within 2e-6 (relative for large numbers), and the weights at the end within 1e-3 of their way.
void expect_same_run(const std::string& run, const std::filesystem::path& model, const std::filesystem::path& before,
                     double loss_bound = 2e-6) {
    const Json expected = read_json(kRuns / (run + ".json"));
    const std::vector<Json> lines = read_metrics(model / "metrics.jsonl");
    ASSERT_EQ(lines.size(), expected["steps"].size());
    for (std::size_t i = 0; i < lines.size(); ++i) {
        for (const auto& [key, theirs] : expected["steps"][i].items()) {
            ASSERT_TRUE(lines[i].contains(key)) << key;
            // Rewards are differences of log-probabilities near -60, which TRL adds up in fp32.
            const double bound = key == "grad_norm"            ? 2e-5
                                 : key.starts_with("rewards/") ? 1e-5
                                 : key == "loss"               ? loss_bound
                                                               : 2e-6;
            const double value = theirs.get<double>();
            EXPECT_NEAR(lines[i][key].get<double>(), value, bound * std::max(1.0, std::abs(value)))
                << run << ": " << key << " at step " << i + 1;
        }
    }
    const SafetensorsFile ours(model / "model.safetensors"), theirs(kRuns / (run + ".safetensors")),
        start(before / "model.safetensors");
    ASSERT_EQ(ours.names(), theirs.names());
    for (const std::string& name : ours.names()) {
        const auto a = weights_of(ours, name), b = weights_of(theirs, name), c = weights_of(start, name);
        EXPECT_LT(relative_distance(a, b, c), 1e-3) << run << ": " << name;
    }
}

TEST(Policy, BradleyTerryWithMarginsEqualsTrls) {
    const Communicator world = Communicator::world();
    const SharedFolder folder(world);
    train(world, options_of("bt", folder / "model"), {}, true);
    expect_same_run("reward", folder / "model", kRuns / "reward_model");
}

TEST(Policy, SftEqualsTrls) {
    const Communicator world = Communicator::world();
    const SharedFolder folder(world);
    TrainOptions options = options_of("sft", folder / "model");
    if (world.root()) {
        std::string rows;
        for (Json row : read_metrics(kRuns / "rows.jsonl")) {
            rows += Json{{"id", row["id"]}, {"prompt", row["prompt"]}, {"response", row["chosen"]}}.dump() + "\n";
        }
        write_file_atomic(folder / "rows.jsonl", rows);
    }
    world.barrier();
    options.data = {(folder / "rows.jsonl").string()};
    train(world, options, {}, true);
    expect_same_run("sft", folder / "model", kRuns / "model");
}

TEST(Policy, DpoEqualsTrlsForEveryLoss) {
    const Communicator world = Communicator::world();
    for (const std::string loss : {"sigmoid", "hinge", "ipo"}) {
        const SharedFolder folder(world);
        TrainOptions options = options_of("dpo", folder / "model");
        options.loss_type = loss;
        train(world, options, {}, true);
        expect_same_run("dpo_" + loss, folder / "model", kRuns / "model");
    }
}

// Conversations that part before their last turns: rewards are of whole texts, DPO's completions all that follows the common
// turns.
TEST(Policy, ConversationsThatPartEqualTrls) {
    const Communicator world = Communicator::world();
    for (const std::string objective : {"bt", "dpo"}) {
        const SharedFolder folder(world);
        TrainOptions options = options_of(objective, folder / "trained");
        const std::filesystem::path before = options.model;
        if (world.root()) {
            std::filesystem::copy(before, folder / "model");
            std::filesystem::copy(kRuns / "chat_template.jinja", folder / "model");
        }
        world.barrier();
        options.model = (folder / "model").string();
        options.data = {(kRuns / "parted.jsonl").string()};
        train(world, options, {}, true);
        // Near -140, where fp32 has steps of 1.5e-5, half of β = 0.3 times such a step is 2.3e-6.
        expect_same_run(objective == "bt" ? "reward_parted" : "dpo_parted", folder / "trained", before,
                        objective == "bt" ? 2e-6 : 5e-6);
    }
}

TEST(Policy, PrecomputedReferenceGivesTheSameBitsAndANamedOneTheSameRun) {
    const Communicator world = Communicator::world();
    const SharedFolder folder(world);
    TrainOptions options = options_of("dpo", folder / "live");
    options.eval_data = options.data;
    train(world, options, {}, true);
    options.output = (folder / "stored").string();
    options.precompute_ref_log_probs = true;
    train(world, options, {}, true);
    options.output = (folder / "named").string();
    options.precompute_ref_log_probs = false;
    options.ref_model = options.model;
    train(world, options, {}, true);
    for (const char* name : {"stored", "named"}) {
        for (const char* key : {"loss", "rewards/margins", "grad_norm", "eval_loss", "eval_rewards/accuracies"}) {
            EXPECT_EQ(series(read_metrics(folder / "live" / "metrics.jsonl"), key),
                      series(read_metrics(folder / name / "metrics.jsonl"), key))
                << key;
        }
        EXPECT_EQ(read_file(folder / "live" / "model.safetensors"), read_file(folder / name / "model.safetensors")) << name;
    }
}

TEST(Policy, AnotherReferenceIsAnotherRun) {
    const Communicator world = Communicator::world();
    const SharedFolder folder(world);
    TrainOptions options = options_of("sft", folder / "tuned");
    options.objective = "dpo";
    train(world, options, {}, true);
    options.output = (folder / "model").string();
    options.ref_model = (folder / "tuned").string();
    train(world, options, {}, true);
    // The policy begins as the base model, which likes the chosen answers less than the tuned reference does.
    const auto margins = series(read_metrics(folder / "model" / "metrics.jsonl"), "rewards/margins");
    EXPECT_LT(margins.front(), 0.0);
    EXPECT_GT(series(read_metrics(folder / "model" / "metrics.jsonl"), "loss").front(), std::log(2.0));
}

}  // namespace
}  // namespace xlrm
