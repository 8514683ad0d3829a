#include <algorithm>

#include "library.hpp"

namespace xlrm::jinja {
namespace {

using Test = bool (*)(const Value& input, const Value* argument);

const Value& needed(const Value* argument) {
    if (argument == nullptr) refuse("a test needs something to compare with");
    return *argument;
}

std::int64_t whole(const Value& value) {
    if (!value.whole()) refuse("a test of divisibility needs a whole number, not " + value.type());
    return *value.whole();
}

bool divisible(const Value& value, std::int64_t by) {
    if (by == 0) refuse("a division by zero");
    return whole(value) % by == 0;
}

bool text_is(const Value& value, std::string (*form)(std::string_view)) {
    const std::string text = to_text(value);
    const std::string other = form == &upper ? lower(text) : upper(text);
    return form(text) == text && other != text;
}

// Everything that Python could loop over or index; an undefined value is an empty sequence.
bool iterable(const Value& value) {
    return value.is_undefined() || value.text() != nullptr || value.list() != nullptr || value.dict() != nullptr;
}
bool sequence(const Value& value) {
    return iterable(value) && (value.list() == nullptr || value.list()->kind != List::Kind::lazy);
}
bool same(const Value& a, const Value* b) { return equal(a, needed(b)); }
bool below(const Value& a, const Value* b) { return less(a, needed(b)); }
bool above(const Value& a, const Value* b) { return less(needed(b), a); }

const std::vector<std::pair<std::string_view, Test>>& tests() {
    static const std::vector<std::pair<std::string_view, Test>> list = {
        {"defined", [](const Value& v, const Value*) { return !v.is_undefined(); }},
        {"undefined", [](const Value& v, const Value*) { return v.is_undefined(); }},
        {"none", [](const Value& v, const Value*) { return v.is_none(); }},
        {"string", [](const Value& v, const Value*) { return v.text() != nullptr; }},
        {"mapping", [](const Value& v, const Value*) { return v.dict() != nullptr; }},
        {"iterable", [](const Value& v, const Value*) { return iterable(v); }},
        {"sequence", [](const Value& v, const Value*) { return sequence(v); }},
        {"number", [](const Value& v, const Value*) { return v.number().has_value(); }},
        {"integer", [](const Value& v, const Value*) { return v.integer() != nullptr; }},
        {"float", [](const Value& v, const Value*) { return v.real() != nullptr; }},
        {"boolean", [](const Value& v, const Value*) { return v.boolean() != nullptr; }},
        {"true", [](const Value& v, const Value*) { return v.boolean() != nullptr && *v.boolean(); }},
        {"false", [](const Value& v, const Value*) { return v.boolean() != nullptr && !*v.boolean(); }},
        {"callable", [](const Value& v, const Value*) { return v.callable() != nullptr; }},
        {"odd", [](const Value& v, const Value*) { return whole(v) % 2 != 0; }},
        {"even", [](const Value& v, const Value*) { return whole(v) % 2 == 0; }},
        {"divisibleby", [](const Value& v, const Value* by) { return divisible(v, whole(needed(by))); }},
        {"lower", [](const Value& v, const Value*) { return text_is(v, &lower); }},
        {"upper", [](const Value& v, const Value*) { return text_is(v, &upper); }},
        {"in", [](const Value& v, const Value* list_of) { return contains(needed(list_of), v); }},
        {"eq", same},
        {"equalto", same},
        {"ne", [](const Value& a, const Value* b) { return !equal(a, needed(b)); }},
        {"lt", below},
        {"lessthan", below},
        {"gt", above},
        {"greaterthan", above},
        {"le", [](const Value& a, const Value* b) { return below(a, b) || same(a, b); }},
        {"ge", [](const Value& a, const Value* b) { return above(a, b) || same(a, b); }},
    };
    return list;
}

}  // namespace

bool is_test(std::string_view name) {
    return std::any_of(tests().begin(), tests().end(), [name](const auto& test) { return test.first == name; });
}

bool apply_test(const std::string& name, const Value& input, Arguments& arguments) {
    if (!arguments.named.empty() || arguments.positional.size() > 1)
        refuse("the test '" + name + "' takes no more than one value");
    for (const auto& [known, test] : tests()) {
        if (known == name) return test(input, arguments.positional.empty() ? nullptr : &arguments.positional.front());
    }
    refuse("the test '" + name + "' is not supported");
}

}  // namespace xlrm::jinja
