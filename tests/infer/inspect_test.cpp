#include "xlrm/infer/inspect.hpp"

#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

#include "model/golden.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/json.hpp"
#include "xlrm/model/config.hpp"
#include "xlrm/model/inspect.hpp"
#include "xlrm/store/states_file.hpp"

namespace {

using namespace xlrm_test;
namespace fs = std::filesystem;

class Inspect : public testing::Test {
protected:
    Inspect() : root_(fs::temp_directory_path() / ("xlrm-inspect-" + std::to_string(getpid()))) { fs::create_directories(root_); }
    ~Inspect() override { fs::remove_all(root_); }
    fs::path root_;
};

TEST_F(Inspect, ForwardGivesTheReferenceScores) {
    const xlrm::SafetensorsFile golden(fixture("qwen2") / "golden.safetensors");
    const xlrm::ItemSet set = read_texts(golden);
    std::string lines;
    for (const xlrm::Answer& answer : set.answers) {
        const auto text = set.answer_tokens(answer);
        lines += xlrm::Json{{"id", "x"}, {"ids", std::vector<std::int32_t>(text.begin(), text.end())}}.dump() + "\n";
    }
    xlrm::write_file_atomic(root_ / "ids.jsonl", lines);
    xlrm::inspect_forward(fixture("qwen2"), root_ / "ids.jsonl", root_ / "states.h5", xlrm::DType::f32);
    const xlrm::States states = xlrm::read_states(root_ / "states.h5");
    EXPECT_LT(relative_error(at::tensor(states.score), read_tensor(golden, "scores")), 1e-5);
    ASSERT_EQ(states.row_size.size(), set.answers.size());
    for (std::size_t i = 0; i < set.answers.size(); ++i) EXPECT_EQ(states.row_size[i], set.answers[i].length);
    EXPECT_EQ(states.hidden.size(), 3U);
    EXPECT_EQ(states.hidden.at(2).size(), set.tokens.size() * 16);
    EXPECT_TRUE(states.logits.empty());
}

// golden.safetensors holds transformers' scores of whole texts: under the rule `hf` a text with pad tokens after it has the score
// of the text alone, under `last` that of its last pad.
TEST_F(Inspect, ForwardReadsTheScoreWhereItIsTold) {
    const xlrm::SafetensorsFile golden(fixture("qwen2") / "golden.safetensors");
    const xlrm::ItemSet set = read_texts(golden);
    const std::int32_t pad = xlrm::read_model_config(fixture("qwen2") / "config.json").pad.value();
    std::string lines;
    for (const xlrm::Answer& answer : set.answers) {
        const auto text = set.answer_tokens(answer);
        ASSERT_EQ(std::count(text.begin(), text.end(), pad), 0) << "the texts should hold no pad of their own";
        std::vector<std::int32_t> padded(text.begin(), text.end());
        padded.insert(padded.end(), 2, pad);
        lines += xlrm::Json{{"ids", padded}}.dump() + "\n";
    }
    xlrm::write_file_atomic(root_ / "ids.jsonl", lines);
    const at::Tensor expected = read_tensor(golden, "scores");
    const auto scores = [&](const std::string& pooling) {
        xlrm::inspect_forward(fixture("qwen2"), root_ / "ids.jsonl", root_ / "states.h5", xlrm::DType::f32, pooling);
        return at::tensor(xlrm::read_states(root_ / "states.h5").score);
    };
    EXPECT_LT(relative_error(scores("hf"), expected), 1e-5);
    EXPECT_LT(relative_error(scores("first_pad"), expected), 1e-5);
    EXPECT_GT(relative_error(scores("last"), expected), 1e-2);
    EXPECT_LT(relative_error(scores("auto"), scores("last")), 1e-9) << "the folder names no rule";
    EXPECT_THROW(scores("first"), xlrm::Error);
}

TEST_F(Inspect, ForwardTakesTheRuleOfTheFolder) {
    fs::copy(fixture("qwen2"), root_ / "model");
    xlrm::write_file_atomic(
        root_ / "ids.jsonl",
        "{\"ids\": [1, 2, " + std::to_string(xlrm::read_model_config(fixture("qwen2") / "config.json").pad.value()) + "]}\n");
    const auto score = [&](const std::string& pooling) {
        xlrm::inspect_forward(root_ / "model", root_ / "ids.jsonl", root_ / "states.h5", xlrm::DType::f32, pooling);
        return xlrm::read_states(root_ / "states.h5").score.at(0);
    };
    xlrm::write_file_atomic(root_ / "model" / "xlrm.json", R"({"pooling": "hf"})");
    EXPECT_EQ(score("auto"), score("hf"));
    EXPECT_NE(score("auto"), score("last"));
}

// What costs little comes first: the rows are read before the weights.
TEST_F(Inspect, ForwardNamesABadRowBeforeDamagedWeights) {
    fs::copy(fixture("qwen2"), root_ / "model");
    fs::resize_file(root_ / "model" / "model.safetensors", 100);
    const auto message = [&](const std::string& row) {
        xlrm::write_file_atomic(root_ / "ids.jsonl", row + "\n");
        try {
            xlrm::inspect_forward(root_ / "model", root_ / "ids.jsonl", root_ / "states.h5", xlrm::DType::f32);
        } catch (const xlrm::Error& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    EXPECT_NE(message(R"({"ids": [4800000]})").find("ids.jsonl:1"), std::string::npos);
    EXPECT_NE(message(R"({"ids": [1]})").find("model.safetensors"), std::string::npos);
}

TEST_F(Inspect, ForwardNamesTheLineOfABadRow) {
    for (const char* line : {R"({"text": "x"})", R"({"ids": []})", R"({"ids": [48]})", R"({"ids": [-1]})", R"({"ids": ["a"]})"}) {
        xlrm::write_file_atomic(root_ / "ids.jsonl", std::string("{\"ids\": [1]}\n") + line + "\n");
        try {
            xlrm::inspect_forward(fixture("qwen2"), root_ / "ids.jsonl", root_ / "states.h5", xlrm::DType::f32);
            ADD_FAILURE() << line;
        } catch (const xlrm::Error& error) {
            EXPECT_NE(std::string(error.what()).find("ids.jsonl:2"), std::string::npos) << error.what();
        }
        EXPECT_FALSE(fs::exists(root_ / "states.h5"));
    }
}

TEST_F(Inspect, ModelNamesFamilyHeadAndSize) {
    const std::string text = xlrm::inspect_model(fixture("llama"));
    for (const char* part : {"llama", "2 layers", "llama3 scaling", "reward (score.weight)", "tokenizer   none"}) {
        EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
    }
}

}  // namespace
