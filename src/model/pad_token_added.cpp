#include <ATen/ops/zeros.h>

#include "pad_token.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/model/model_folder.hpp"
#include "xlrm/text/tokenizer.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPad = "[PAD]";

template <class J>
J description() {
    return J{{"content", kPad}, {"lstrip", false},      {"normalized", false},
             {"rstrip", false}, {"single_word", false}, {"special", true}};
}

// The same tensors with `rows` rows in the embedding and an untied head; new rows are the mean of the old ones.
void resize_rows(LoadedModel& model, std::int64_t rows) {
    const std::int64_t before = model.config.vocab_size;
    model.config.vocab_size = rows;
    model.config.raw["vocab_size"] = rows;
    Parameters grown;
    grown.layout = make_layout(model.config, model.head);
    grown.flat = at::zeros({grown.layout.total}, model.parameters.flat.options());
    for (const ParameterInfo& info : grown.layout.tensors) {
        const at::Tensor from = model.parameters.view(info.name);
        at::Tensor to = grown.view(info.name);
        if (from.size(0) == to.size(0)) {
            to.copy_(from);
            continue;
        }
        to.narrow(0, 0, before).copy_(from);
        to.narrow(0, before, rows - before).copy_(from.to(at::kDouble).mean(0, true).expand({rows - before, from.size(1)}));
    }
    model.parameters = grown;
}

template <class J>
void write(const fs::path& path, const J& json) {
    write_file_atomic(path, json.dump(2) + "\n");
}

void add_to_tokenizer_json(const fs::path& path, std::int32_t id) {
    // Json keeps the order of keys and searches them one by one: too slow for a vocabulary.
    nlohmann::json json = nlohmann::json::parse(read_file(path));
    nlohmann::json& added = json["added_tokens"];
    if (!added.is_array()) added = nlohmann::json::array();
    for (const nlohmann::json& token : added) {
        if (token.value("content", "") == kPad) return;
    }
    auto token = description<nlohmann::json>();
    token["id"] = id;
    added.push_back(token);
    write(path, json);
}

}  // namespace

void add_pad_token(LoadedModel& model, const fs::path& tokenizer_from) {
    const auto tokenizer = load_tokenizer(tokenizer_from);
    require_tokenizer_fits(*tokenizer, model.config.vocab_size, tokenizer_from);
    const auto id = tokenizer->id_of(kPad).value_or(static_cast<std::int32_t>(tokenizer->vocab_size()));
    if (id >= model.config.vocab_size) resize_rows(model, id + 1);
    model.config.pad = id;
    model.config.raw["pad_token_id"] = id;
    model.config.pad_added = true;
}

void write_pad_token(const fs::path& folder, std::int32_t id) {
    const bool fast = fs::exists(folder / "tokenizer.json");
    if (fast) add_to_tokenizer_json(folder / "tokenizer.json", id);
    const fs::path settings = folder / "tokenizer_config.json";
    Json json = fs::exists(settings) ? read_json(settings) : Json::object();
    json["pad_token"] = kPad;
    if (!fast || json.contains("added_tokens_decoder")) json["added_tokens_decoder"][std::to_string(id)] = description<Json>();
    write(settings, json);
    for (const char* name : {"special_tokens_map.json", "added_tokens.json"}) {
        if (!fs::exists(folder / name)) continue;
        Json map = read_json(folder / name);
        if (std::string(name) == "added_tokens.json")
            map[kPad] = id;
        else
            map["pad_token"] = kPad;
        write(folder / name, map);
    }
}

}  // namespace xlrm
