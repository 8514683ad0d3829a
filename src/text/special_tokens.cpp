#include "special_tokens.hpp"

#include <algorithm>
#include <array>

#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMostTokens = 1 << 24;
constexpr std::array kStandard = {"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"};

bool is_standard(const std::string& name) { return std::ranges::find(kStandard, name) != kStandard.end(); }

Json read_object(const fs::path& path) {
    if (!fs::exists(path)) return Json::object();
    Json file = read_json(path);
    require(file.is_object(), path.string() + ": an object is expected");
    return file;
}

//! A member with its place, "folder/tokenizer_config.json: pad_token".
struct Member {
    const Json& value;
    std::string where;
};

bool flag_of(const Json& token, const char* name, bool otherwise, const std::string& where) {
    if (!token.contains(name) || token.at(name).is_null()) return otherwise;
    if (!token.at(name).is_boolean()) fail(where + "." + name + ": true or false is expected");
    return token.at(name).get<bool>();
}

//! Text, or an object with `content`; `special` is what a file that does not say it means.
AddedToken token_of(const Member& member, bool special) {
    AddedToken token;
    token.special = special;
    if (member.value.is_string()) {
        token.content = member.value.get<std::string>();
        return token;
    }
    if (!member.value.is_object() || !member.value.contains("content") || !member.value.at("content").is_string()) {
        fail(member.where + ": a token is expected (text, or an object with the text `content`)");
    }
    token.content = member.value.at("content").get<std::string>();
    token.special = flag_of(member.value, "special", special, member.where);
    token.single_word = flag_of(member.value, "single_word", false, member.where);
    token.lstrip = flag_of(member.value, "lstrip", false, member.where);
    token.rstrip = flag_of(member.value, "rstrip", false, member.where);
    token.normalized = flag_of(member.value, "normalized", !token.special, member.where);
    return token;
}

std::int32_t checked_id(std::int64_t id, const std::string& where) {
    if (id < 0 || id >= kMostTokens) fail(where + ": the id " + std::to_string(id) + " is not in 0 … " + std::to_string(kMostTokens - 1));
    return static_cast<std::int32_t>(id);
}

std::int32_t id_of_key(const std::string& key, const std::string& where) {
    const bool digits = !key.empty() && key.size() < 12 && std::ranges::all_of(key, [](char c) { return c >= '0' && c <= '9'; });
    if (!digits) fail(where + ": '" + key + "' is no id (a whole number from 0 on is expected)");
    return checked_id(std::stoll(key), where);
}

void sort_by_id(std::vector<AddedToken>& tokens) { std::ranges::stable_sort(tokens, {}, &AddedToken::id); }

void read_decoder(const Member& decoder, SpecialTokens& tokens) {
    tokens.has_decoder = true;
    require(decoder.value.is_object(), decoder.where + ": an object of tokens by their ids is expected");
    for (const auto& [key, value] : decoder.value.items()) {
        AddedToken token = token_of({value, decoder.where + "." + key}, false);
        if (value.is_string()) token.normalized = true;
        token.id = id_of_key(key, decoder.where);
        tokens.added.push_back(std::move(token));
    }
    sort_by_id(tokens.added);
}

void read_added_file(const fs::path& path, SpecialTokens& tokens) {
    const auto is_named = [&](const std::string& text) {
        const auto same = [&](const AddedToken& token) { return token.content == text; };
        return std::ranges::any_of(tokens.named, [&](const NamedToken& one) { return is_standard(one.name) && same(one.token); }) ||
               std::ranges::any_of(tokens.extra, same);
    };
    const Json file = read_object(path);
    for (const auto& [content, id] : file.items()) {
        const std::string where = path.string() + ": " + content;
        if (!id.is_number_integer() || (id.is_number_unsigned() && id.get<std::uint64_t>() > INT64_MAX)) fail(where + ": an id is expected");
        AddedToken token{.id = checked_id(id.get<std::int64_t>(), where), .content = content};
        token.special = is_named(content);
        token.normalized = !token.special;
        tokens.added.push_back(std::move(token));
    }
    sort_by_id(tokens.added);
}

