#include "tokenizer_class.hpp"

#include <algorithm>
#include <array>

#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"

namespace xlrm {
namespace {

using nlohmann::json;

//! AutoTokenizer's entry for a model type (TOKENIZER_MAPPING_NAMES; MODELS_WITH_INCORRECT_HUB_TOKENIZER_CLASS).
struct ModelType {
    std::string_view type, tokenizer_class;  // empty: TokenizersBackend
    bool overrules = false;                  // what tokenizer_config.json says does not count
};
constexpr std::array kModelTypes = {
    ModelType{"mistral", ""},
    ModelType{"mixtral", ""},
    ModelType{"mistral3", ""},
    ModelType{"ministral", ""},
    ModelType{"phi3", "", true},
    ModelType{"stablelm", ""},
    ModelType{"granite", ""},
    ModelType{"olmo2", ""},
    ModelType{"olmo3", ""},
    ModelType{"internlm2", "", true},
    ModelType{"nemotron", "", true},
    ModelType{"qwen2", "Qwen2Tokenizer", true},
    ModelType{"qwen2_moe", "Qwen2Tokenizer"},
    ModelType{"qwen3", "Qwen2Tokenizer"},
    ModelType{"qwen3_moe", "Qwen2Tokenizer"},
    ModelType{"gemma", "GemmaTokenizer"},
    ModelType{"gemma2", "GemmaTokenizer"},
    ModelType{"gemma3", "GemmaTokenizer"},
    ModelType{"gemma3_text", "GemmaTokenizer"},
    ModelType{"cohere", "CohereTokenizer"},
    ModelType{"cohere2", "CohereTokenizer"},
    ModelType{"code_llama", "CodeLlamaTokenizer"},
    ModelType{"gpt2", "GPT2Tokenizer"},
    ModelType{"gpt_neox", "GPTNeoXTokenizer"},
};

std::string without_fast(std::string name) {
    if (name.ends_with("Fast")) name.resize(name.size() - 4);
    return name;
}

bool is_backend(const std::string& name) {
    return name.empty() || name == "TokenizersBackend" || name == "PreTrainedTokenizer" || name == "PythonBackend" ||
           name == "BloomTokenizer";
}

std::string text_member(const Json& object, const char* name) {
    return object.is_object() && object.contains(name) && object.at(name).is_string() ? object.at(name).get<std::string>()
                                                                                      : std::string();
}

bool has_byte_level(const std::filesystem::path& folder) {
    const auto path = folder / "tokenizer.json";
    return std::filesystem::exists(path) && read_file(path).find("\"ByteLevel\"") != std::string::npos;
}

std::string find_name(const std::filesystem::path& folder, const Json& tokenizer_config, const Json& model_config) {
    std::string said = without_fast(text_member(tokenizer_config, "tokenizer_class"));
    if (said.empty()) said = without_fast(text_member(model_config, "tokenizer_class"));
    const auto type = std::ranges::find(kModelTypes, text_member(model_config, "model_type"), &ModelType::type);
    const bool known = type != kModelTypes.end();
    if (said == "LlamaTokenizer" && !(known && type->overrules) && has_byte_level(folder)) return "";
    if (!known) return said;
    if (said.empty() || type->tokenizer_class.empty() || type->overrules) return std::string(type->tokenizer_class);
    return said;
}

bool truth(const Json& config, const char* name, bool otherwise) {
    if (!config.contains(name)) return otherwise;
    return config.at(name).is_boolean() && config.at(name).get<bool>();
}

json sequence_of(const char* name, json parts) { return {{"type", "Sequence"}, {name, std::move(parts)}}; }
json byte_level(bool prefix_space, bool regex) {
    return {{"type", "ByteLevel"}, {"add_prefix_space", prefix_space}, {"use_regex", regex}};
}

json model_of_pieces(json unk) {
    return {{"unk_token", std::move(unk)}, {"fuse_unk", true}, {"byte_fallback", true}, {"ignore_merges", false}};
}
json model_of_bytes() {
    return {{"unk_token", nullptr}, {"fuse_unk", false}, {"byte_fallback", false}, {"ignore_merges", false}};
}

// "▁" before the whole text alone, or (`legacy`) before each part between special tokens.
json llama_parts(const Json& config, bool code) {
    const bool space = truth(config, "add_prefix_space", true) ||
                       (config.contains("add_prefix_space") && config.at("add_prefix_space").is_null());
    const char* scheme = !space ? "never" : !code && truth(config, "legacy", false) ? "always" : "first";
    json decoders = json::array({replace_step("\u2581", " "), {{"type", "ByteFallback"}}, {{"type", "Fuse"}}});
    if (space || code) decoders.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
    return {{"normalizer", nullptr},
            {"pre_tokenizer", {{"type", "Metaspace"}, {"replacement", "\u2581"}, {"prepend_scheme", scheme}, {"split", false}}},
            {"decoder", sequence_of("decoders", std::move(decoders))},
            {"model",
             model_of_pieces(code ? json(text_member(config, "unk_token").empty() ? "<unk>" : text_member(config, "unk_token"))
                                  : json())}};
}

json gemma_parts(const Json& config) {
    const std::string unk = text_member(config, "unk_token");
    return {{"normalizer", replace_step(" ", "\u2581")},
            {"pre_tokenizer",
             {{"type", "Split"}, {"pattern", {{"String", " "}}}, {"behavior", "MergedWithPrevious"}, {"invert", false}}},
            {"decoder", sequence_of("decoders", {replace_step("\u2581", " "), {{"type", "ByteFallback"}}, {{"type", "Fuse"}}})},
            {"model", model_of_pieces(unk.empty() ? "<unk>" : unk)}};
}

json bytes_parts(json normalizer, json pre_tokenizer) {
    return {{"normalizer", std::move(normalizer)},
            {"pre_tokenizer", std::move(pre_tokenizer)},
            {"decoder", {{"type", "ByteLevel"}}},
            {"model", model_of_bytes()}};
}

constexpr const char* kQwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

void describe(TokenizerClass& made, const Json& config) {
    const bool space = truth(config, "add_prefix_space", false);
    const json nfc = {{"type", "NFC"}};
    if (made.name == "LlamaTokenizer" || made.name == "CodeLlamaTokenizer") {
        const bool code = made.name == "CodeLlamaTokenizer";
        made.defaults = {{"bos_token", "<s>"}, {"eos_token", "</s>"}, {"unk_token", "<unk>"}};
        made.parts = llama_parts(config, code);
        if (!code) return;
        made.post = TokenizerClass::Post::bos;
        for (const auto& [name, content] : {std::pair{"prefix_token", "\u2581<PRE>"},
                                            {"middle_token", "\u2581<MID>"},
                                            {"suffix_token", "\u2581<SUF>"},
                                            {"eot_token", "\u2581<EOT>"},
                                            {"fill_token", "<FILL_ME>"}}) {
            made.defaults.emplace_back(name, content);
        }
    } else if (made.name == "GemmaTokenizer") {
        made.defaults = {{"bos_token", "<bos>"},
                         {"eos_token", "<eos>"},
                         {"unk_token", "<unk>"},
                         {"pad_token", "<pad>"},
                         {"mask_token", "<mask>"}};
        made.parts = gemma_parts(config);
    } else if (made.name == "Qwen2Tokenizer") {
        made.defaults = {{"eos_token", "<|endoftext|>"}, {"unk_token", "<|endoftext|>"}, {"pad_token", "<|endoftext|>"}};
        const json split = {{"type", "Split"}, {"pattern", {{"Regex", kQwen2}}}, {"behavior", "Isolated"}, {"invert", false}};
        made.parts = bytes_parts(nfc, sequence_of("pretokenizers", {split, byte_level(space, false)}));
        made.readds_special = true;
    } else if (made.name == "GPT2Tokenizer") {
        made.defaults = {{"bos_token", "<|endoftext|>"}, {"eos_token", "<|endoftext|>"}, {"unk_token", "<|endoftext|>"}};
        made.parts = bytes_parts(nullptr, byte_level(space, true));
    } else if (made.name == "GPTNeoXTokenizer") {
        made.defaults = {{"bos_token", "<|endoftext|>"},
                         {"eos_token", "<|endoftext|>"},
                         {"unk_token", "<|endoftext|>"},
                         {"pad_token", "<|padding|>"}};
        made.parts = bytes_parts(nfc, byte_level(space, true));
        made.post = TokenizerClass::Post::none;
    } else if (made.name == "CohereTokenizer") {
        made.defaults = {{"bos_token", "<BOS_TOKEN>"},  {"eos_token", "<|END_OF_TURN_TOKEN|>"},
                         {"unk_token", "<UNK>"},        {"sep_token", "<SEP>"},
                         {"pad_token", "<PAD>"},        {"cls_token", "<CLS>"},
                         {"mask_token", "<MASK_TOKEN>"}};
        made.parts = bytes_parts(
            nfc, sequence_of("pretokenizers", {{{"type", "Digits"}, {"individual_digits", true}}, byte_level(space, true)}));
    }
}

bool is_default(const json& value) { return value.is_null() || value == false || value == ""; }

// Whether `file` says all that `part` says; what a file leaves out is null, false or empty.
bool says(const json& file, const json& part) {
    if (part.is_object() && file.is_object()) {
        for (const auto& [name, value] : part.items()) {
            if (!(file.contains(name) ? says(file.at(name), value) : is_default(value))) return false;
        }
        return true;
    }
    if (part.is_array() && file.is_array()) return std::ranges::equal(file, part, says);
    return file == part || (is_default(file) && is_default(part));
}

}  // namespace

json replace_step(const char* from, const char* to) {
    return {{"type", "Replace"}, {"pattern", {{"String", from}}}, {"content", to}};
}

TokenizerClass find_tokenizer_class(const std::filesystem::path& folder, const Json& tokenizer_config, const Json& model_config) {
    TokenizerClass made;
    made.name = find_name(folder, tokenizer_config, model_config);
    if (is_backend(made.name)) made.name.clear();
    describe(made, tokenizer_config);
    return made;
}

bool apply_tokenizer_class(const TokenizerClass& tokenizer_class, json& file) {
    const json& model = file.at("model");
    if (!model.is_object() || model.value("type", "BPE") != "BPE") return false;
    bool differs = false;
    for (const auto& [name, part] : tokenizer_class.parts.items()) {
        json& here = file[name];
        if (says(here, part)) continue;
        differs = true;
        if (name == "model" && here.is_object())
            here.update(part);
        else
            here = part;
    }
    return differs;
}

}  // namespace xlrm
