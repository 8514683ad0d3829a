#include "xlrm/model/model_folder.hpp"

#include <ATen/ops/equal.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <thread>

#include "model/altered_folder.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/text/tokenizer.hpp"

namespace {

using namespace xlrm_test;
using xlrm::HeadKind;
using xlrm::Json;
namespace fs = std::filesystem;

using ModelFolder = AlteredFolder;

TEST_F(ModelFolder, NamesAMissingTensor) {
    const fs::path folder =
        altered([](Tensors& t) { std::erase_if(t, [](const auto& x) { return x.name == "model.norm.weight"; }); });
    expect_names(load_error(folder, HeadKind::lm), {"altered", "model.norm.weight", "missing"});
}

TEST_F(ModelFolder, NamesAnExtraTensor) {
    const fs::path folder = altered([](Tensors& t) { find(t, "model.norm.weight").name = "model.norm.scale"; });
    expect_names(load_error(folder, HeadKind::lm), {"model.safetensors", "model.norm.scale", "does not belong"});
}

TEST_F(ModelFolder, NamesAMisshapenTensor) {
    const fs::path folder = altered([](Tensors& t) { find(t, "model.layers.1.mlp.down_proj.weight").shape = {24, 16}; });
    expect_names(load_error(folder, HeadKind::lm),
                 {"model.safetensors", "model.layers.1.mlp.down_proj.weight", "[24, 16]", "[16, 24]"});
}

TEST_F(ModelFolder, ARewardModelNeedsAHeadUnlessANewOneIsAsked) {
    const fs::path folder = altered([](Tensors& t) { std::erase_if(t, [](const auto& x) { return x.name == "score.weight"; }); });
    expect_names(load_error(folder, HeadKind::reward), {"altered", "score.weight", "missing"});
    const auto model = xlrm::load_model(folder, HeadKind::reward, at::kFloat, true);
    EXPECT_EQ(model.parameters.view("score.weight").abs().max().item<double>(), 0.0);
    EXPECT_EQ(xlrm::stored_head(folder), HeadKind::lm);
    EXPECT_EQ(xlrm::stored_head(fixture("llama")), HeadKind::reward);
}

TEST_F(ModelFolder, ATiedHeadThatIsStoredMustEqualTheEmbedding) {
    const auto add_head = [](Tensors& t) {
        xlrm::TensorOut head = find(t, "model.embed_tokens.weight");
        head.name = "lm_head.weight";
        t.push_back(head);
    };
    EXPECT_EQ(load_error(altered(add_head, "qwen2"), HeadKind::lm), "");
    std::vector<std::byte> zeros(48 * 16 * 8);
    const fs::path folder = altered(
        [&](Tensors& t) {
            add_head(t);
            t.back().bytes = zeros;
        },
        "qwen2");
    expect_names(load_error(folder, HeadKind::lm), {"lm_head.weight", "differs", "tie_word_embeddings"});
    EXPECT_EQ(load_error(folder, HeadKind::reward), "");
}

TEST_F(ModelFolder, ABodySavedAloneIsRead) {
    const fs::path folder = altered([](Tensors& t) {
        std::erase_if(t, [](const auto& x) { return !x.name.starts_with("model."); });
        for (auto& x : t) x.name = x.name.substr(6);
    });
    EXPECT_EQ(load_error(folder, HeadKind::none), "");
    EXPECT_EQ(xlrm::stored_head(folder), HeadKind::none);
}

TEST_F(ModelFolder, NamesATruncatedFile) {
    const fs::path folder = altered([](Tensors&) {});
    fs::resize_file(folder / "model.safetensors", fs::file_size(folder / "model.safetensors") - 8);
    expect_names(load_error(folder, HeadKind::lm), {"altered/model.safetensors"});
}

TEST_F(ModelFolder, ShardsAreReadAndMustAgreeWithTheIndex) {
    const fs::path folder = altered([](Tensors&) {});
    const xlrm::SafetensorsFile whole(fixture("llama") / "model.safetensors");
    Json map = Json::object();
    Tensors shards[2];
    for (const std::string& name : whole.names()) {
        const std::size_t shard = name.find("layers.1") != std::string::npos ? 1 : 0;
        const xlrm::TensorView view = whole.tensor(name);
        shards[shard].push_back({name, view.dtype, view.shape, view.bytes});
        map[name] = "part-" + std::to_string(shard) + ".safetensors";
    }
    fs::remove(folder / "model.safetensors");
    for (int i = 0; i < 2; ++i) xlrm::write_safetensors(folder / ("part-" + std::to_string(i) + ".safetensors"), shards[i]);
    const auto write_index = [&] {
        xlrm::write_file_atomic(folder / "model.safetensors.index.json", Json{{"weight_map", map}}.dump());
    };
    write_index();
    const auto sharded = xlrm::load_model(folder, HeadKind::lm, at::kDouble);
    EXPECT_TRUE(
        at::equal(sharded.parameters.flat, xlrm::load_model(fixture("llama"), HeadKind::lm, at::kDouble).parameters.flat));

    map["model.norm.weight"] = "part-1.safetensors";
    write_index();
    expect_names(load_error(folder, HeadKind::lm), {"part-0.safetensors", "model.norm.weight"});
    map["model.norm.weight"] = "../part-0.safetensors";
    write_index();
    expect_names(load_error(folder, HeadKind::lm), {"index.json", "../part-0.safetensors"});
    map["model.norm.weight"] = "part-7.safetensors";
    write_index();
    expect_names(load_error(folder, HeadKind::lm), {"part-7.safetensors", "missing"});
}

TEST_F(ModelFolder, SaysWhereWeightsShouldBe) {
    fs::create_directories(root_ / "empty");
    fs::copy_file(fixture("llama") / "config.json", root_ / "empty/config.json");
    expect_names(load_error(root_ / "empty", HeadKind::lm), {"empty", "model.safetensors"});
}

TEST_F(ModelFolder, ASavedRewardModelComesBackTheSame) {
    const auto model = xlrm::load_model(fixture("qwen2"), HeadKind::reward, at::kFloat);
    const fs::path folder = root_ / "rm";
    xlrm::save_model(folder, model.config, model.parameters.layout, model.parameters.flat, HeadKind::reward, {},
                     Json{{"pooling", "last"}}, at::kFloat);
    const auto again = xlrm::load_model(folder, HeadKind::reward, at::kFloat);
    EXPECT_TRUE(at::equal(again.parameters.flat, model.parameters.flat));
    EXPECT_EQ(again.extra.at("pooling"), "last");
    EXPECT_EQ(again.sha256, xlrm::model_sha256(folder));
    const Json config = xlrm::read_json(folder / "config.json");
    EXPECT_EQ(config.at("architectures"), Json::array({"Qwen2ForSequenceClassification"}));
    EXPECT_EQ(config.at("id2label").size(), 1U);
    EXPECT_EQ(config.at("pad_token_id"), 0);
    EXPECT_EQ(config.at("torch_dtype"), "float32");
    EXPECT_EQ(config.at("rms_norm_eps"), model.config.raw.at("rms_norm_eps"));
    for (const auto& entry : fs::directory_iterator(root_)) EXPECT_EQ(entry.path().filename(), "rm");
}

TEST_F(ModelFolder, SavingAgainReplacesTheWholeFolder) {
    const auto model = xlrm::load_model(fixture("qwen2"), HeadKind::reward, at::kFloat);
    const fs::path folder = root_ / "rm";
    fs::create_directories(folder);
    xlrm::write_file_atomic(folder / "tokenizer.json", "of another model");
    xlrm::save_model(folder, model.config, model.parameters.layout, model.parameters.flat, HeadKind::reward, {}, Json(),
                     at::kBFloat16);
    EXPECT_FALSE(fs::exists(folder / "tokenizer.json"));
    EXPECT_EQ(xlrm::read_json(folder / "config.json").at("dtype"), "bfloat16");
    const auto again = xlrm::load_model(folder, HeadKind::reward, at::kFloat);
    EXPECT_TRUE(at::equal(again.parameters.flat, model.parameters.flat.to(at::kBFloat16).to(at::kFloat)));
}

TEST_F(ModelFolder, TheNameStandsForTheWholeFolderAlone) {
    const auto model = xlrm::load_model(fixture("qwen2"), HeadKind::reward, at::kFloat);
    const fs::path folder = root_ / "rm";
    const auto save = [&](const std::function<void(const fs::path&)>& finish) {
        xlrm::save_model(folder, model.config, model.parameters.layout, model.parameters.flat, HeadKind::reward, {}, Json(),
                         at::kFloat, finish);
    };
    const auto fails_in_the_end = [&](const fs::path& making) {
        EXPECT_TRUE(fs::exists(making / "model.safetensors"));
        xlrm::write_file_atomic(making / "summary", "new");
        throw xlrm::Error("no room");
    };
    EXPECT_THROW(save(fails_in_the_end), xlrm::Error);
    EXPECT_TRUE(fs::is_empty(root_));
    save([&](const fs::path& making) {
        EXPECT_FALSE(fs::exists(folder));
        xlrm::write_file_atomic(making / "summary", "old");
    });
    EXPECT_THROW(save(fails_in_the_end), xlrm::Error);
    EXPECT_EQ(xlrm::read_file(folder / "summary"), "old");
}

TEST_F(ModelFolder, AFolderThatIsReplacedIsThereAllTheTime) {
    fs::create_directory(root_ / "a");
    fs::create_directory(root_ / "b");
    if (::renameat2(AT_FDCWD, (root_ / "a").c_str(), AT_FDCWD, (root_ / "b").c_str(), RENAME_EXCHANGE) != 0)
        GTEST_SKIP() << root_ << ": this file system cannot exchange two folders";
    const auto model = xlrm::load_model(fixture("qwen2"), HeadKind::reward, at::kFloat);
    const auto save = [&] {
        xlrm::save_model(root_ / "rm", model.config, model.parameters.layout, model.parameters.flat, HeadKind::reward, {}, Json(),
                         at::kFloat);
    };
    save();
    std::atomic<bool> done = false;
    std::atomic<int> looks = 0, missing = 0;
    std::thread reader([&] {
        while (!done) {
            missing += ::access((root_ / "rm/model.safetensors").c_str(), R_OK) == 0 ? 0 : 1;
            ++looks;
        }
    });
    for (int i = 0; i < 50; ++i) save();
    done = true;
    reader.join();
    EXPECT_GT(looks, 50);
    EXPECT_EQ(missing, 0);
    EXPECT_EQ(std::distance(fs::directory_iterator(root_), fs::directory_iterator()), 3);  // a, b, rm
}

TEST_F(ModelFolder, ThePadTokenIsOneThatEndsNoText) {
    auto model = xlrm::load_model(fixture("qwen2"), HeadKind::reward, at::kFloat);
    const auto saved_pad = [&] {
        xlrm::save_model(root_ / "rm", model.config, model.parameters.layout, model.parameters.flat, HeadKind::reward, {}, Json(),
                         at::kFloat);
        const Json pad = xlrm::read_json(root_ / "rm/config.json").at("pad_token_id");
        const std::string note = xlrm::read_json(root_ / "rm/xlrm.json").at("transformers_pooling").get<std::string>();
        return std::pair(pad, note.substr(0, note.find(' ')));
    };
    EXPECT_EQ(saved_pad(), std::pair(Json(0), std::string("agrees")));
    model.config.pad.reset();
    EXPECT_EQ(saved_pad(), std::pair(Json(1), std::string("agrees")));  // BOS
    model.config.bos = model.config.eos;
    EXPECT_EQ(saved_pad(), std::pair(Json(nullptr), std::string("agrees")));
    model.config.pad = model.config.eos;
    EXPECT_EQ(saved_pad(), std::pair(Json(2), std::string("differs")));
}

TEST_F(ModelFolder, TheTokenizersPadTokenGoesBeforeTheModelsOwnAndItsFilesAreCopied) {
    auto model = xlrm::load_model(fixture("qwen2"), HeadKind::reward, at::kFloat);
    const fs::path tokenizer = root_ / "tokenizer";
    fs::create_directories(tokenizer);
    fs::copy_file(fs::path(XLRM_SOURCE_DIR) / "tests/fixtures/text/bpe_special.json", tokenizer / "tokenizer.json");
    const Json added = xlrm::read_json(tokenizer / "tokenizer.json").at("added_tokens").back();
    xlrm::write_file_atomic(tokenizer / "tokenizer_config.json", Json{{"pad_token", added.at("content")}}.dump());
    xlrm::write_file_atomic(tokenizer / "chat_template.jinja", "{{ x }}");
    xlrm::write_file_atomic(tokenizer / "unrelated.txt", "x");
    xlrm::save_model(root_ / "rm", model.config, model.parameters.layout, model.parameters.flat, HeadKind::reward, tokenizer,
                     Json(), at::kFloat);
    const auto saved_pad = [&] { return xlrm::read_json(root_ / "rm/config.json").at("pad_token_id"); };
    EXPECT_EQ(saved_pad(), model.config.pad.value());  // the tokenizer's has no embedding in a model of 48 pieces
    for (const char* name : {"tokenizer.json", "tokenizer_config.json", "chat_template.jinja"}) {
        EXPECT_EQ(xlrm::read_file(root_ / "rm" / name), xlrm::read_file(tokenizer / name));
    }
    EXPECT_FALSE(fs::exists(root_ / "rm/unrelated.txt"));
    model.config.vocab_size = 512;
    xlrm::save_model(root_ / "rm", model.config, model.parameters.layout, model.parameters.flat, HeadKind::reward, tokenizer,
                     Json(), at::kFloat);
    EXPECT_EQ(saved_pad(), added.at("id"));
}

TEST_F(ModelFolder, AnAddedPadTokenGrowsTokenizerAndEmbeddings) {
    const fs::path tokenizer = root_ / "tokenizer";
    fs::create_directories(tokenizer);
    fs::copy_file(fs::path(XLRM_SOURCE_DIR) / "tests/fixtures/text/bpe_special.json", tokenizer / "tokenizer.json");
    const std::int64_t pieces = xlrm::load_tokenizer(tokenizer)->vocab_size();
    for (const std::int64_t spare : {0, 3}) {
        Json json = xlrm::read_json(fixture("llama") / "config.json");
        json["vocab_size"] = pieces + spare;
        xlrm::LoadedModel model;
        model.config = xlrm::parse_model_config(json, "config.json");
        model.head = HeadKind::lm;
        model.parameters = xlrm::init_parameters(model.config, HeadKind::lm, 1, at::kFloat);
        const xlrm::Parameters before = model.parameters;
        xlrm::add_pad_token(model, tokenizer);
        const std::int64_t rows = spare > 0 ? pieces + spare : pieces + 1;
        EXPECT_EQ(model.config.vocab_size, rows);
        EXPECT_EQ(model.config.pad, pieces);
        for (const xlrm::ParameterInfo& info : before.layout.tensors) {
            const at::Tensor old = before.view(info.name);
            const at::Tensor grown = model.parameters.view(info.name);
            EXPECT_TRUE(at::equal(grown.narrow(0, 0, old.size(0)), old)) << info.name;
            if (grown.size(0) == old.size(0)) continue;
            EXPECT_TRUE(info.name == "model.embed_tokens.weight" || info.name == "lm_head.weight") << info.name;
            EXPECT_LT((grown[pieces] - old.mean(0)).abs().max().item<double>(), 1e-6) << info.name;
        }
        xlrm::save_model(root_ / "lm", model.config, model.parameters.layout, model.parameters.flat, HeadKind::lm, tokenizer,
                         Json(), at::kFloat);
        const auto saved = xlrm::load_tokenizer(root_ / "lm");
        EXPECT_EQ(saved->pad, pieces);
        EXPECT_EQ(saved->id_of("[PAD]"), pieces);
        EXPECT_EQ(saved->vocab_size(), pieces + 1);
        EXPECT_EQ(saved->encode("a[PAD]", false).back(), pieces);
        const auto again = xlrm::load_model(root_ / "lm", HeadKind::lm, at::kFloat);
        EXPECT_EQ(again.config.pad, pieces);
        EXPECT_TRUE(at::equal(again.parameters.flat, model.parameters.flat));
    }
}

TEST_F(ModelFolder, ALanguageModelIsSavedWithoutLabels) {
    auto model = xlrm::load_model(fixture("llama"), HeadKind::lm, at::kDouble);
    model.config.raw["quantization_config"] = {{"load_in_4bit", true}};  // as merged adapters leave it
    xlrm::save_model(root_ / "lm", model.config, model.parameters.layout, model.parameters.flat, HeadKind::lm, {}, Json(),
                     at::kFloat);
    const Json config = xlrm::read_json(root_ / "lm/config.json");
    EXPECT_EQ(config.at("architectures"), Json::array({"LlamaForCausalLM"}));
    EXPECT_FALSE(config.contains("id2label") || config.contains("quantization_config"));
    EXPECT_EQ(xlrm::stored_head(root_ / "lm"), HeadKind::lm);
}

TEST_F(ModelFolder, NothingIsLeftWhereSavingFails) {
    const auto model = xlrm::load_model(fixture("qwen2"), HeadKind::reward, at::kFloat);
    xlrm::write_file_atomic(root_ / "file", "not a folder");
    EXPECT_THROW(xlrm::save_model(root_ / "file/rm", model.config, model.parameters.layout, model.parameters.flat,
                                  HeadKind::reward, {}, Json(), at::kFloat),
                 xlrm::Error);
    EXPECT_EQ(xlrm::read_file(root_ / "file"), "not a folder");
}

}  // namespace
