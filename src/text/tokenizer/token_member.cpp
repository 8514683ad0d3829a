#include "token_member.hpp"

#include <algorithm>

#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

constexpr std::int64_t kMostTokens = 1 << 24;

bool flag_of(const Json& token, const char* name, bool otherwise, const std::string& where) {
    if (!token.contains(name) || token.at(name).is_null()) return otherwise;
    if (!token.at(name).is_boolean()) fail(where + "." + name + ": true or false is expected");
    return token.at(name).get<bool>();
}

}  // namespace

AddedToken token_of(const Member& member, bool special) {
    AddedToken token;
    token.special = special;
    if (member.value.is_string()) {
        token.content = member.value.get<std::string>();
        token.bare = true;
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
    if (id < 0 || id >= kMostTokens)
        fail(where + ": the id " + std::to_string(id) + " is not in 0 … " + std::to_string(kMostTokens - 1));
    return static_cast<std::int32_t>(id);
}

std::int32_t id_of_key(const std::string& key, const std::string& where) {
    const bool digits = !key.empty() && key.size() < 12 && std::ranges::all_of(key, [](char c) { return c >= '0' && c <= '9'; });
    if (!digits) fail(where + ": '" + key + "' is no id (a whole number from 0 on is expected)");
    return checked_id(std::stoll(key), where);
}

}  // namespace xlrm
