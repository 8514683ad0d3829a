#include "xlrm/model/inspect.hpp"

#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "model/golden.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/json.hpp"
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
