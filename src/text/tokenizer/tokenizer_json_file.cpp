#include "json_tokenizer.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"

namespace xlrm {
namespace {

using nlohmann::json;  // not xlrm::Json: its ordered objects take quadratic time for a vocabulary

constexpr int kMostDepth = 64;

// Parts within parts are read by recursion.
void require_shallow(std::string_view text, const std::string& where) {
    int depth = 0;
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quoted) {
            if (c == '\\')
                ++i;
            else
                quoted = c != '"';
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{' || c == '[') {
            if (++depth > kMostDepth)
                fail(where + ": damaged tokenizer file (nested deeper than " + std::to_string(kMostDepth) + ")");
        } else if (c == '}' || c == ']') {
            --depth;
        }
    }
}

}  // namespace

AddedToken added_token_of(const json& entry) {
    AddedToken token;
    token.content = entry.at("content").get<std::string>();
    token.single_word = entry.value("single_word", false);
    token.lstrip = entry.value("lstrip", false);
    token.rstrip = entry.value("rstrip", false);
    token.special = entry.value("special", false);
    token.normalized = entry.value("normalized", !token.special);
    return token;
}

json read_tokenizer_json(const std::filesystem::path& tokenizer_json) {
    const std::string text = read_file(tokenizer_json);
    require_shallow(text, tokenizer_json.string());
    try {
        json file = json::parse(text);
        if (!file.is_object() || !file.contains("model"))
            fail(tokenizer_json.string() + ": no tokenizer (the field model is missing)");
        return file;
    } catch (const json::exception& error) {
        fail(tokenizer_json.string() + ": damaged tokenizer file (" + error.what() + ")");
    }
}

}  // namespace xlrm
