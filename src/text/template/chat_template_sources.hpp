#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace xlrm {

//! A built-in template in Jinja.
struct BuiltinTemplate {
    std::string name, bos, eos;
    std::vector<std::string> hashes;  //!< SHA-256 of published sources that give the same text
    std::string source;
};

const std::vector<BuiltinTemplate>& builtin_templates();

//! BOS and EOS of the family whose turn markers stand in `source`; empty where none is known.
struct FamilyTokens {
    std::string_view bos, eos;
};
FamilyTokens tokens_of_family(std::string_view source);

}  // namespace xlrm
