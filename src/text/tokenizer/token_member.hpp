#pragma once

#include <cstdint>
#include <string>

#include "added_tokens.hpp"
#include "xlrm/core/json.hpp"

namespace xlrm {

//! A member of a folder's file with its place, "folder/tokenizer_config.json: pad_token".
struct Member {
    const Json& value;
    std::string where;
};

//! Text, or an object with `content` and attributes; `special` is what a file that does not say it means. Its id is not set.
//! Throws Error naming the place.
AddedToken token_of(const Member& member, bool special);

//! Throws Error naming the place for an id outside of 0 … 2^24 - 1.
std::int32_t checked_id(std::int64_t id, const std::string& where);
//! The same of an id that is the name of a member.
std::int32_t id_of_key(const std::string& key, const std::string& where);

}  // namespace xlrm
