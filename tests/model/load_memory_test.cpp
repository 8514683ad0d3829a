// What loading adds to the memory of a process: the weights, and little beside them.
#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <string>

#include "support/temporary_folder.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/json.hpp"
#include "xlrm/model/inspect.hpp"
#include "xlrm/model/model_folder.hpp"

namespace {

using xlrm::HeadKind;
using xlrm::Json;
namespace fs = std::filesystem;

// Bytes of a line of /proc/self/status: VmRSS, or its peak VmHWM.
std::int64_t memory(const std::string& name) {
    std::ifstream file("/proc/self/status");
    for (std::string line; std::getline(file, line);)
        if (line.starts_with(name + ":")) return 1024 * std::stoll(line.substr(name.size() + 1));
    return 0;
}

void reset_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }

constexpr std::int64_t kRows = 96'000, kWidth = 1024;

// A model of 200 MB in bf16, most of it the embedding, in `shards` files. They are sparse: all zeros, and nothing on the disk.
void make_folder(const fs::path& folder, int shards) {
    const Json config = {{"model_type", "llama"},    {"vocab_size", kRows},
                         {"hidden_size", kWidth},    {"num_hidden_layers", 1},
                         {"num_attention_heads", 8}, {"num_key_value_heads", 8},
                         {"intermediate_size", 8},   {"max_position_embeddings", 64},
                         {"num_labels", 1},          {"architectures", Json::array({"LlamaForSequenceClassification"})}};
    xlrm::write_file_atomic(folder / "config.json", config.dump());
    const xlrm::ParameterLayout layout = xlrm::make_layout(xlrm::parse_model_config(config, "config.json"), HeadKind::reward);
    Json index = Json::object();
    for (int shard = 0; shard < shards; ++shard) {
        const std::string name = shards == 1 ? "model.safetensors" : "part-" + std::to_string(shard) + ".safetensors";
        Json header = Json::object();
        std::int64_t end = 0;
        for (std::size_t i = static_cast<std::size_t>(shard); i < layout.tensors.size(); i += static_cast<std::size_t>(shards)) {
            const xlrm::ParameterInfo& info = layout.tensors[i];
            header[info.name] = {{"dtype", "BF16"}, {"shape", info.shape}, {"data_offsets", {end, end + 2 * info.elements}}};
            end += 2 * info.elements;
            index[info.name] = name;
        }
        const std::string text = header.dump();
        const std::uint64_t length = text.size();
        std::ofstream(folder / name, std::ios::binary).write(reinterpret_cast<const char*>(&length), 8) << text;
        fs::resize_file(folder / name, 8 + length + static_cast<std::uint64_t>(end));
    }
    if (shards > 1) xlrm::write_file_atomic(folder / "model.safetensors.index.json", Json{{"weight_map", index}}.dump());
}

TEST(LoadMemory, IsThatOfTheWeightsAndATenth) {
    for (const int shards : {1, 3}) {
        const xlrm::TemporaryFolder folder;
        make_folder(folder.path(), shards);
        for (const at::ScalarType dtype : {at::kBFloat16, at::kFloat}) {
            const std::int64_t before = memory("VmRSS");
            reset_peak();
            const xlrm::LoadedModel model = xlrm::load_model(folder.path(), HeadKind::reward, dtype);
            const std::int64_t weights = static_cast<std::int64_t>(model.parameters.flat.nbytes());
            ASSERT_GT(weights, 2 * kRows * kWidth);
            const std::int64_t taken = memory("VmHWM") - before;
            EXPECT_GT(taken, weights / 2);  // the measure sees what it should
            EXPECT_LT(taken, weights + weights / 10) << shards << " files into " << model.parameters.flat.dtype().name();
        }
    }
}

TEST(LoadMemory, CheckingAndInspectingLoadNoWeights) {
    const xlrm::TemporaryFolder folder;
    make_folder(folder.path(), 1);
    const std::int64_t before = memory("VmRSS");
    reset_peak();
    xlrm::check_model(folder.path(), HeadKind::reward);
    EXPECT_NE(xlrm::inspect_model(folder.path()).find("all present"), std::string::npos);
    EXPECT_LT(memory("VmHWM") - before, 40'000'000);
}

}  // namespace
