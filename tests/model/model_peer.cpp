// The xlrm side of peer_test.py.
//     model_peer save MODEL OUT reward|lm fp32|bf16|fp16       reads a folder and saves it again
//     model_peer score MODEL TEXTS POOLING               scores of {"ids": […], "prompt": n} rows as JSON on standard output
//     model_peer states MODEL TEXTS OUT fp32|bf16        of each text i: i.hidden.<layer>, i.logits (with an LM head)
//     model_peer gradient MODEL TEXTS OUT                of the Bradley-Terry loss over consecutive pairs, packed with shared
//     prompts
#include <cstdio>
#include <filesystem>
#include <map>
#include <numeric>

#include "model/bradley_terry.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/infer/generator.hpp"
#include "xlrm/infer/scorer.hpp"
#include "xlrm/model/model_folder.hpp"
#include "xlrm/store/safetensors.hpp"

namespace {

namespace fs = std::filesystem;

at::ScalarType type_named(const std::string& name) {
    return name == "bf16" ? at::kBFloat16 : name == "fp16" ? at::kHalf : at::kFloat;
}

xlrm::ItemSet read_texts(const fs::path& file) {
    xlrm::ItemSet set;
    for (const xlrm::Json& text : xlrm::read_json(file)) {
        const auto ids = text.at("ids").get<std::vector<std::int32_t>>();
        set.answers.push_back({static_cast<std::int64_t>(set.tokens.size()), static_cast<std::int32_t>(ids.size()),
                               text.at("prompt").get<std::int32_t>()});
        set.tokens.insert(set.tokens.end(), ids.begin(), ids.end());
    }
    return set;
}

std::vector<std::int64_t> all_of(const xlrm::ItemSet& set) {
    std::vector<std::int64_t> order(set.answers.size());
    std::iota(order.begin(), order.end(), 0);
    return order;
}

class Output {
public:
    void add(const std::string& name, const at::Tensor& value) { tensors_[name] = value.to(at::kFloat).contiguous(); }
    void write(const fs::path& file) const {
        std::vector<xlrm::TensorOut> out;
        for (const auto& [name, tensor] : tensors_) {
            out.push_back({name,
                           xlrm::DType::f32,
                           tensor.sizes().vec(),
                           {static_cast<const std::byte*>(tensor.const_data_ptr()), static_cast<std::size_t>(tensor.nbytes())}});
        }
        xlrm::write_safetensors(file, out);
    }

private:
    std::map<std::string, at::Tensor> tensors_;
};

void save(const fs::path& folder, const fs::path& out, const std::string& head_name, const std::string& dtype) {
    const xlrm::HeadKind head = head_name == "reward" ? xlrm::HeadKind::reward : xlrm::HeadKind::lm;
    const auto model = xlrm::load_model(folder, head, at::kFloat);
    xlrm::save_model(out, model.config, model.parameters.layout, model.parameters.flat, head, folder,
                     xlrm::Json{{"pooling", "last"}}, type_named(dtype));
}

void score(const fs::path& folder, const fs::path& texts, const std::string& pooling) {
    const auto model = xlrm::load_model(folder, xlrm::HeadKind::reward, at::kFloat);
    const xlrm::ItemSet set = read_texts(texts);
    const xlrm::Decoder decoder(model.config, model.parameters);
    xlrm::ScoreOptions options;
    options.pooling = xlrm::parse_pooling(pooling);
    std::printf("%s\n", xlrm::Json(xlrm::score_texts(decoder, set, all_of(set), options).scores).dump().c_str());
}

void states(const fs::path& folder, const fs::path& texts, const fs::path& out, const std::string& dtype) {
    const auto model = xlrm::load_model(folder, xlrm::stored_head(folder), type_named(dtype));
    const xlrm::ItemSet set = read_texts(texts);
    const xlrm::Decoder decoder(model.config, model.parameters);
    Output output;
    for (const std::int64_t text : all_of(set)) {
        const std::string name = std::to_string(text) + ".";
        const at::Tensor rows =
            decoder.forward(xlrm::pack(set, {&text, 1}), {}, nullptr, [&](std::int64_t layer, const at::Tensor& residual) {
                output.add(name + "hidden." + std::to_string(layer), residual.clone());
            });
        const at::Tensor normed = decoder.final_norm(rows);
        output.add(name + "normed", normed);
        if (model.head == xlrm::HeadKind::lm) output.add(name + "logits", xlrm::lm_logits(decoder, normed));
    }
    output.write(out);
}

void gradient(const fs::path& folder, const fs::path& texts, const fs::path& out) {
    const auto model = xlrm::load_model(folder, xlrm::HeadKind::reward, at::kFloat);
    const xlrm::ItemSet set = read_texts(texts);
    const xlrm::Decoder decoder(model.config, model.parameters);
    const at::Tensor flat = at::zeros_like(model.parameters.flat);
    std::vector<double> scores;
    xlrm_test::add_bt_gradient(decoder, xlrm::pack(set, all_of(set)), static_cast<double>(set.answers.size()) / 2,
                               xlrm::Keep::full, flat, scores);
    Output output;
    for (const auto& info : model.parameters.layout.tensors) output.add(info.name, model.parameters.view_of(flat, info.name));
    output.write(out);
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    const auto is = [&](const char* command, std::size_t count) { return words.size() == count && words[0] == command; };
    try {
        if (is("save", 5)) return save(words[1], words[2], words[3], words[4]), 0;
        if (is("score", 4)) return score(words[1], words[2], words[3]), 0;
        if (is("states", 5)) return states(words[1], words[2], words[3], words[4]), 0;
        if (is("gradient", 4)) return gradient(words[1], words[2], words[3]), 0;
    } catch (const xlrm::Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    std::fprintf(stderr, "the commands are in model_peer.cpp\n");
    return 2;
}
