#include "special_tokens.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "sentencepiece_spec.hpp"
#include "token_member.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

constexpr std::array kStandard = {"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"};

constexpr const char* kExtra = "extra_special_tokens";
constexpr const char* kAdditional = "additional_special_tokens";  // its older name

bool is_standard(const std::string& name) { return std::ranges::find(kStandard, name) != kStandard.end(); }

Json read_object(const fs::path& path, std::vector<fs::path>& files) {
    if (!fs::exists(path)) return Json::object();
    Json file = read_json(path);
    files.push_back(path);
    require(file.is_object(), path.string() + ": an object is expected");
    return file;
}

// As transformers writes a token into tokenizer_config.json.
bool is_added_token(const Json& value) {
    return value.is_object() && value.contains("__type") && value.at("__type") == "AddedToken";
}

void read_decoder(const Member& decoder, SpecialTokens& tokens) {
    tokens.has_decoder = true;
    require(decoder.value.is_object(), decoder.where + ": an object of tokens by their ids is expected");
    for (const auto& [key, value] : decoder.value.items()) {
        require(value.is_object(), decoder.where + "." + key + ": an object with the text `content` is expected");
        AddedToken token = token_of({value, decoder.where + "." + key}, false);
        token.id = id_of_key(key, decoder.where);
        tokens.added.push_back(std::move(token));
    }
}

// Special are those that the other files name as text, or special_tokens_map.json as an object: objects of tokenizer_config.json
// are compared with them before they are read.
void read_added_file(const fs::path& path, const Json& map, SpecialTokens& tokens) {
    const auto is_named = [&](const std::string& text) {
        const auto named = [&](const NamedToken& one) {
            return is_standard(one.name) && one.token.content == text && (one.token.bare || map.contains(one.name));
        };
        const auto extra = [&](const AddedToken& token) { return tokens.has_extra && token.content == text && token.bare; };
        return std::ranges::any_of(tokens.named, named) || std::ranges::any_of(tokens.extra, extra);
    };
    const Json file = read_object(path, tokens.files);
    for (const auto& [content, id] : file.items()) {
        const std::string where = path.string() + ": " + content;
        if (!id.is_number_integer() || (id.is_number_unsigned() && id.get<std::uint64_t>() > INT64_MAX))
            fail(where + ": an id is expected");
        AddedToken token{.id = checked_id(id.get<std::int64_t>(), where), .content = content};
        token.special = is_named(content);
        token.normalized = !token.special;
        tokens.added.push_back(std::move(token));
    }
}

// What tokenizer.model calls its tokens.
void name_pieces(const std::string& bytes, TokenizerClass& tokenizer_class) {
    const auto spec = read_sentencepiece_spec(bytes);
    if (!spec) return;  // whoever loads it says so
    if (spec->bos_id >= 0) tokenizer_class.defaults.emplace_back("bos_token", spec->bos_piece);
    if (spec->eos_id >= 0) tokenizer_class.defaults.emplace_back("eos_token", spec->eos_piece);
    if (spec->unk_id >= 0) tokenizer_class.defaults.emplace_back("unk_token", spec->unk_piece);
}

