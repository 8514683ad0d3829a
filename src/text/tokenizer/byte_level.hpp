#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace xlrm {

//! The alphabet of GPT-2's byte-level BPE: every byte has a printable character. Printable bytes of Latin-1 stand for
//! themselves; the others, in order, for U+0100, U+0101 …
const std::array<std::string, 256>& byte_characters();

//! Bytes that a token's text stands for; nothing where a character is outside the alphabet.
std::optional<std::string> bytes_of_token(std::string_view token);

}  // namespace xlrm
