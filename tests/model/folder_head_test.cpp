// What config.json and xlrm.json say of a model's head, against what the weights have.
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include <cstring>

#include "model/altered_folder.hpp"
#include "xlrm/infer/inspect.hpp"
#include "xlrm/model/inspect.hpp"
#include "xlrm/store/states_file.hpp"

namespace {

using namespace xlrm_test;
using xlrm::HeadKind;
using xlrm::Json;
namespace fs = std::filesystem;

class FolderHead : public AlteredFolder {
protected:
    // The llama model under a class of transformers, without the tensors named.
    fs::path classed(const char* name, std::initializer_list<const char*> dropped) {
        const fs::path folder = altered([&](Tensors& tensors) {
            for (const char* tensor : dropped) drop(tensors, tensor);
        });
        configure(folder, {{"architectures", Json::array({name})}});
        return folder;
    }

    // With a head of two labels: that of the fixture, and its negative.
    fs::path two_labels() {
        const fs::path folder = altered([&](Tensors& tensors) {
            xlrm::TensorOut& head = find(tensors, "score.weight");
            for (const double sign : {1.0, -1.0}) {
                for (std::size_t i = 0; i < 16; ++i) {
                    double value = 0.0;
                    std::memcpy(&value, head.bytes.data() + 8 * i, 8);
                    head_.push_back(sign * value);
                }
            }
            head.shape = {2, 16};
            head.bytes = std::as_bytes(std::span(head_));
            drop(tensors, "lm_head.weight");
        });
        configure(folder,
                  {{"architectures", Json::array({"LlamaForSequenceClassification"})}, {"num_labels", 2}, {"id2label", nullptr}});
        return folder;
    }
    std::vector<double> head_;
};

TEST_F(FolderHead, AClassifierWithoutItsHeadIsIncompleteWhateverItIsAskedFor) {
    const fs::path folder = classed("LlamaForSequenceClassification", {"score.weight"});
    for (const HeadKind want : {HeadKind::none, HeadKind::reward, HeadKind::lm}) {
        expect_names(load_error(folder, want),
                     {"config.json", "LlamaForSequenceClassification", "score.weight", "altered", "LlamaForCausalLM"});
    }
    EXPECT_THROW(xlrm::load_model(folder, HeadKind::reward, at::kFloat, true), xlrm::Error);
    EXPECT_THROW(xlrm::check_model(folder, HeadKind::reward, true), xlrm::Error);
    EXPECT_THROW(xlrm::stored_head(folder), xlrm::Error);
    EXPECT_THROW(xlrm::inspect_model(folder), xlrm::Error);
    configure(folder, {{"architectures", Json::array({"LlamaForCausalLM"})}});
    EXPECT_EQ(load_error(folder, HeadKind::none), "");
}

TEST_F(FolderHead, AHeadUnderAnotherNameIsNamed) {
    const fs::path folder = altered([](Tensors& tensors) { find(tensors, "score.weight").name = "v_head.weight"; });
    configure(folder, {{"architectures", Json::array({"LlamaForSequenceClassification"})}});
    expect_names(load_error(folder, HeadKind::none), {"score.weight", "v_head.weight"});
}

TEST_F(FolderHead, ARewardHeadThatConfigDoesNotNameIsRefused) {
    for (const char* name : {"LlamaForCausalLM", "LlamaModel"}) {
        const fs::path folder = classed(name, {});
        for (const HeadKind want : {HeadKind::none, HeadKind::reward, HeadKind::lm})
            expect_names(load_error(folder, want),
                         {"config.json", name, "model.safetensors", "score.weight", "LlamaForSequenceClassification"});
    }
}

TEST_F(FolderHead, AnUntiedLanguageModelNeedsItsHead) {
    const fs::path folder = classed("LlamaForCausalLM", {"lm_head.weight", "score.weight"});
    for (const HeadKind want : {HeadKind::none, HeadKind::lm})
        expect_names(load_error(folder, want),
                     {"config.json", "LlamaForCausalLM", "tie_word_embeddings", "lm_head.weight", "LlamaModel"});
    configure(folder, {{"tie_word_embeddings", true}});
    EXPECT_EQ(load_error(folder, HeadKind::lm), "");
    EXPECT_EQ(xlrm::stored_head(folder), HeadKind::lm);
    configure(folder, {{"tie_word_embeddings", false}, {"architectures", Json::array({"LlamaModel"})}});
    EXPECT_EQ(load_error(folder, HeadKind::none), "");
    EXPECT_EQ(xlrm::stored_head(folder), HeadKind::none);
}

TEST_F(FolderHead, ARewardModelIsNoLanguageModel) {
    for (const bool tied : {false, true}) {
        const fs::path folder = classed("LlamaForSequenceClassification", {"lm_head.weight"});
        configure(folder, {{"tie_word_embeddings", tied}});
        expect_names(load_error(folder, HeadKind::lm),
                     {"config.json", "LlamaForSequenceClassification", "LM head", "LlamaForCausalLM"});
        EXPECT_EQ(load_error(folder, HeadKind::reward), "");
    }
    EXPECT_EQ(load_error(classed("LlamaForSequenceClassification", {}), HeadKind::lm), "");  // it has both
}

TEST_F(FolderHead, ClassesThatComputeSomethingElseAreNamed) {
    const std::pair<const char*, const char*> cases[] = {{"LlamaForTokenClassification", "labels tokens"},
                                                         {"LlamaForQuestionAnswering", "spans"},
                                                         {"LlamaForRewardModelWithGating", "not supported"},
                                                         {"LlamaBiModel", "not supported"},
                                                         {"MistralForCausalLM", "model_type llama"}};
    for (const auto& [name, part] : cases)
        expect_names(load_error(classed(name, {}), HeadKind::none),
                     {"config.json", "architectures", name, part, "LlamaForSequenceClassification"});
    EXPECT_EQ(load_error(classed("LLaMAForCausalLM", {"score.weight"}), HeadKind::lm), "");  // the spelling of early files
    const fs::path folder = altered();
    for (const Json& odd :
         {Json("LlamaForCausalLM"), Json::array({3}), Json::array({"LlamaModel", "LlamaForCausalLM"}), Json::object()}) {
        configure(folder, {{"architectures", odd}});
        expect_names(load_error(folder, HeadKind::none), {"config.json", "architectures"});
    }
    configure(folder, {{"architectures", Json::array()}});
    EXPECT_EQ(load_error(folder, HeadKind::reward), "");
}

TEST_F(FolderHead, XlrmJsonThatDescribesARewardModelNeedsAHead) {
    const fs::path folder = classed("LlamaForCausalLM", {"score.weight"});
    xlrm::write_file_atomic(folder / "xlrm.json", R"({"pooling": "last"})");
    expect_names(load_error(folder, HeadKind::none), {"xlrm.json", "pooling", "score.weight"});
    const std::pair<const char*, const char*> odd[] = {
        {R"({"pooling": 3})", "pooling"}, {R"({"pooling": "first"})", "pooling"}, {R"({"template": []})", "template"},
        {R"({"source": {}})", "source"},  {R"({"seed": "x"})", "seed"},           {"[1]", "JSON object"}};
    for (const auto& [text, part] : odd) {
        xlrm::write_file_atomic(folder / "xlrm.json", text);
        expect_names(load_error(folder, HeadKind::none), {"xlrm.json", part});
    }
    xlrm::write_file_atomic(folder / "xlrm.json", R"({"template": "none", "seed": 7})");
    EXPECT_EQ(load_error(folder, HeadKind::none), "");
}

TEST_F(FolderHead, TensorsThatAreNotUsedAreNamed) {
    const std::vector<std::byte> buffer(4);
    const fs::path folder = altered([&](Tensors& tensors) {
        tensors.push_back({"model.layers.0.self_attn.rotary_emb.inv_freq", xlrm::DType::f32, {1}, buffer});
    });
    configure(folder, {{"architectures", Json::array({"LlamaForSequenceClassification"})}});
    const std::vector<std::string> unused = {"lm_head.weight", "model.layers.0.self_attn.rotary_emb.inv_freq"};
    EXPECT_EQ(xlrm::check_model(folder, HeadKind::reward).unused, unused);
    for (const std::string& name : unused) expect_names(xlrm::inspect_model(folder), {("not used    " + name).c_str()});
}

TEST_F(FolderHead, LabelsAreAsManyAsConfigSays) {
    const fs::path folder = two_labels();
    EXPECT_EQ(xlrm::stored_labels(folder), 2);
    for (const Json& changes : {Json{{"num_labels", 3}}, Json{{"num_labels", nullptr}, {"id2label", {{"0", "a"}}}}}) {
        configure(folder, changes);
        expect_names(load_error(folder, HeadKind::reward, 0), {"config.json", "label", "score.weight", "2 row"});
    }
    configure(folder, {{"num_labels", 2}, {"id2label", {{"0", "a"}}}});
    expect_names(load_error(folder, HeadKind::reward, 0), {"config.json", "num_labels", "id2label"});
    configure(folder, {{"num_labels", "2"}, {"id2label", nullptr}});
    expect_names(load_error(folder, HeadKind::reward, 0), {"config.json", "num_labels", "\"2\""});
    configure(folder, {{"num_labels", nullptr}});
    EXPECT_EQ(load_error(folder, HeadKind::reward, 0), "");
}

TEST_F(FolderHead, OfAHeadWithSeveralLabelsOneIsChosen) {
    const fs::path folder = two_labels();
    const std::string message = load_error(folder, HeadKind::reward);
    expect_names(message, {"score.weight", "2 label(s)", "--label 0 to 1"});
    EXPECT_EQ(message.find("config.json says"), std::string::npos) << message;
    expect_names(load_error(folder, HeadKind::reward, 2), {"score.weight", "2 label(s)", "no label 2"});
    const at::Tensor head = xlrm::load_model(fixture("llama"), HeadKind::reward, at::kDouble).parameters.view("score.weight");
    const auto row = [&](std::int64_t label) {
        return xlrm::load_model(folder, HeadKind::reward, at::kDouble, false, label).parameters.view("score.weight");
    };
    EXPECT_TRUE(at::equal(row(0), head));
    EXPECT_TRUE(at::equal(row(1), head.neg()));
    EXPECT_EQ(row(xlrm::kAllLabels).size(0), 2);
    // A new head does not ask how many the stored one has.
    EXPECT_EQ(xlrm::load_model(folder, HeadKind::reward, at::kDouble, true).parameters.view("score.weight").size(0), 1);
    EXPECT_EQ(load_error(folder, HeadKind::none), "");
}

TEST_F(FolderHead, InspectShowsAllLabels) {
    const fs::path folder = two_labels();
    expect_names(xlrm::inspect_model(folder), {"reward (score.weight), 2 labels"});
    xlrm::write_file_atomic(root_ / "ids.jsonl", "{\"ids\": [1, 5, 7]}\n{\"ids\": [3]}\n");
    xlrm::inspect_forward(folder, root_ / "ids.jsonl", root_ / "two.h5", xlrm::DType::f64);
    xlrm::inspect_forward(fixture("llama"), root_ / "ids.jsonl", root_ / "one.h5", xlrm::DType::f64);
    const xlrm::States two = xlrm::read_states(root_ / "two.h5"), one = xlrm::read_states(root_ / "one.h5");
    ASSERT_EQ(two.labels, 2);
    EXPECT_EQ(two.score, (std::vector<float>{one.score[0], -one.score[0], one.score[1], -one.score[1]}));
}

TEST_F(FolderHead, QuantisedWeightsAreNamedAsTheReason) {
    const fs::path folder = altered([](Tensors& tensors) {
        find(tensors, "model.layers.1.mlp.down_proj.weight").name = "model.layers.1.mlp.down_proj.qweight";
    });
    configure(folder, {{"quantization_config", {{"quant_method", "gptq"}}}});
    expect_names(load_error(folder, HeadKind::reward), {"down_proj.qweight", "quantization_config"});
}

TEST_F(FolderHead, AnAdapterAloneIsNamedAsSuch) {
    xlrm::write_file_atomic(root_ / "adapter/adapter_config.json", "{}");
    xlrm::write_file_atomic(root_ / "adapter/adapter_model.safetensors", "");
    expect_names(load_error(root_ / "adapter", HeadKind::none), {"adapter", "adapter_config.json", "merge"});
}

}  // namespace
