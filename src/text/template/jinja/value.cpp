#include "value.hpp"

#include <algorithm>
#include <cstring>

#include "xlrm/core/error.hpp"
#include "xlrm/core/json.hpp"
#include "xlrm/core/utf8.hpp"

namespace xlrm::jinja {

namespace {

constexpr std::int64_t kMostComparisons = 10'000'000;

int deeper(int outer, const Value& inner) {
    const int depth = std::max(outer, inner.depth() + 1);
    if (depth > kMostDepth) refuse("values are nested too deeply");
    return depth;
}

}  // namespace

void refuse(const std::string& message) { fail(message); }

void require_short(std::size_t bytes) {
    if (bytes > kMostBytes) refuse("it makes more than 256 MiB of text");
}

const Value* Dict::find(const Value& key) const {
    for (const auto& [name, value] : items) {
        if (equal(name, key)) return &value;
    }
    return nullptr;
}

void Dict::set(Value key, Value value) {
    for (auto& [name, held] : items) {
        if (equal(name, key)) {
            depth = deeper(depth, value);
            held = std::move(value);
            return;
        }
    }
    append(std::move(key), std::move(value));
}

void Dict::append(Value key, Value value) {
    if (items.size() >= kMostKeys) refuse("a dict has more than " + std::to_string(kMostKeys) + " keys");
    depth = deeper(deeper(depth, key), value);
    items.emplace_back(std::move(key), std::move(value));
}

const Value* Namespace::find(std::string_view name) const {
    for (const auto& [key, value] : items) {
        if (key == name) return &value;
    }
    return nullptr;
}

void Namespace::set(const std::string& name, Value value) {
    if (value.names() == nullptr)
        depth = deeper(depth, value);  // namespaces may hold one another in a ring: Evaluation unties it
    for (auto& [key, held] : items) {
        if (key == name) {
            held = std::move(value);
            return;
        }
    }
    items.emplace_back(name, std::move(value));
}

Value Value::list(std::vector<Value> items, List::Kind kind) {
    auto made = std::make_shared<List>();
    made->kind = kind;
    for (const Value& item : items) made->depth = deeper(made->depth, item);
    made->items = std::move(items);
    return made;
}

Value Value::from_json(const Json& json, int level) {
    if (level > kMostDepth) refuse("values are nested too deeply");
    if (json.is_null()) return nullptr;
    if (json.is_boolean()) return json.get<bool>();
    if (json.is_number_unsigned() && json.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX))
        refuse("the number " + json.dump() + " is too large");
    if (json.is_number_integer()) return json.get<std::int64_t>();
    if (json.is_number_float()) return json.get<double>();
    if (json.is_string()) return json.get<std::string>();
    if (json.is_array()) {
        std::vector<Value> items;
        for (const Json& item : json) items.push_back(from_json(item, level + 1));
        return list(std::move(items));
    }
    auto dict = std::make_shared<Dict>();
    for (const auto& [key, value] : json.items()) dict->append(Value(key), from_json(value, level + 1));
    return dict;
}

int Value::depth() const {
    if (const List* value = list()) return value->depth;
    if (const Dict* value = dict()) return value->depth;
    if (const Namespace* value = names()) return value->depth;
    if (const Callable* value = callable()) return value->depth;
    return 0;
}

std::int64_t Value::effort(bool deep) const {
    std::size_t effort = text() == nullptr ? 0 : text()->text->size() / 64;
    if (const List* value = list()) {
        effort += value->items.size() / 16;
        for (std::size_t i = 0; deep && i < value->items.size(); ++i)
            effort += 1 + static_cast<std::size_t>(value->items[i].effort());
    }
    if (const Dict* value = dict()) effort += value->items.size() / 16;
    return static_cast<std::int64_t>(effort);
}

std::optional<std::int64_t> Value::whole() const {
    if (const bool* value = boolean()) return *value ? 1 : 0;
    if (const std::int64_t* value = integer()) return *value;
    return std::nullopt;
}

std::optional<double> Value::number() const {
    if (const double* value = real()) return *value;
    if (const auto value = whole()) return static_cast<double>(*value);
    return std::nullopt;
}

std::string Value::type() const {
    static const char* const kNames[] = {"undefined", "none", "bool", "int",       "float",
                                         "str",       "list", "dict", "namespace", "function"};
    if (const List* held = list(); held != nullptr && held->kind != List::Kind::list)
        return held->kind == List::Kind::tuple ? "tuple" : "generator";
    return kNames[data_.index()];
}

bool Value::truth() const {
    if (is_undefined() || is_none()) return false;
    if (const auto value = number()) return *value != 0.0;
    if (const Text* value = text()) return !value->text->empty();
    if (const List* value = list()) return value->kind == List::Kind::lazy || !value->items.empty();
    if (const Dict* value = dict()) return !value->items.empty();
    return true;
}

