#include <algorithm>
#include <map>

#include "json_tokenizer.hpp"
#include "sentencepiece_tokenizer.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/json.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

Json read_optional(const fs::path& path) { return fs::exists(path) ? read_json(path) : Json::object(); }

// A token as these files write it: text, or an object with `content`.
std::optional<std::string> token_text(const Json& object, const std::string& name) {
    if (!object.contains(name)) return std::nullopt;
    const Json& value = object.at(name);
    if (value.is_string()) return value.get<std::string>();
    if (value.is_object() && value.contains("content") && value.at("content").is_string()) return value.at("content").get<std::string>();
    return std::nullopt;
}

std::optional<std::int32_t> token_id(const Json& config, const std::string& name) {
    if (!config.contains(name)) return std::nullopt;
    const Json& value = config.at(name);
    if (value.is_number_integer()) return value.get<std::int32_t>();
    if (value.is_array() && !value.empty() && value[0].is_number_integer()) return value[0].get<std::int32_t>();
    return std::nullopt;
}

class Folder {
public:
    explicit Folder(const fs::path& path)
        : path_(path), config_(read_optional(path / "tokenizer_config.json")), map_(read_optional(path / "special_tokens_map.json")),
          model_(read_optional(path / "config.json")) {}

    const Json& config() const { return config_; }

    void set_special(Tokenizer& tokenizer, const std::string& kind, std::optional<std::int32_t>& id) const {
        for (const Json* file : {&config_, &map_}) {
            const auto text = token_text(*file, kind + "_token");
            if (!text) continue;
            id = tokenizer.id_of(*text);
            if (!id) fail((path_ / (file == &config_ ? "tokenizer_config.json" : "special_tokens_map.json")).string() + ": " + kind + "_token '" +
                          *text + "' is not in the vocabulary");
            return;
        }
        const auto number = token_id(model_, kind + "_token_id");
        if (number && *number >= 0 && *number < tokenizer.vocab_size()) id = number;
    }

private:
    fs::path path_;
    Json config_, map_, model_;
};

// The BOS, EOS and padding tokens that `added_tokens_decoder` lists, in the order of their ids.
nlohmann::json named_tokens(const Json& config) {
    std::map<long, nlohmann::json> tokens;
    if (config.contains("added_tokens_decoder")) {
        for (const auto& [id, token] : config.at("added_tokens_decoder").items()) {
            const auto content = token_text(config.at("added_tokens_decoder"), id);
            const bool named = content && (content == token_text(config, "bos_token") || content == token_text(config, "eos_token") ||
                                           content == token_text(config, "pad_token"));
            if (named) tokens[std::stol(id)] = nlohmann::json::parse(token.dump());
        }
    }
    nlohmann::json list = nlohmann::json::array();
    for (auto& [id, token] : tokens) list.push_back(std::move(token));
    return list;
}

std::unique_ptr<Tokenizer> load_with_additions(const fs::path& model_dir, const Folder& folder) {
    auto tokenizer = std::make_unique<SentencepieceTokenizer>(model_dir / "tokenizer.model");
    const Json added = read_optional(model_dir / "added_tokens.json");
    for (const auto& [content, id] : added.items()) {
        if (id.is_number_integer()) tokenizer->add_token(content, id.get<std::int32_t>());
    }
    if (!fs::exists(model_dir / "tokenizer_config.json")) return tokenizer;
    if (folder.config().contains("added_tokens_decoder")) {
        for (const auto& [id, token] : folder.config().at("added_tokens_decoder").items()) {
            const auto content = token_text(folder.config().at("added_tokens_decoder"), id);
            if (content) tokenizer->add_token(*content, static_cast<std::int32_t>(std::stol(id)));
        }
    }
    return tokenizer;
}

// Which of BOS and EOS are added, as the configuration says.
void set_added(Tokenizer& tokenizer, const Json& config, bool bos_otherwise) {
    const auto flag = [&](const char* name, bool otherwise) {
        return config.contains(name) && config.at(name).is_boolean() ? config.at(name).get<bool>() : otherwise;
    };
    tokenizer.prefix.clear();
    tokenizer.suffix.clear();
    if (flag("add_bos_token", bos_otherwise) && tokenizer.bos) tokenizer.prefix = {*tokenizer.bos};
    if (flag("add_eos_token", false) && tokenizer.eos) tokenizer.suffix = {*tokenizer.eos};
}

}  // namespace

std::unique_ptr<Tokenizer> load_tokenizer(const fs::path& model_dir) {
    if (!fs::is_directory(model_dir)) fail(model_dir.string() + ": no such model folder", ExitCode::io);
    const fs::path json = model_dir / "tokenizer.json";
    const fs::path model = model_dir / "tokenizer.model";
    const bool whole = fs::exists(json);
    if (!whole && !fs::exists(model)) fail(model_dir.string() + ": no tokenizer (tokenizer.json or tokenizer.model is expected)", ExitCode::io);
    const Folder folder(model_dir);
    auto tokenizer = whole ? load_tokenizer_json(json, named_tokens(folder.config())) : load_with_additions(model_dir, folder);
    folder.set_special(*tokenizer, "bos", tokenizer->bos);
    folder.set_special(*tokenizer, "eos", tokenizer->eos);
    folder.set_special(*tokenizer, "pad", tokenizer->pad);
    const bool says = folder.config().contains("add_bos_token") || folder.config().contains("add_eos_token");
    if (whole ? says : fs::exists(model_dir / "tokenizer_config.json")) set_added(*tokenizer, folder.config(), !whole);
    for (const char* name : {"tokenizer.json", "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
                             "vocab.json", "merges.txt", "chat_template.jinja", "chat_template.json"}) {
        const fs::path file = model_dir / name;
        if (fs::exists(file) && std::find(tokenizer->files.begin(), tokenizer->files.end(), file) == tokenizer->files.end()) {
            tokenizer->files.push_back(file);
        }
    }
    return tokenizer;
}

void require_tokenizer_fits(const Tokenizer& tokenizer, std::int64_t model_vocab, const fs::path& model_dir) {
    if (tokenizer.vocab_size() <= model_vocab) return;
    fail(model_dir.string() + ": the tokenizer does not fit the model (it has " + std::to_string(tokenizer.vocab_size()) +
         " tokens, the model's vocabulary " + std::to_string(model_vocab) + "); use the tokenizer that the model was trained with");
}

}  // namespace xlrm
