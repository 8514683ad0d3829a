#include <utf8proc.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "value.hpp"
#include "xlrm/core/utf8.hpp"

namespace xlrm::jinja {
namespace {

std::string hex(std::uint32_t value, int digits) {
    char buffer[16];
    std::snprintf(buffer, sizeof buffer, "%0*x", digits, value);
    return buffer;
}

// repr(float): the shortest digits that read back equal, with an exponent from 1e16 on and below 1e-4.
std::string real_text(double value) {
    if (std::isnan(value)) return "nan";
    if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
    char buffer[64];
    const double size = std::abs(value);
    const bool plain = size == 0.0 || (size >= 1e-4 && size < 1e16);
    const auto end =
        std::to_chars(buffer, buffer + sizeof buffer, value, plain ? std::chars_format::fixed : std::chars_format::scientific)
            .ptr;
    std::string text(buffer, end);
    if (plain && text.find('.') == std::string::npos) text += ".0";
    return text;
}

bool printable(char32_t c) {
    if (c == ' ') return true;
    switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
        case UTF8PROC_CATEGORY_CC:
        case UTF8PROC_CATEGORY_CF:
        case UTF8PROC_CATEGORY_CS:
        case UTF8PROC_CATEGORY_CO:
        case UTF8PROC_CATEGORY_CN:
        case UTF8PROC_CATEGORY_ZL:
        case UTF8PROC_CATEGORY_ZP:
        case UTF8PROC_CATEGORY_ZS:
            return false;
        default:
            return true;
    }
}

std::string quoted(const std::string& text) {
    const char quote = text.find('\'') != std::string::npos && text.find('"') == std::string::npos ? '"' : '\'';
    std::string out(1, quote);
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t begin = at;
        const char32_t c = next_code_point(text, at);
        if (c == static_cast<char32_t>(quote) || c == '\\')
            out += std::string("\\") + static_cast<char>(c);
        else if (c == '\n')
            out += "\\n";
        else if (c == '\r')
            out += "\\r";
        else if (c == '\t')
            out += "\\t";
        else if (printable(c))
            out.append(text, begin, at - begin);
        else if (c < 0x100)
            out += "\\x" + hex(c, 2);
        else if (c < 0x10000)
            out += "\\u" + hex(c, 4);
        else
            out += "\\U" + hex(c, 8);
    }
    return out + quote;
}

std::string json_text(const std::string& text, bool ascii) {
    std::string out = "\"";
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t begin = at;
        const char32_t c = next_code_point(text, at);
        if (c == '"' || c == '\\')
            out += std::string("\\") + static_cast<char>(c);
        else if (c == '\n')
            out += "\\n";
        else if (c == '\r')
            out += "\\r";
        else if (c == '\t')
            out += "\\t";
        else if (c == '\b')
            out += "\\b";
        else if (c == '\f')
            out += "\\f";
        else if (c < 0x20 || (ascii && c >= 0x7F && c < 0x10000))
            out += "\\u" + hex(c, 4);
        else if (ascii && c >= 0x10000)
            out += "\\u" + hex(0xD800 + ((c - 0x10000) >> 10U), 4) + "\\u" + hex(0xDC00 + ((c - 0x10000) & 0x3FFU), 4);
        else
            out.append(text, begin, at - begin);
    }
    return out + '"';
}

std::string json_key(const Value& key, bool ascii) {
    if (key.text() != nullptr) return json_text(*key.text()->text, ascii);
    if (key.number() || key.is_none()) return '"' + to_json(key, {}) + '"';
    refuse("tojson: a key cannot be " + key.type());
}

void write_json(const Value& value, const JsonStyle& style, int depth, std::string& out) {
    if (depth > 100) refuse("tojson: values are nested too deeply");
    const auto line = [&](int level) {
        if (!style.indent) return;
        out += '\n';
        for (int i = 0; i < level; ++i) {
            out += *style.indent;
            require_short(out.size());
        }
    };
    require_short(out.size());
    if (value.is_none()) {
        out += "null";
    } else if (const bool* flag = value.boolean()) {
        out += *flag ? "true" : "false";
    } else if (const double* real = value.real(); real != nullptr && !std::isfinite(*real)) {
        out += std::isnan(*real) ? "NaN" : *real < 0 ? "-Infinity" : "Infinity";
    } else if (value.number()) {
        out += to_text(value);
    } else if (const Text* text = value.text()) {
        out += json_text(*text->text, style.ascii);
    } else if (const List* list = value.list(); list != nullptr && list->kind != List::Kind::lazy) {
        out += '[';
        for (std::size_t i = 0; i < list->items.size(); ++i) {
            if (i > 0) out += style.comma;
            line(depth + 1);
            write_json(list->items[i], style, depth + 1, out);
        }
        if (!list->items.empty()) line(depth);
        out += ']';
    } else if (const Dict* dict = value.dict()) {
        auto items = dict->items;
        if (style.sort_keys)
            std::stable_sort(items.begin(), items.end(), [](const auto& a, const auto& b) { return less(a.first, b.first); });
        out += '{';
        for (std::size_t i = 0; i < items.size(); ++i) {
            if (i > 0) out += style.comma;
            line(depth + 1);
            out += json_key(items[i].first, style.ascii) + style.colon;
            write_json(items[i].second, style, depth + 1, out);
        }
        if (!items.empty()) line(depth);
        out += '}';
    } else {
        refuse("tojson: " + value.type() + " has no JSON form");
    }
}

}  // namespace

namespace {

void write_repr(const Value& value, std::string& out);

void write_items(const std::vector<Value>& items, std::string& out) {
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (i > 0) out += ", ";
        write_repr(items[i], out);
    }
}

// str() of a list or a dict. Values share their parts, so the text can be far longer than they are.
void write_container(const Value& value, std::string& out) {
    require_short(out.size());
    if (const Dict* dict = value.dict()) {
        out += '{';
        for (std::size_t i = 0; i < dict->items.size(); ++i) {
            if (i > 0) out += ", ";
            write_repr(dict->items[i].first, out);
            out += ": ";
            write_repr(dict->items[i].second, out);
        }
        out += '}';
        return;
    }
    const List* list = value.list();
    if (list == nullptr || list->kind == List::Kind::lazy) refuse(value.type() + " cannot be written as text");
    const bool tuple = list->kind == List::Kind::tuple;
    out += tuple ? '(' : '[';
    write_items(list->items, out);
    if (tuple && list->items.size() == 1) out += ',';
    out += tuple ? ')' : ']';
}

void write_repr(const Value& value, std::string& out) {
    if (value.is_undefined())
        out += "Undefined";
    else if (value.text() == nullptr && value.list() == nullptr && value.dict() == nullptr)
        out += to_text(value);
    else if (value.text() == nullptr)
        write_container(value, out);
    else
        out += value.text()->safe ? "Markup(" + quoted(*value.text()->text) + ")" : quoted(*value.text()->text);
}

}  // namespace

std::string to_text(const Value& value) {
    if (value.is_undefined()) return "";
    if (value.text() != nullptr) return *value.text()->text;
    if (value.is_none()) return "None";
    if (const bool* flag = value.boolean()) return *flag ? "True" : "False";
    if (const std::int64_t* integer = value.integer()) return std::to_string(*integer);
    if (const double* real = value.real()) return real_text(*real);
    std::string out;
    write_container(value, out);
    return out;
}

std::string repr(const Value& value) {
    std::string out;
    write_repr(value, out);
    return out;
}

std::string to_json(const Value& value, const JsonStyle& style) {
    std::string out;
    write_json(value, style, 0, out);
    return out;
}

}  // namespace xlrm::jinja