namespace {

// Values share their parts, so comparing two of them can take more steps than there are values.
void count(const Value& a, const Value& b, std::int64_t& left) {
    left -= 1 + std::min(a.text() == nullptr ? 0 : a.effort(), b.text() == nullptr ? 0 : b.effort());
    if (left < 0) refuse("a comparison takes too many steps");
}

bool equal(const Value& a, const Value& b, std::int64_t& left) {
    count(a, b, left);
    if (a.whole() && b.whole()) return *a.whole() == *b.whole();
    if (a.number() && b.number()) return *a.number() == *b.number();
    if (a.text() != nullptr && b.text() != nullptr) return *a.text()->text == *b.text()->text;
    if (a.is_undefined() || a.is_none()) return a.is_undefined() ? b.is_undefined() : b.is_none();
    const auto alike = [&](const Value& x, const Value& y) { return equal(x, y, left); };
    if (a.list() != nullptr && b.list() != nullptr) {
        return a.list() == b.list() || (a.list()->kind != List::Kind::lazy && a.list()->kind == b.list()->kind &&
                                        std::equal(a.list()->items.begin(), a.list()->items.end(), b.list()->items.begin(),
                                                   b.list()->items.end(), alike));
    }
    if (a.dict() != nullptr && b.dict() != nullptr) {
        return a.dict()->items.size() == b.dict()->items.size() &&
               std::all_of(a.dict()->items.begin(), a.dict()->items.end(), [&](const auto& item) {
                   const auto other =
                       std::ranges::find_if(b.dict()->items, [&](const auto& entry) { return alike(entry.first, item.first); });
                   return other != b.dict()->items.end() && alike(item.second, other->second);
               });
    }
    if (a.names() != nullptr) return a.names() == b.names();
    return a.callable() != nullptr && a.callable() == b.callable();
}

bool less(const Value& a, const Value& b, std::int64_t& left) {
    count(a, b, left);
    if (a.whole() && b.whole()) return *a.whole() < *b.whole();
    if (a.number() && b.number()) return *a.number() < *b.number();
    if (a.text() != nullptr && b.text() != nullptr) return *a.text()->text < *b.text()->text;
    if (a.list() != nullptr && b.list() != nullptr && a.list()->kind == b.list()->kind && a.list()->kind != List::Kind::lazy) {
        const auto& x = a.list()->items;
        const auto& y = b.list()->items;
        for (std::size_t i = 0; i < std::min(x.size(), y.size()); ++i) {
            if (!equal(x[i], y[i], left)) return less(x[i], y[i], left);
        }
        return x.size() < y.size();
    }
    refuse(a.type() + " and " + b.type() + " have no order");
}

}  // namespace

bool equal(const Value& a, const Value& b) {
    std::int64_t left = kMostComparisons;
    return equal(a, b, left);
}

bool less(const Value& a, const Value& b) {
    std::int64_t left = kMostComparisons;
    return less(a, b, left);
}

bool contains(const Value& haystack, const Value& needle) {
    if (haystack.text() != nullptr) {
        if (needle.text() == nullptr) refuse("'in' of a text needs a text, not " + needle.type());
        return find_in(*haystack.text()->text, *needle.text()->text, 0) != std::string::npos;
    }
    if (const Dict* dict = haystack.dict()) return dict->find(needle) != nullptr;
    if (haystack.list() == nullptr && !haystack.is_undefined()) refuse("'in' cannot look into " + haystack.type());
    if (haystack.list() == nullptr) return false;
    std::int64_t left = kMostComparisons;
    return std::ranges::any_of(haystack.list()->items, [&](const Value& item) { return equal(item, needle, left); });
}

std::size_t find_in(std::string_view text, std::string_view part, std::size_t from) {
    if (from > text.size()) return std::string::npos;
    if (part.empty()) return from;
    const void* found = memmem(text.data() + from, text.size() - from, part.data(), part.size());
    return found == nullptr ? std::string::npos : static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

std::vector<Value> elements(const Value& value) {
    if (value.is_undefined()) return {};
    if (const List* list = value.list()) return list->items;
    std::vector<Value> items;
    if (const Dict* dict = value.dict()) {
        for (const auto& item : dict->items) items.push_back(item.first);
        return items;
    }
    if (value.text() == nullptr) refuse(value.type() + " cannot be looped over");
    const std::string& text = *value.text()->text;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t begin = at;
        next_code_point(text, at);
        if (items.size() >= kMostElements)
            refuse("a text of more than " + std::to_string(kMostElements) + " characters cannot be taken apart");
        items.emplace_back(text.substr(begin, at - begin));
    }
    return items;
}

std::int64_t length(const Value& value) {
    if (value.is_undefined()) return 0;
    if (const List* list = value.list(); list != nullptr && list->kind != List::Kind::lazy)
        return static_cast<std::int64_t>(list->items.size());
    if (const Dict* dict = value.dict()) return static_cast<std::int64_t>(dict->items.size());
    if (const Text* text = value.text()) return count_code_points(*text->text);
    refuse(value.type() + " has no length");
}

}  // namespace xlrm::jinja
