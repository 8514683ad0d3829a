#include <algorithm>
#include <set>

#include "json_tokenizer.hpp"
#include "sentencepiece_json.hpp"
#include "sentencepiece_tokenizer.hpp"
#include "special_tokens.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/json.hpp"
#include "xlrm/core/sha256.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// The entries of `added_tokens`, by their ids, which are read for the order alone.
void merge_tokens_of_file(const json& file, std::vector<AddedToken>& tokens) {
    if (!file.contains("added_tokens")) return;
    for (const json& entry : file.at("added_tokens")) {
        AddedToken token = added_token_of(entry);
        token.id = entry.contains("id") && entry.at("id").is_number_integer() ? entry.at("id").get<std::int32_t>() : 0;
        std::erase_if(tokens, [&](const AddedToken& other) { return other.id == token.id; });
        tokens.push_back(std::move(token));
    }
}

// What transformers adds to `file` for this folder, in its order: the decoder's tokens, named ones that are not among them, extra
// ones likewise. A class that makes the parts of the file itself drops the file's own tokens first.
Additions additions_of(const SpecialTokens& special, json& file, const std::vector<AddedToken>& extra) {
    Additions additions{.tokens = special.added, .split_special = special.split};
    if (!special.has_decoder) merge_tokens_of_file(file, additions.tokens);
    std::ranges::stable_sort(additions.tokens, {}, &AddedToken::id);
    std::set<std::string> known;
    if (!special.tokenizer_class.parts.empty())
        file["added_tokens"] = json::array();
    else if (file.contains("added_tokens"))
        for (const json& entry : file.at("added_tokens")) known.insert(entry.at("content").get<std::string>());
    for (const AddedToken& token : additions.tokens) known.insert(token.content);
    std::set<std::string> named, bare;
    const auto add = [&](const AddedToken& token) {
        if (known.contains(token.content) || (token.bare && !bare.insert(token.content).second)) return;
        additions.tokens.push_back(token);
    };
    for (const auto& [name, token, by_default] : special.named) {
        named.insert(token.content);
        if (by_default && !known.contains(token.content)) additions.by_default.insert(token.content);
        add(token);
    }
    for (const AddedToken& token : extra) add(token);
    for (AddedToken& token : additions.tokens) token.special = token.special || named.contains(token.content);
    if (!special.tokenizer_class.readds_special) return additions;
    for (const NamedToken& token : special.named) additions.tokens.push_back({.content = token.token.content, .special = true});
    for (const AddedToken& token : extra) additions.tokens.push_back({.content = token.content, .special = true});
    return additions;
}

std::string hash_of(const std::string& bytes, const std::string& changes) {
    return sha256(changes.empty() ? bytes : bytes + "\n" + changes);
}

// What of the file is of another type than it should be.
template <class Load>
std::unique_ptr<Tokenizer> named(const fs::path& path, Load load) {
    try {
        return load();
    } catch (const json::exception& error) {
        fail(path.string() + ": damaged tokenizer file (" + error.what() + ")");
    }
}

std::unique_ptr<Tokenizer> load_whole(const fs::path& path, const SpecialTokens& special) {
    json file = read_tokenizer_json(path);
    const bool remade = apply_tokenizer_class(special.tokenizer_class, file);
    std::string changes;
    auto tokenizer = make_json_tokenizer(file, path.string(), additions_of(special, file, special.extra), &changes);
    if (remade) changes = special.tokenizer_class.name + "\n" + changes;
    tokenizer->sha256 = hash_of(read_file(path), changes);
    return tokenizer;
}

// By flags alone, as where transformers finds no tokenizer.json.
void set_added(Tokenizer& tokenizer, const SpecialTokens& special) {
    const bool bos = special.add_bos.value_or(special.tokenizer_class.post == TokenizerClass::Post::bos);
    const auto id = [&](const char* name) {
        const AddedToken* token = special.find(name);
        return token ? tokenizer.id_of(token->content) : std::nullopt;
    };
    tokenizer.prefix.clear();
    tokenizer.suffix.clear();
    if (const auto first = id("bos_token"); bos && first) tokenizer.prefix = {*first};
    if (const auto last = id("eos_token"); special.add_eos.value_or(false) && last) tokenizer.suffix = {*last};
}

// A unigram model of a class of byte pairs: transformers 5.23 would read it letter by letter, so the model is sentencepiece's,
// which finds no added tokens in texts.
std::unique_ptr<Tokenizer> load_library(const fs::path& path, const SpecialTokens& special) {
    auto tokenizer = std::make_unique<SentencepieceTokenizer>(path);
    const auto check = [&](const AddedToken& token) {
        if (!tokenizer->id_of(token.content)) {
            fail(path.string() + ": the folder adds the token '" + token.content + "' to a unigram model, which a " +
                 special.tokenizer_class.name +
                 " cannot hold (its texts would lack the token); save the tokenizer with a tokenizer.json");
        }
    };
    for (const AddedToken& token : special.added) check(token);
    for (const NamedToken& token : special.named) {
        if (!token.by_default) check(token.token);
    }
    for (const AddedToken& token : special.extra) check(token);
    return tokenizer;
}

