#include <algorithm>

#include "evaluation.hpp"
#include "library.hpp"
#include "xlrm/core/utf8.hpp"

namespace xlrm::jinja {
namespace {

using Method = Value (*)(const Value& self, Arguments& arguments);

const std::string& text_of(const Value& value) { return *value.text()->text; }

std::optional<std::string> characters_of(Arguments& arguments, const char* name) {
    const Parameters given(arguments, name, {"chars"});
    if (given["chars"] == nullptr || given["chars"]->is_none()) return std::nullopt;
    return given.text("chars", "");
}

// Whether the text begins or ends with the argument, or one of a tuple.
bool matches(const Value& self, Arguments& arguments, bool begin) {
    const Parameters given(arguments, begin ? "startswith" : "endswith", {"prefix"});
    if (given["prefix"] == nullptr) refuse("startswith and endswith need a text");
    std::vector<Value> candidates = {*given["prefix"]};
    if (candidates[0].list() != nullptr && candidates[0].list()->kind == List::Kind::tuple)
        candidates = candidates[0].list()->items;
    return std::any_of(candidates.begin(), candidates.end(), [&](const Value& candidate) {
        if (candidate.text() == nullptr) refuse("startswith and endswith need a text, not " + candidate.type());
        return begin ? text_of(self).starts_with(text_of(candidate)) : text_of(self).ends_with(text_of(candidate));
    });
}

void require_few(std::size_t parts) {
    if (parts >= kMostElements) refuse("a text is split into more than " + std::to_string(kMostElements) + " parts");
}

// A search from the right takes text times needle.
const std::string& needle_from_right(const std::string& needle) {
    if (needle.size() > 1000) refuse("a search from the right for more than 1000 bytes is not supported");
    return needle;
}

// At runs of white space, empty parts left out; what the limit leaves over keeps its white space at the far end.
std::vector<Value> split_at_space(const std::string& text, std::int64_t limit, bool from_right) {
    const auto space = [](char32_t c) { return is_white_space(c) || (c >= 0x1C && c <= 0x1F); };
    std::vector<Value> parts;
    std::size_t begin = 0;
    std::size_t end = text.size();
    const auto skip = [&] {  // white space at the near end
        for (std::size_t at = begin; !from_right && at < end && space(next_code_point(text, at));) begin = at;
        for (std::size_t at = end; from_right && at > begin && space(previous_code_point(text, at));) end = at;
    };
    for (skip(); begin < end && (limit < 0 || static_cast<std::int64_t>(parts.size()) < limit); skip()) {
        require_few(parts.size());
        std::size_t cut = from_right ? end : begin;  // the far end of the part
        for (std::size_t at = cut; !from_right && at < end && !space(next_code_point(text, at));) cut = at;
        for (std::size_t at = cut; from_right && at > begin && !space(previous_code_point(text, at));) cut = at;
        parts.emplace_back(from_right ? text.substr(cut, end - cut) : text.substr(begin, cut - begin));
        (from_right ? end : begin) = cut;
    }
    if (begin < end) parts.emplace_back(text.substr(begin, end - begin));
    if (from_right) std::reverse(parts.begin(), parts.end());
    return parts;
}

Value split(const Value& self, Arguments& arguments, bool from_right) {
    const Parameters given(arguments, "split", {"sep", "maxsplit"});
    const std::int64_t limit = given.integer("maxsplit", -1);
    if (given["sep"] == nullptr || given["sep"]->is_none()) return Value::list(split_at_space(text_of(self), limit, from_right));
    const std::string separator = given.text("sep", "");
    if (separator.empty()) refuse("split needs a separator that is not empty");
    if (from_right) needle_from_right(separator);
    std::vector<Value> parts;
    std::string_view rest = text_of(self);
    while (limit < 0 || static_cast<std::int64_t>(parts.size()) < limit) {
        require_few(parts.size());
        const std::size_t found = from_right ? rest.rfind(separator) : find_in(rest, separator, 0);
        if (found == std::string::npos) break;
        parts.emplace_back(std::string(from_right ? rest.substr(found + separator.size()) : rest.substr(0, found)));
        rest = from_right ? rest.substr(0, found) : rest.substr(found + separator.size());
    }
    parts.emplace_back(std::string(rest));
    if (from_right) std::reverse(parts.begin(), parts.end());
    return Value::list(std::move(parts));
}

Value partition(const Value& self, Arguments& arguments, bool from_right) {
    const Parameters given(arguments, "partition", {"sep"});
    const std::string separator = given.text("sep", "");
    if (separator.empty()) refuse("partition needs a separator that is not empty");
    const std::string& text = text_of(self);
    const std::size_t found = from_right ? text.rfind(needle_from_right(separator)) : find_in(text, separator, 0);
    std::vector<Value> parts = from_right ? std::vector<Value>{std::string(), std::string(), text}
                                          : std::vector<Value>{text, std::string(), std::string()};
    if (found != std::string::npos) parts = {text.substr(0, found), separator, text.substr(found + separator.size())};
    return Value::list(std::move(parts), List::Kind::tuple);
}

// Line ends that str.splitlines knows: \n \r \r\n \v \f \x1c-\x1e \x85 U+2028 U+2029.
Value split_lines(const Value& self, Arguments& arguments) {
    const bool keep = Parameters(arguments, "splitlines", {"keepends"}).flag("keepends", false);
    const std::string& text = text_of(self);
    std::vector<Value> lines;
    std::size_t begin = 0;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t here = at;
        const char32_t c = next_code_point(text, at);
        require_few(lines.size());
        if (!((c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 || c == 0x2029)) continue;
        if (c == '\r' && at < text.size() && text[at] == '\n') ++at;
        lines.emplace_back(text.substr(begin, (keep ? at : here) - begin));
        begin = at;
    }
    if (begin < text.size()) lines.emplace_back(text.substr(begin));
    return Value::list(std::move(lines));
}

Value find_text(const Value& self, Arguments& arguments, bool from_right) {
    const Parameters given(arguments, "find", {"sub"});
    const std::string needle = given.text("sub", "");
    const std::size_t found = from_right ? text_of(self).rfind(needle_from_right(needle)) : find_in(text_of(self), needle, 0);
    if (found == std::string::npos) return std::int64_t{-1};
    return count_code_points(std::string_view(text_of(self)).substr(0, found));
}

Value count_text(const Value& self, Arguments& arguments) {
    const std::string needle = Parameters(arguments, "count", {"sub"}).text("sub", "");
    if (needle.empty()) return count_code_points(text_of(self)) + 1;
    std::int64_t count = 0;
    for (std::size_t at = find_in(text_of(self), needle, 0); at != std::string::npos;
         at = find_in(text_of(self), needle, at + needle.size()))
        ++count;
    return count;
}

Value join_text(const Value& self, Arguments& arguments) {
    const Parameters given(arguments, "join", {"iterable"});
    if (given["iterable"] == nullptr) refuse("join needs a list");
    std::string all;
    bool first = true;
    for (const Value& item : elements(*given["iterable"])) {
        if (item.text() == nullptr) refuse("join needs texts, not " + item.type());
        all += (first ? "" : text_of(self)) + text_of(item);
        require_short(all.size());
        first = false;
    }
    return all;
}

Value replace_text(const Value& self, Arguments& arguments) {
    const Parameters given(arguments, "replace", {"old", "new", "count"});
    if (given["old"] == nullptr || given["new"] == nullptr) refuse("replace needs two texts");
    return replace_all(text_of(self), given.text("old", ""), given.text("new", ""), given.integer("count", -1));
}

Value without_affix(const Value& self, Arguments& arguments, bool prefix) {
    const std::string affix = Parameters(arguments, "removeprefix", {"affix"}).text("affix", "");
    const std::string& text = text_of(self);
    if (prefix) return text.starts_with(affix) ? text.substr(affix.size()) : text;
    return text.ends_with(affix) ? text.substr(0, text.size() - affix.size()) : text;
}

// True for a text that is not empty and has only characters of the kind.
Value only(const Value& self, bool (*kind)(char32_t)) {
    const std::string& text = text_of(self);
    for (std::size_t at = 0; at < text.size();) {
        if (!kind(next_code_point(text, at))) return false;
    }
    return !text.empty();
}

const std::vector<std::pair<std::string_view, Method>>& text_methods() {
    static const std::vector<std::pair<std::string_view, Method>> methods = {
        {"strip",
         [](const Value& s, Arguments& a) -> Value {
             return strip_characters(text_of(s), characters_of(a, "strip"), true, true);
         }},
        {"lstrip",
         [](const Value& s, Arguments& a) -> Value {
             return strip_characters(text_of(s), characters_of(a, "lstrip"), true, false);
         }},
        {"rstrip",
         [](const Value& s, Arguments& a) -> Value {
             return strip_characters(text_of(s), characters_of(a, "rstrip"), false, true);
         }},
        {"startswith", [](const Value& s, Arguments& a) -> Value { return matches(s, a, true); }},
        {"endswith", [](const Value& s, Arguments& a) -> Value { return matches(s, a, false); }},
        {"split", [](const Value& s, Arguments& a) { return split(s, a, false); }},
        {"rsplit", [](const Value& s, Arguments& a) { return split(s, a, true); }},
        {"partition", [](const Value& s, Arguments& a) { return partition(s, a, false); }},
        {"rpartition", [](const Value& s, Arguments& a) { return partition(s, a, true); }},
        {"splitlines", split_lines},
        {"find", [](const Value& s, Arguments& a) { return find_text(s, a, false); }},
        {"rfind", [](const Value& s, Arguments& a) { return find_text(s, a, true); }},
        {"count", count_text},
        {"join", join_text},
        {"replace", replace_text},
        {"removeprefix", [](const Value& s, Arguments& a) { return without_affix(s, a, true); }},
        {"removesuffix", [](const Value& s, Arguments& a) { return without_affix(s, a, false); }},
        {"upper", [](const Value& s, Arguments&) -> Value { return upper(text_of(s)); }},
        {"lower", [](const Value& s, Arguments&) -> Value { return lower(text_of(s)); }},
        {"capitalize", [](const Value& s, Arguments&) -> Value { return capitalize(text_of(s)); }},
        {"title", [](const Value& s, Arguments&) -> Value { return title(text_of(s)); }},
        {"isspace", [](const Value& s,
                       Arguments&) { return only(s, [](char32_t c) { return is_white_space(c) || (c >= 0x1C && c <= 0x1F); }); }},
        {"isdigit",
         [](const Value& s, Arguments&) {
             return only(s, [](char32_t c) {
                 if (c >= 0x80) refuse("the method 'isdigit' of other characters than ASCII's is not supported");
                 return c >= '0' && c <= '9';
             });
         }},
    };
    return methods;
}

Value dict_view(const Dict& dict, bool keys, bool values) {
    std::vector<Value> items;
    for (const auto& [key, value] : dict.items) {
        if (keys && values)
            items.push_back(Value::list({key, value}, List::Kind::tuple));
        else
            items.push_back(keys ? key : value);
    }
    return Value::list(std::move(items));
}

const std::vector<std::pair<std::string_view, Method>>& dict_methods() {
    static const std::vector<std::pair<std::string_view, Method>> methods = {
        {"items", [](const Value& s, Arguments&) { return dict_view(*s.dict(), true, true); }},
        {"keys", [](const Value& s, Arguments&) { return dict_view(*s.dict(), true, false); }},
        {"values", [](const Value& s, Arguments&) { return dict_view(*s.dict(), false, true); }},
        {"copy", [](const Value& s, Arguments&) -> Value { return std::make_shared<Dict>(*s.dict()); }},
        {"get",
         [](const Value& s, Arguments& a) -> Value {
             const Parameters given(a, "get", {"key", "default"});
             if (given["key"] == nullptr) refuse("get needs a key");
             const Value* found = s.dict()->find(*given["key"]);
             if (found != nullptr) return *found;
             return given["default"] != nullptr ? *given["default"] : Value(nullptr);
         }},
    };
    return methods;
}

const std::vector<std::pair<std::string_view, Method>>& list_methods() {
    static const std::vector<std::pair<std::string_view, Method>> methods = {
        {"index",
         [](const Value& s, Arguments& a) -> Value {
             const Parameters given(a, "index", {"value"});
             for (std::size_t i = 0; i < s.list()->items.size(); ++i) {
                 if (given["value"] != nullptr && equal(s.list()->items[i], *given["value"])) return static_cast<std::int64_t>(i);
             }
             refuse("index: the value is not in the list");
         }},
        {"count",
         [](const Value& s, Arguments& a) -> Value {
             const Parameters given(a, "count", {"value"});
             std::int64_t count = 0;
             for (const Value& item : s.list()->items) count += given["value"] != nullptr && equal(item, *given["value"]) ? 1 : 0;
             return count;
         }},
    };
    return methods;
}

// What Python has and this library has not: met, it is named rather than taken for a missing key.
constexpr std::string_view kOther[] = {
    "append",       "clear",      "extend",     "insert",      "pop",     "popitem",  "remove",   "reverse",   "setdefault",
    "sort",         "update",     "fromkeys",   "format",      "zfill",   "casefold", "encode",   "center",    "ljust",
    "rjust",        "expandtabs", "format_map", "index",       "rindex",  "isalnum",  "isalpha",  "isascii",   "isdecimal",
    "isidentifier", "islower",    "isnumeric",  "isprintable", "istitle", "isupper",  "swapcase", "translate", "maketrans"};
constexpr std::size_t kOfDicts[] = {1, 4, 5, 8, 10, 11};

bool other_method(const Value& object, const std::string& name) {
    if (object.dict() != nullptr)
        return std::any_of(std::begin(kOfDicts), std::end(kOfDicts), [&](std::size_t i) { return kOther[i] == name; });
    const auto* const found = std::find(std::begin(kOther), std::end(kOther), name);
    return found != std::end(kOther) && (found - std::begin(kOther) < 10) == (object.list() != nullptr);
}

}  // namespace

std::optional<Value> find_method(const Value& object, const std::string& name) {
    const bool lazy = object.list() != nullptr && object.list()->kind == List::Kind::lazy;
    if (lazy || (object.text() == nullptr && object.dict() == nullptr && object.list() == nullptr)) return std::nullopt;
    const auto& methods = object.text() != nullptr ? text_methods() : object.dict() != nullptr ? dict_methods() : list_methods();
    for (const auto& [known, method] : methods) {
        if (known != name) continue;
        const auto bound = [object, method = method](Evaluation& evaluation, Arguments& arguments) {
            evaluation.step(object.effort());
            return method(object, arguments);
        };
        if (object.depth() + 1 > kMostDepth) refuse("values are nested too deeply");
        return Value(std::make_shared<Callable>(Callable{name, bound, object.depth() + 1}));
    }
    if (other_method(object, name)) refuse("the method '" + name + "' of " + object.type() + " is not supported");
    return std::nullopt;
}

}  // namespace xlrm::jinja
