#include "decoder.hpp"

#include <memory>
#include <optional>

#include "byte_level.hpp"
#include "regex.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/utf8.hpp"

namespace xlrm {
namespace {

using Tokens = std::vector<std::string>;

void replace_in_token(std::string& text, std::string_view from, std::string_view to) {
    for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
}

void join_tokens(Tokens& tokens) {
    std::string text;
    for (const std::string& token : tokens) text += token;
    tokens = {std::move(text)};
}

void join_bytes(Tokens& tokens) {
    for (std::string& token : tokens) {
        if (auto bytes = bytes_of_token(token)) token = std::move(*bytes);
    }
    join_tokens(tokens);
    tokens.front() = replace_invalid_utf8(tokens.front());
}

// The byte of "<0x41>"; a plus sign for the first digit is taken too, as the reference's number reader does.
std::optional<char> byte_of(const std::string& token) {
    if (token.size() != 6 || !token.starts_with("<0x") || token.back() != '>') return std::nullopt;
    int value = 0;
    for (std::size_t i = 3; i < 5; ++i) {
        const char c = token[i];
        const int digit = c >= '0' && c <= '9'   ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : -1;
        if (digit < 0 && !(i == 3 && c == '+')) return std::nullopt;
        value = 16 * value + std::max(digit, 0);
    }
    return static_cast<char>(value);
}

// Runs of byte tokens become their text, or one U+FFFD for each byte of a run that is not valid UTF-8.
void join_byte_tokens(Tokens& tokens) {
    Tokens result;
    std::string run;
    const auto close = [&] {
        if (is_valid_utf8(run))
            result.push_back(run);
        else
            result.insert(result.end(), run.size(), "\uFFFD");
        run.clear();
    };
    for (std::string& token : tokens) {
        if (const auto byte = byte_of(token)) {
            run.push_back(*byte);
            continue;
        }
        if (!run.empty()) close();
        result.push_back(std::move(token));
    }
    if (!run.empty()) close();
    tokens = std::move(result);
}

// Takes up to `start` and `stop` copies of a character from the ends of each token.
void strip(Tokens& tokens, const std::string& content, std::int64_t start, std::int64_t stop) {
    for (std::string& token : tokens) {
        std::string_view text = token;
        for (std::int64_t i = 0; i < start && text.starts_with(content); ++i) text.remove_prefix(content.size());
        for (std::int64_t i = 0; i < stop && text.ends_with(content); ++i) text.remove_suffix(content.size());
        token = std::string(text);
    }
}

void decode_metaspace(Tokens& tokens, const std::string& replacement, bool drops_first) {
    for (std::size_t i = 0; i < tokens.size(); ++i) replace_in_token(tokens[i], replacement, i == 0 && drops_first ? "" : " ");
}

void clean_up(std::string& text) {
    for (const auto& [from, to] : {std::pair{" .", "."},
                                   {" ?", "?"},
                                   {" !", "!"},
                                   {" ,", ","},
                                   {" ' ", "'"},
                                   {" n't", "n't"},
                                   {" 'm", "'m"},
                                   {" do not", " don't"},
                                   {" 's", "'s"},
                                   {" 've", "'ve"},
                                   {" 're", "'re"}}) {
        replace_in_token(text, from, to);
    }
}

void join_pieces(Tokens& tokens, const std::string& prefix, bool cleans) {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        if (i > 0) tokens[i] = tokens[i].starts_with(prefix) ? tokens[i].substr(prefix.size()) : " " + tokens[i];
        if (cleans) clean_up(tokens[i]);
    }
}

// An empty text is found everywhere, for ever.
std::string text_to_find(const nlohmann::json& json, const char* name, const std::string& where) {
    auto text = json.at(name).get<std::string>();
    if (text.empty()) fail(where + ": " + name + " is empty");
    return text;
}

}  // namespace

Decoder::Decoder(const nlohmann::json& json, const std::string& where) {
    missing_ = json.is_null();
    if (!missing_) add(json, where);
    const nlohmann::json* only = &json;
    while (only->is_object() && only->at("type") == "Sequence" && only->at("decoders").size() == 1)
        only = &only->at("decoders")[0];
    byte_level_ = only->is_object() && only->at("type") == "ByteLevel";
}

void Decoder::add(const nlohmann::json& json, const std::string& where) {
    require(json.is_object() && json.contains("type"), where + ": an object with a type is expected");
    const std::string type = json.at("type").get<std::string>();
    if (type == "Sequence") {
        for (const auto& part : json.at("decoders")) add(part, where);
    } else if (type == "ByteLevel") {
        stages_.emplace_back(join_bytes);
    } else if (type == "Fuse") {
        stages_.emplace_back(join_tokens);
    } else if (type == "ByteFallback") {
        stages_.emplace_back(join_byte_tokens);
    } else if (type == "Metaspace") {
        const bool drops_first = json.value("prepend_scheme", "always") != "never";
        stages_.emplace_back([drops_first, mark = text_to_find(json, "replacement", where)](Tokens& tokens) {
            decode_metaspace(tokens, mark, drops_first);
        });
    } else if (type == "Strip") {
        stages_.emplace_back(
            [content = text_to_find(json, "content", where), start = json.at("start").get<std::int64_t>(),
             stop = json.at("stop").get<std::int64_t>()](Tokens& tokens) { strip(tokens, content, start, stop); });
    } else if (type == "BPEDecoder") {
        stages_.emplace_back([suffix = text_to_find(json, "suffix", where)](Tokens& tokens) {
            for (std::size_t i = 0; i < tokens.size(); ++i)
                replace_in_token(tokens[i], suffix, i + 1 == tokens.size() ? "" : " ");
        });
    } else if (type == "WordPiece") {
        stages_.emplace_back([prefix = json.at("prefix").get<std::string>(),
                              cleans = json.at("cleanup").get<bool>()](Tokens& tokens) { join_pieces(tokens, prefix, cleans); });
    } else if (type == "Replace") {
        const auto regex =
            std::make_shared<const Regex>(pattern_expression(json.at("pattern"), where + ": Replace"), where + ": Replace");
        stages_.emplace_back([regex, to = json.at("content").get<std::string>()](Tokens& tokens) {
            const auto scratch = Regex::make_scratch();
            std::vector<Regex::Part> parts;
            for (std::string& token : tokens) {
                regex->parts(token, *scratch, parts);
                std::string text;
                for (const Regex::Part& part : parts) text += part.match ? to : token.substr(part.begin, part.end - part.begin);
                token = std::move(text);
            }
        });
    } else {
        fail(where + ": " + type + " is not supported");
    }
}

std::string Decoder::decode(std::vector<std::string> tokens) const {
    for (const Stage& stage : stages_) stage(tokens);
    std::string text;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        if (missing_ && i > 0) text += ' ';
        text += tokens[i];
    }
    return text;
}

}  // namespace xlrm
