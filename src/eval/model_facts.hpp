#pragma once

#include <string>

#include "xlrm/core/json.hpp"

namespace xlrm {

//! A text of a model folder's xlrm.json; `absent` where it has none.
inline std::string extra_text(const Json& extra, const char* key, const std::string& absent) {
    return extra.is_object() && extra.contains(key) && extra[key].is_string() ? extra[key].get<std::string>() : absent;
}

}  // namespace xlrm
