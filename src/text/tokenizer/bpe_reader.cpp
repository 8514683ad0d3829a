#include <algorithm>

#include "bpe_model.hpp"
#include "byte_level.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/utf8.hpp"

namespace xlrm {
namespace {

std::string text_or_empty(const nlohmann::json& json, const char* name) {
    return json.contains(name) && !json.at(name).is_null() ? json.at(name).get<std::string>() : std::string();
}

bool flag(const nlohmann::json& json, const char* name) {
    return json.contains(name) && !json.at(name).is_null() && json.at(name).get<bool>();
}

// The two tokens of an entry: ["a", "b"] or "a b".
std::pair<std::string, std::string> merge_of(const nlohmann::json& entry, const std::string& here) {
    if (entry.is_array() && entry.size() == 2) return {entry[0].get<std::string>(), entry[1].get<std::string>()};
    if (!entry.is_string()) fail(here + ": two tokens are expected");
    const auto& text = entry.get_ref<const std::string&>();
    const std::size_t space = text.find(' ');
    if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos)
        fail(here + ": two tokens are expected, found '" + text + "'");
    return {text.substr(0, space), text.substr(space + 1)};
}

}  // namespace

BpeModel::BpeModel(const nlohmann::json& json, const std::string& where) : where_(where) {
    if (json.contains("dropout") && !json.at("dropout").is_null() && json.at("dropout").get<double>() != 0.0)
        fail(where + ": dropout is not supported");
    prefix_ = text_or_empty(json, "continuing_subword_prefix");
    suffix_ = text_or_empty(json, "end_of_word_suffix");
    unk_token_ = text_or_empty(json, "unk_token");
    has_unk_ = json.contains("unk_token") && !json.at("unk_token").is_null();
    fuse_unk_ = flag(json, "fuse_unk");
    byte_fallback_ = flag(json, "byte_fallback");
    ignore_merges_ = flag(json, "ignore_merges");
    read_vocab(json.at("vocab"), where);
    read_characters();
    read_merges(json.at("merges"), where);
    if (ignore_merges_) whole_words_.insert(vocab_.begin(), vocab_.end());
}

void BpeModel::read_vocab(const nlohmann::json& json, const std::string& where) {
    require(json.is_object() && !json.empty(), where + ".vocab: an object of tokens is expected");
    vocab_.reserve(json.size());
    count_ = static_cast<std::int64_t>(json.size());
    for (const auto& [token, id] : json.items()) {
        if (!id.is_number_integer() || id.get<std::int64_t>() < 0 || id.get<std::int64_t>() >= INT32_MAX) {
            fail(where + ".vocab: the id of '" + token + "' is not a number from 0 on");
        }
        if (id.get<std::int64_t>() >= 4 * count_ + 1024)
            fail(where + ".vocab: id " + std::to_string(id.get<std::int64_t>()) + " is far behind the number of tokens");
        vocab_.emplace(token, id.get<std::int32_t>());
    }
}

void BpeModel::read_characters() {
    for (const auto& [token, id] : vocab_) {
        std::size_t at = 0;
        const char32_t code = token.empty() ? 0 : next_code_point(token, at);
        if (token.empty() || at != token.size()) continue;
        if (code >= character_ids_.size()) character_ids_.resize(code + 1, -1);
        character_ids_[code] = id;
    }
    for (std::size_t byte = 0; byte < 256; ++byte) {
        constexpr std::string_view digits = "0123456789ABCDEF";
        byte_ids_[byte] = find(byte_characters()[byte]);
        fallback_[byte] = find(std::string("<0x") + digits[byte / 16] + digits[byte % 16] + ">");
    }
    unk_ = find(unk_token_);
}

void BpeModel::read_merges(const nlohmann::json& json, const std::string& where) {
    require(json.is_array(), where + ".merges: a list is expected");
    merges_ = MergeTable(json.size());
    cuts_ = find(std::string(kBlank)) >= 0 && !ignore_merges_ && prefix_.empty() && suffix_.empty();
    std::int32_t rank = 0;
    for (const auto& entry : json) {
        if (entry.is_string() && entry.get_ref<const std::string&>().starts_with("#version")) continue;
        const std::string here = where + ".merges[" + std::to_string(rank) + "]";
        const auto [left, right] = merge_of(entry, here);
        const auto id_of = [&](const std::string& token) {
            const std::int32_t id = find(token);
            if (id < 0) fail(here + ": '" + token + "' is not in the vocabulary");
            return id;
        };
        if (right.size() < prefix_.size()) fail(here + ": '" + right + "' is shorter than continuing_subword_prefix");
        const std::int32_t merged = id_of(left + right.substr(prefix_.size()));
        merges_.set(id_of(left), id_of(right), {rank++, merged});
        if (right.starts_with(kBlank) && !left.ends_with(kBlank)) cuts_ = false;
    }
}

}  // namespace xlrm
