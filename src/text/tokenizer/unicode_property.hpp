#pragma once

#include <string>

namespace xlrm {

//! Oniguruma's name of a Unicode property → PCRE2's. Names of categories may be long; a name that is neither a category nor a
//! known binary property is a script (without its extensions, which PCRE2 would add).
std::string pcre2_property(const std::string& name);

}  // namespace xlrm