std::unique_ptr<Tokenizer> load_pieces(const fs::path& path, const SpecialTokens& special) {
    const TokenizerClass& made_by = special.tokenizer_class;
    const std::string& name = made_by.name;
    if (!(name.empty() || name == "LlamaTokenizer" || name == "CodeLlamaTokenizer" || name == "GemmaTokenizer" ||
          name == "MistralTokenizer")) {
        fail(path.string() + ": a sentencepiece model for the tokenizer class " + name +
             " is not supported (its texts would get other tokens); " +
             "save the tokenizer with transformers, which writes tokenizer.json");
    }
    const std::string bytes = read_file(path);
    const auto spec = read_sentencepiece_spec(bytes);
    if (!spec) fail(path.string() + ": damaged sentencepiece model");
    if (spec->model_type == SentencepieceSpec::kUnigram && !made_by.parts.empty()) {
        auto tokenizer = load_library(path, special);
        set_added(*tokenizer, special);
        return tokenizer;
    }
    json file = sentencepiece_as_json(*spec, made_by, special.added, path.string());
    std::string changes;
    const auto& extra = special.has_extra ? special.extra : added_pieces(*spec);
    auto tokenizer = make_json_tokenizer(file, path.string(), additions_of(special, file, extra), &changes);
    tokenizer->sha256 = hash_of(bytes, "as " + name + "\n" + made_by.parts.dump() + "\n" + changes);
    if (spec->pad_id >= 0 && spec->pad_id < tokenizer->vocab_size()) tokenizer->pad = static_cast<std::int32_t>(spec->pad_id);
    set_added(*tokenizer, special);
    return tokenizer;
}

// The model file alone, as sentencepiece reads it.
std::unique_ptr<Tokenizer> load_alone(const fs::path& path) {
    auto tokenizer = std::make_unique<SentencepieceTokenizer>(path);
    tokenizer->suffix.clear();
    return tokenizer;
}

std::optional<std::int32_t> id_of_model(const Json& config, const std::string& name, std::int64_t size) {
    if (!config.is_object() || !config.contains(name)) return std::nullopt;
    const Json& value = config.at(name).is_array() && !config.at(name).empty() ? config.at(name)[0] : config.at(name);
    if (!value.is_number_integer() || (value.is_number_unsigned() && value.get<std::uint64_t>() > INT32_MAX)) return std::nullopt;
    const auto id = value.get<std::int64_t>();
    return id >= 0 && id < size ? std::optional(static_cast<std::int32_t>(id)) : std::nullopt;
}

void set_special(Tokenizer& tokenizer, const SpecialTokens& special, const fs::path& model_dir) {
    const fs::path path = model_dir / "config.json";
    const Json config = fs::exists(path) ? read_json(path) : Json::object();
    const auto set = [&](const std::string& name, std::optional<std::int32_t>& id) {
        const AddedToken* token = special.find(name);
        if (const auto named = token ? tokenizer.id_of(token->content) : std::nullopt; named && *named < tokenizer.vocab_size())
            id = named;
        else if (const auto number = id_of_model(config, name + "_id", tokenizer.vocab_size()))
            id = number;
    };
    set("bos_token", tokenizer.bos);
    set("eos_token", tokenizer.eos);
    set("pad_token", tokenizer.pad);
}

void list_files(Tokenizer& tokenizer, const fs::path& model_dir) {
    tokenizer.files.clear();
    for (const char* name : {"tokenizer.json", "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json",
                             "added_tokens.json", "vocab.json", "merges.txt", "chat_template.jinja", "chat_template.json"}) {
        if (fs::exists(model_dir / name)) tokenizer.files.push_back(model_dir / name);
    }
}

}  // namespace

std::unique_ptr<Tokenizer> load_tokenizer(const fs::path& model_dir) {
    if (!fs::is_directory(model_dir)) fail(model_dir.string() + ": no such model folder", ExitCode::io);
    const fs::path whole = model_dir / "tokenizer.json";
    const fs::path pieces = model_dir / "tokenizer.model";
    if (!fs::exists(whole) && !fs::exists(pieces))
        fail(model_dir.string() + ": no tokenizer (tokenizer.json or tokenizer.model is expected)", ExitCode::io);
    const SpecialTokens special = read_special_tokens(model_dir);
    std::unique_ptr<Tokenizer> tokenizer;
    if (fs::exists(whole))
        tokenizer = named(whole, [&] { return load_whole(whole, special); });
    else if (special.files.empty())
        tokenizer = load_alone(pieces);
    else
        tokenizer = named(pieces, [&] { return load_pieces(pieces, special); });
    set_special(*tokenizer, special, model_dir);
    if (fs::exists(whole) && special.tokenizer_class.post != TokenizerClass::Post::file) {
        tokenizer->suffix.clear();
        tokenizer->prefix.clear();
        if (special.tokenizer_class.post == TokenizerClass::Post::bos && tokenizer->bos) tokenizer->prefix = {*tokenizer->bos};
    }
    list_files(*tokenizer, model_dir);
    return tokenizer;
}

void require_tokenizer_fits(const Tokenizer& tokenizer, std::int64_t model_vocab, const fs::path& model_dir) {
    if (tokenizer.vocab_size() <= model_vocab) return;
    fail(model_dir.string() + ": the tokenizer does not fit the model (it has " + std::to_string(tokenizer.vocab_size()) +
         " tokens, those that tokenizer_config.json adds included, the model's vocabulary " + std::to_string(model_vocab) +
         "); use the tokenizer that the model was trained with");
}

}  // namespace xlrm
