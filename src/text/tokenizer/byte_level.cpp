#include "byte_level.hpp"

#include "xlrm/core/utf8.hpp"

namespace xlrm {
namespace {

bool stands_for_itself(int byte) {
    return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || (byte >= 0xAE && byte <= 0xFF);
}

struct Alphabet {
    std::array<std::string, 256> characters;
    std::array<int, 0x144> bytes{};  // by code point, -1 = outside

    Alphabet() {
        bytes.fill(-1);
        int next = 0x100;
        for (int byte = 0; byte < 256; ++byte) {
            const int code = stands_for_itself(byte) ? byte : next++;
            append_utf8(characters[static_cast<std::size_t>(byte)], static_cast<char32_t>(code));
            bytes[static_cast<std::size_t>(code)] = byte;
        }
    }
};

const Alphabet& alphabet() {
    static const Alphabet value;
    return value;
}

}  // namespace

const std::array<std::string, 256>& byte_characters() { return alphabet().characters; }

std::optional<std::string> bytes_of_token(std::string_view token) {
    const auto& table = alphabet().bytes;
    std::string bytes;
    for (std::size_t at = 0; at < token.size();) {
        const char32_t code = next_code_point(token, at);
        if (code >= table.size() || table[code] < 0) return std::nullopt;
        bytes.push_back(static_cast<char>(table[code]));
    }
    return bytes;
}

}  // namespace xlrm
