#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "value.hpp"

namespace xlrm::jinja {

//! Filters and tests of Jinja 3.1 that chat templates use, `tojson` as transformers sets it.
bool is_filter(std::string_view name);
Value apply_filter(Evaluation& evaluation, const std::string& name, const Value& input, Arguments& arguments);
bool is_test(std::string_view name);
bool apply_test(const std::string& name, const Value& input, Arguments& arguments);

//! The method of Python's str, list or dict, bound to `object`; nothing where the type has none of that name. Methods that would
//! change the object, and those that are not supported, are refused by name.
std::optional<Value> find_method(const Value& object, const std::string& name);

//! `object.name` and `object[key]`, as Jinja looks them up. Throws Error for an undefined object.
Value attribute_of(const Value& object, const std::string& name);
Value item_of(const Value& object, const Value& key);

//! Arguments by place or name, as a Python function takes them.
class Parameters {
public:
    //! Throws Error for an argument that `names` lacks.
    Parameters(Arguments& arguments, std::string function, std::initializer_list<const char*> names);
    //! nullptr where it was not given.
    const Value* operator[](std::string_view name) const;
    std::string text(std::string_view name, const std::string& otherwise) const;
    std::int64_t integer(std::string_view name, std::int64_t otherwise) const;
    bool flag(std::string_view name, bool otherwise) const;

private:
    std::string function_;
    std::vector<std::pair<std::string, Value>> given_;
};

//! Text functions of Python's str.
std::string upper(std::string_view text);
std::string lower(std::string_view text);
std::string capitalize(std::string_view text);
std::string title(std::string_view text);
//! `text` without the characters `characters` (white space if absent) at its left or right end.
std::string strip_characters(const std::string& text, const std::optional<std::string>& characters, bool left, bool right);
std::string replace_all(const std::string& text, const std::string& old, const std::string& with, std::int64_t count);
std::string escape_html(const std::string& text);
//! a + b of texts, where a safe one makes the other escaped.
Value added(const Value& a, const Value& b);

}  // namespace xlrm::jinja