//! What the members of the files mean together.
class Reader {
public:
    explicit Reader(const fs::path& folder)
        : config_path_(folder / "tokenizer_config.json"), map_path_(folder / "special_tokens_map.json") {
        tokens_.config = read_object(config_path_, tokens_.files);
        for (const auto& [name, value] : tokens_.config.items()) set(name, {value, config_path_.string() + ": " + name});
        const bool has_decoder =
            tokens_.config.contains("added_tokens_decoder") && !tokens_.config.at("added_tokens_decoder").is_null();
        const Json map = has_decoder ? Json::object() : read_object(map_path_, tokens_.files);
        for (const auto& [name, value] : map.items()) set(name, {value, map_path_.string() + ": " + name}, true);
        read_lists(map);
        name_tokens();
        if (has_decoder)
            read_decoder({tokens_.config.at("added_tokens_decoder"), config_path_.string() + ": added_tokens_decoder"}, tokens_);
        else
            read_added_file(folder / "added_tokens.json", map, tokens_);
        read_flags();
        const fs::path model = folder / "config.json";
        const Json of_model = fs::exists(model) ? read_json(model) : Json::object();
        tokens_.tokenizer_class = find_tokenizer_class(folder, tokens_.config, of_model);
        const fs::path pieces = folder / "tokenizer.model";
        const bool of_pieces =
            tokens_.tokenizer_class.defaults.empty() && !fs::exists(folder / "tokenizer.json") && fs::exists(pieces);
        if (of_pieces) name_pieces(read_file(pieces), tokens_.tokenizer_class);
        add_defaults();
    }
    SpecialTokens take() { return std::move(tokens_); }

private:
    struct Entry {
        std::string name;
        AddedToken token;
        bool text;  //!< written as text in tokenizer_config.json
    };

    static Entry* find(std::vector<Entry>& entries, const std::string& name) {
        const auto found = std::ranges::find(entries, name, &Entry::name);
        return found == entries.end() ? nullptr : &*found;
    }

    void set(const std::string& name, const Member& member, bool of_map = false) {
        if (name == "model_specific_special_tokens" && !member.value.is_null()) return read_named(member, own_);
        if (!name.ends_with("_token") || name == "add_bos_token" || name == "add_eos_token") return;
        const bool standard = is_standard(name);
        Entry* known = find(members_, name);
        const bool written = member.value.is_string() || (member.value.is_object() && (of_map || is_added_token(member.value)));
        if (member.value.is_null() || (!standard && !written)) {
            if (known) members_.erase(members_.begin() + (known - members_.data()));
            if (standard) tokens_.without.push_back(name);
            return;
        }
        std::erase(tokens_.without, name);
        Entry entry{name, token_of(member, true), member.value.is_string() && !of_map};
        if (known && known->text && of_map && !standard) return;
        if (known)
            *known = std::move(entry);
        else
            members_.push_back(std::move(entry));
    }

    // The lists of tokenizer_config.json, then those of special_tokens_map.json, which go on with them.
    void read_lists(const Json& map) {
        const auto member = [](const Json& file, const char* name) { return file.contains(name) ? &file.at(name) : nullptr; };
        const Json* extra = member(tokens_.config, kExtra);
        const Json* older = member(tokens_.config, kAdditional);
        const char* name = kExtra;
        if (older && (!extra || extra->is_null() || extra->empty())) {
            extra = std::exchange(older, nullptr);
            name = kAdditional;
        }
        read_extra(extra, config_path_.string() + ": " + name);
        read_extra(member(map, kExtra), map_path_.string() + ": " + kExtra);
        if (tokens_.has_extra) return;
        const bool of_map = member(map, kAdditional) != nullptr;
        if (of_map) older = member(map, kAdditional);
        if (older && !older->is_null()) append(*older, (of_map ? map_path_ : config_path_).string() + ": " + kAdditional);
    }

    void read_extra(const Json* extra, const std::string& where) {
        if (!extra) return;
        if (extra->is_object()) {
            tokens_.extra.clear();
            tokens_.has_extra = false;
            return read_named({*extra, where}, extra_named_);
        }
        tokens_.has_extra = true;
        if (!extra->is_null()) append(*extra, where);
    }

    void append(const Json& list, const std::string& where) {
        require(list.is_array(), where + ": a list of tokens, or an object of named ones, is expected");
        for (std::size_t i = 0; i < list.size(); ++i) {
            tokens_.extra.push_back(token_of({list[i], where + "[" + std::to_string(i) + "]"}, true));
        }
    }

