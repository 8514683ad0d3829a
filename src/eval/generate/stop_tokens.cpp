#include "generate/stop_tokens.hpp"

#include <charconv>
#include <set>

#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

void add_ids(const Json& value, const std::string& where, std::set<std::int32_t>& ids) {
    if (value.is_null()) return;
    if (value.is_array()) {
        for (const Json& one : value) add_ids(one, where, ids);
        return;
    }
    if (!value.is_number_integer() || value.get<std::int64_t>() < 0) fail(where + ": eos_token_id is no token id");
    ids.insert(value.get<std::int32_t>());
}

// The one token that the text behind an answer begins with, where it stands for itself (<|im_end|>).
void add_template_end(const Tokenizer& tokenizer, const ChatTemplate& chat_template, std::set<std::int32_t>& ids) {
    if (!chat_template.writes_eos) return;
    const std::string answer = "answer";
    std::string text;
    try {
        text = chat_template.render(std::vector<ChatMessage>{{"user", "question"}, {"assistant", answer}}, false);
    } catch (const Error&) {
        return;  // it takes other conversations
    }
    const std::size_t at = text.rfind(answer);
    if (at == std::string::npos) return;
    const std::string rest = text.substr(at + answer.size());
    const std::vector<std::int32_t> tokens = tokenizer.encode(rest, false);
    if (tokens.empty()) return;
    const std::string mark = tokenizer.decode({tokens.front()});
    // Letters and punctuation may be the beginning of something else; a special token's text is longer.
    if (mark.size() > 2 && rest.starts_with(mark) && tokenizer.id_of(mark) == tokens.front()) ids.insert(tokens.front());
}

}  // namespace

std::vector<std::int32_t> end_tokens(const std::filesystem::path& folder, const ModelConfig& config, const Tokenizer& tokenizer,
                                     const ChatTemplate& chat_template) {
    std::set<std::int32_t> ids;
    const std::filesystem::path generation = folder / "generation_config.json";
    if (std::filesystem::exists(generation)) {
        const Json settings = read_json(generation);
        if (settings.is_object()) add_ids(settings.value("eos_token_id", Json()), generation.string(), ids);
    }
    if (ids.empty()) add_ids(config.raw.value("eos_token_id", Json()), (folder / "config.json").string(), ids);
    if (ids.empty() && config.eos) ids.insert(*config.eos);
    if (tokenizer.eos) ids.insert(*tokenizer.eos);
    add_template_end(tokenizer, chat_template, ids);
    return {ids.begin(), ids.end()};
}

std::vector<std::int32_t> parse_stop_ids(const std::vector<std::string>& ids, std::int64_t vocabulary) {
    std::set<std::int32_t> result;
    for (const std::string& text : ids) {
        std::int32_t id = -1;
        const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), id);
        if (status != std::errc() || end != text.data() + text.size() || id < 0 || id >= vocabulary)
            fail("--stop-ids: '" + text + "' is none of the model's ids, 0 to " + std::to_string(vocabulary - 1),
                 ExitCode::usage);
        result.insert(id);
    }
    return {result.begin(), result.end()};
}

std::string unescaped(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\') {
            out += text[i];
            continue;
        }
        const char kind = i + 1 < text.size() ? text[i + 1] : '\0';
        ++i;
        if (kind == 'n' || kind == 't' || kind == '\\') {
            out += kind == 'n' ? '\n' : kind == 't' ? '\t' : '\\';
            continue;
        }
        unsigned value = 0;
        const char* const digits = text.data() + i + 1;
        const bool hex = kind == 'x' && i + 2 < text.size() && std::from_chars(digits, digits + 2, value, 16).ptr == digits + 2;
        if (!hex)
            fail(
                "--stop: '" + text + "' has a backslash that begins none of \\n, \\t, \\\\ and \\xHH; write \\\\ for a backslash",
                ExitCode::usage);
        out += static_cast<char>(value);
        i += 2;
    }
    return out;
}

}  // namespace xlrm