//! What the members of the files mean together.
class Reader {
public:
    explicit Reader(const fs::path& folder) : config_path_(folder / "tokenizer_config.json"), map_path_(folder / "special_tokens_map.json") {
        tokens_.config = read_object(config_path_);
        for (const auto& [name, value] : tokens_.config.items()) set(name, {value, config_path_.string() + ": " + name});
        const bool has_decoder = tokens_.config.contains("added_tokens_decoder") && !tokens_.config.at("added_tokens_decoder").is_null();
        if (!has_decoder) merge_map();
        name_tokens();
        if (has_decoder) read_decoder({tokens_.config.at("added_tokens_decoder"), config_path_.string() + ": added_tokens_decoder"}, tokens_);
        else read_added_file(folder / "added_tokens.json", tokens_);
        read_flags();
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
        if (!name.ends_with("_token")) return set_list(name, member, of_map);
        if (name == "add_bos_token" || name == "add_eos_token") return;
        const bool standard = is_standard(name);
        Entry* known = find(members_, name);
        if (member.value.is_null() || (!standard && !member.value.is_string() && !member.value.is_object())) {
            if (known) members_.erase(members_.begin() + (known - members_.data()));
            return;
        }
        Entry entry{name, token_of(member, true), member.value.is_string() && !of_map};
        if (known && known->text && of_map && !standard) return;
        if (known) *known = std::move(entry);
        else members_.push_back(std::move(entry));
    }

    void set_list(const std::string& name, const Member& member, bool of_map) {
        const bool extra = name == "extra_special_tokens" || name == "additional_special_tokens";
        if (name == "model_specific_special_tokens" && !member.value.is_null()) read_named(member, own_);
        if (!extra || member.value.is_null() || member.value.empty()) return;
        // The newer name wins, whichever stands first; of one name the file that is read later, whose list goes on.
        const bool newer = name == "extra_special_tokens";
        if (!newer && has_newer_) return;
        if (newer && !has_newer_) {
            extra_named_.clear();
            tokens_.extra.clear();
        }
        if (of_map && !newer && (!tokens_.extra.empty() || !extra_named_.empty())) return;
        has_newer_ = has_newer_ || newer;
        if (member.value.is_object()) return read_named(member, extra_named_);
        require(member.value.is_array(), member.where + ": a list of tokens, or an object of named ones, is expected");
        for (std::size_t i = 0; i < member.value.size(); ++i) {
            AddedToken token = token_of({member.value[i], member.where + "[" + std::to_string(i) + "]"}, true);
            const bool known = std::ranges::any_of(tokens_.extra, [&](const AddedToken& one) { return one.content == token.content; });
            if (!known) tokens_.extra.push_back(std::move(token));
        }
    }

    static void read_named(const Member& member, std::vector<Entry>& entries) {
        require(member.value.is_object(), member.where + ": an object of tokens by their names is expected");
        for (const auto& [name, value] : member.value.items()) {
            Entry entry{name, token_of({value, member.where + "." + name}, true), value.is_string()};
            if (Entry* known = find(entries, name)) *known = std::move(entry);
            else entries.push_back(std::move(entry));
        }
    }

    void merge_map() {
        const Json map = read_object(map_path_);
        for (const auto& [name, value] : map.items()) set(name, {value, map_path_.string() + ": " + name}, true);
    }

    void name_tokens() {
        const auto put = [&](const Entry& entry) {
            const auto known = std::ranges::find(tokens_.named, entry.name, &NamedToken::name);
            if (known != tokens_.named.end()) known->token = entry.token;
            else tokens_.named.push_back({entry.name, entry.token});
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
    bool has_newer_ = false;
};

}  // namespace

const AddedToken* SpecialTokens::find(const std::string& name) const {
    const auto found = std::ranges::find(named, name, &NamedToken::name);
    return found == named.end() ? nullptr : &found->token;
}

SpecialTokens read_special_tokens(const fs::path& model_dir) { return Reader(model_dir).take(); }

}  // namespace xlrm