    static void read_named(const Member& member, std::vector<Entry>& entries) {
        require(member.value.is_object(), member.where + ": an object of tokens by their names is expected");
        for (const auto& [name, value] : member.value.items()) {
            if (value.is_string() || is_added_token(value)) continue;
            fail(member.where + "." + name + ": a token is expected (text, or an object of `__type` AddedToken)");
        }
        for (const auto& [name, value] : member.value.items()) {
            Entry entry{name, token_of({value, member.where + "." + name}, true), value.is_string()};
            if (Entry* known = find(entries, name))
                *known = std::move(entry);
            else
                entries.push_back(std::move(entry));
        }
    }

    void name_tokens() {
        const auto put = [&](const Entry& entry) {
            const auto known = std::ranges::find(tokens_.named, entry.name, &NamedToken::name);
            if (known != tokens_.named.end())
                known->token = entry.token;
            else
                tokens_.named.push_back({entry.name, entry.token});
        };
        for (const char* name : kStandard) {
            if (const Entry* entry = find(members_, name)) put(*entry);
        }
        bool specific = !extra_named_.empty();
        for (const bool text : {false, true}) {  // those of tokenizer_config.json that are text come last
            for (const Entry& entry : members_) {
                if (is_standard(entry.name) || entry.text != text) continue;
                put(entry);
                specific = specific || text;
            }
        }
        for (const Entry& entry : extra_named_) put(entry);
        for (const Entry& entry : own_) {
            if (!specific) put(entry);
        }
    }

    static AddedToken by_default(const std::string& content) { return {.content = content, .special = true, .bare = true}; }

    // Standard names come first, in their order, then those that the class knows.
    void add_defaults() {
        std::vector<NamedToken> all;
        for (const char* name : kStandard) {
            const auto known = std::ranges::find(tokens_.named, name, &NamedToken::name);
            const auto own =
                std::ranges::find(tokens_.tokenizer_class.defaults, name, &std::pair<std::string, std::string>::first);
            if (known != tokens_.named.end())
                all.push_back(*known);
            else if (own != tokens_.tokenizer_class.defaults.end() &&
                     std::ranges::find(tokens_.without, name) == tokens_.without.end())
                all.push_back({name, by_default(own->second), true});
        }
        std::vector<NamedToken> others;
        std::ranges::copy_if(tokens_.named, std::back_inserter(others),
                             [](const NamedToken& token) { return !is_standard(token.name); });
        for (const auto& [name, content] : tokens_.tokenizer_class.defaults) {
            if (is_standard(name)) continue;
            const auto known = std::ranges::find(others, name, &NamedToken::name);
            if (known == others.end())
                all.push_back({name, by_default(content), true});
            else
                all.push_back(*known);
            std::erase_if(others, [&](const NamedToken& token) { return token.name == name; });
        }
        all.insert(all.end(), others.begin(), others.end());
        tokens_.named = std::move(all);
    }

    void read_flags() {
        const auto flag = [&](const char* name) -> std::optional<bool> {
            if (!tokens_.config.contains(name) || tokens_.config.at(name).is_null()) return std::nullopt;
            if (!tokens_.config.at(name).is_boolean()) fail(config_path_.string() + ": " + name + ": true or false is expected");
            return tokens_.config.at(name).get<bool>();
        };
        tokens_.split = flag("split_special_tokens").value_or(false);
        tokens_.add_bos = flag("add_bos_token");
        tokens_.add_eos = flag("add_eos_token");
    }

    fs::path config_path_, map_path_;
    SpecialTokens tokens_;
    std::vector<Entry> members_;      // "…_token"
    std::vector<Entry> extra_named_;  // of extra_special_tokens
    std::vector<Entry> own_;          // of model_specific_special_tokens
};

}  // namespace

const AddedToken* SpecialTokens::find(const std::string& name) const {
    const auto found = std::ranges::find(named, name, &NamedToken::name);
    return found == named.end() ? nullptr : &found->token;
}

SpecialTokens read_special_tokens(const fs::path& model_dir) { return Reader(model_dir).take(); }

}  // namespace xlrm
