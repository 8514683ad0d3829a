#include "normalizer.hpp"

#include <memory>
#include <utility>

#include "byte_level.hpp"
#include "charsmap.hpp"
#include "unicode.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/utf8.hpp"

namespace xlrm {
namespace {

template <typename Function>
bool map_code_points(std::string_view text, std::string& out, Function function) {
    out.clear();
    for (std::size_t at = 0; at < text.size();) function(next_code_point(text, at), out);
    return true;
}

// Sentencepiece's "nmt" rule.
void append_nmt(char32_t c, std::string& out) {
    if ((c >= 0x01 && c <= 0x08) || c == 0x0B || (c >= 0x0E && c <= 0x1F) || c == 0x7F || c == 0x8F || c == 0x9F) return;
    const bool blank = c == 0x09 || c == 0x0A || c == 0x0C || c == 0x0D || c == 0x1680 || (c >= 0x200B && c <= 0x200F) ||
                       c == 0x2028 || c == 0x2029 || c == 0x2581 || c == 0xFEFF || c == 0xFFFD;
    append_utf8(out, blank ? U' ' : c);
}

std::string_view without_white_space(std::string_view text, bool left, bool right) {
    std::size_t begin = 0;
    for (std::size_t at = 0; left && at < text.size() && is_white_space(next_code_point(text, at));) begin = at;
    std::size_t end = text.size();
    for (std::size_t at = end; right && at > begin && is_white_space(previous_code_point(text, at));) end = at;
    return text.substr(begin, end - begin);
}

bool replace_all(std::string_view text, const std::string& from, const std::string& to, std::string& out) {
    std::size_t found = text.find(from);
    if (found == std::string_view::npos) return false;
    out.clear();
    std::size_t done = 0;
    for (; found != std::string_view::npos; found = text.find(from, done)) {
        out.append(text.substr(done, found - done)).append(to);
        done = found + from.size();
    }
    out.append(text.substr(done));
    return true;
}

}  // namespace

Normalizer::Normalizer(const nlohmann::json& json, const std::string& where) {
    if (!json.is_null()) add(json, where);
}

void Normalizer::add(const nlohmann::json& json, const std::string& where) {
    require(json.is_object() && json.contains("type"), where + ": an object with a type is expected");
    const std::string type = json.at("type").get<std::string>();
    constexpr std::pair<std::string_view, NormalForm> forms[] = {
        {"NFC", NormalForm::c}, {"NFD", NormalForm::d}, {"NFKC", NormalForm::kc}, {"NFKD", NormalForm::kd}};
    for (const auto& [name, form] : forms) {
        if (type != name) continue;
        return add([form](std::string_view text, Scratch&, std::string& out) {
            if (surely_in_form(text, form)) return false;
            out = to_normal_form(text, form);
            return true;
        });
    }
    if (type == "Sequence") {
        for (const auto& part : json.at("normalizers")) add(part, where);
    } else if (type == "Lowercase") {
        add([](std::string_view text, Scratch&, std::string& out) { return out = to_lower(text), true; });
    } else if (type == "Strip") {
        add([left = json.at("strip_left").get<bool>(), right = json.at("strip_right").get<bool>()](
                std::string_view text, Scratch&, std::string& out) { return out = without_white_space(text, left, right), true; },
            true);
    } else if (type == "StripAccents") {
        add(
            [](std::string_view text, Scratch&, std::string& out) {
                return map_code_points(text, out, [](char32_t c, std::string& to) {
                    if (!is_mark(c)) append_utf8(to, c);
                });
            },
            true);
    } else if (type == "Nmt") {
        add([](std::string_view text, Scratch&, std::string& out) { return map_code_points(text, out, append_nmt); }, true);
    } else if (type == "Prepend") {
        add([front = json.at("prepend").get<std::string>()](std::string_view text, Scratch&, std::string& out) {
            if (text.empty()) return false;
            out.assign(front).append(text);
            return true;
        });
    } else if (type == "ByteLevel") {
        add([](std::string_view text, Scratch&, std::string& out) {
            out.clear();
            for (const char c : text) out += byte_characters()[static_cast<unsigned char>(c)];
            return true;
        });
    } else if (type == "Precompiled") {
        const std::string here = where + ".precompiled_charsmap";
        const auto map =
            std::make_shared<const Charsmap>(decode_base64(json.at("precompiled_charsmap").get<std::string>(), here), here);
        add([map](std::string_view text, Scratch&, std::string& out) { return out = map->apply(text), true; }, true);
    } else if (type == "Replace") {
        add_replace(json, where);
    } else {
        fail(where + ": " + type + " is not supported");
    }
}

void Normalizer::add_replace(const nlohmann::json& json, const std::string& where) {
    const auto to = json.at("content").get<std::string>();
    const auto& pattern = json.at("pattern");
    if (pattern.is_object() && pattern.contains("String") && !pattern.at("String").get<std::string>().empty()) {
        return add([from = pattern.at("String").get<std::string>(), to](
                       std::string_view text, Scratch&, std::string& out) { return replace_all(text, from, to, out); },
                   to.empty());
    }
    const auto regex = std::make_shared<const Regex>(pattern_expression(pattern, where), where + ": Replace");
    add(
        [regex, to](std::string_view text, Scratch& scratch, std::string& out) {
            std::vector<Regex::Part> parts;
            regex->parts(text, *scratch.regex, parts);
            out.clear();
            for (const Regex::Part& part : parts)
                out.append(part.match ? std::string_view(to) : text.substr(part.begin, part.end - part.begin));
            return true;
        },
        to.empty());
}

std::string_view Normalizer::apply(std::string_view text, Scratch& scratch, bool& keeps_begin) const {
    for (const Step& step : steps_) {
        if (step.drops && keeps_begin && !text.empty()) {
            std::size_t end = 0;
            next_code_point(text, end);
            keeps_begin = !step.stage(text.substr(0, end), scratch, scratch.next) || !scratch.next.empty();
        }
        if (!step.stage(text, scratch, scratch.next)) continue;
        scratch.text.swap(scratch.next);
        text = scratch.text;
    }
    return text;
}

std::string Normalizer::apply(std::string_view text) const {
    Scratch scratch;
    bool keeps_begin = true;
    return std::string(apply(text, scratch, keeps_begin));
}

}  // namespace xlrm
