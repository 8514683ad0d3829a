#include <algorithm>
#include <charconv>
#include <cmath>

#include "evaluation.hpp"
#include "xlrm/core/utf8.hpp"

namespace xlrm::jinja {
namespace {

using Filter = Value (*)(Evaluation& evaluation, const Value& input, Arguments& arguments);

// attribute="a.b.0": looked up part by part.
Value by_path(const Value& item, const Value& path) {
    if (path.whole()) return item_of(item, path);
    if (path.text() == nullptr) refuse("an attribute is named by a text, not " + path.type());
    Value value = item;
    const std::string& names = *path.text()->text;
    for (std::size_t at = 0; at <= names.size();) {
        const std::size_t end = std::min(names.find('.', at), names.size());
        const std::string name = names.substr(at, end - at);
        const bool number = !name.empty() && name.find_first_not_of("0123456789") == std::string::npos && name.size() < 10;
        value = number ? item_of(value, static_cast<std::int64_t>(std::stoll(name))) : item_of(value, Value(name));
        at = end + 1;
    }
    return value;
}

// select, reject, selectattr, rejectattr: [attribute,] [test, [arguments of the test …]].
Value choose(Evaluation& evaluation, const Value& input, Arguments& arguments, bool by_attribute, bool wanted) {
    evaluation.step(input.effort(true));
    std::vector<Value> rest = arguments.positional;
    Value path;
    if (by_attribute) {
        if (rest.empty()) refuse("selectattr and rejectattr need an attribute");
        path = rest.front();
        rest.erase(rest.begin());
    }
    std::string test;
    if (!rest.empty()) {
        if (rest.front().text() == nullptr || !is_test(*rest.front().text()->text))
            refuse("the test " + repr(rest.front()) + " is not supported");
        test = *rest.front().text()->text;
        rest.erase(rest.begin());
    }
    std::vector<Value> kept;
    for (const Value& item : elements(input)) {
        const Value value = by_attribute ? by_path(item, path) : item;
        Arguments given{rest, arguments.named};
        if ((test.empty() ? value.truth() : apply_test(test, value, given)) == wanted) kept.push_back(item);
    }
    return Value::list(std::move(kept), List::Kind::lazy);
}

Value map(Evaluation& evaluation, const Value& input, Arguments& arguments) {
    std::vector<Value> made;
    if (arguments.positional.empty()) {
        const Parameters given(arguments, "map", {"attribute", "default"});
        if (given["attribute"] == nullptr) refuse("map needs a filter or an attribute");
        for (const Value& item : elements(input)) {
            const Value value = by_path(item, *given["attribute"]);
            made.push_back(value.is_undefined() && given["default"] != nullptr ? *given["default"] : value);
        }
    } else {
        const Value& name = arguments.positional.front();
        if (name.text() == nullptr || !is_filter(*name.text()->text)) refuse("the filter " + repr(name) + " is not supported");
        for (const Value& item : elements(input)) {
            Arguments given{{arguments.positional.begin() + 1, arguments.positional.end()}, arguments.named};
            evaluation.step(item.effort());
            made.push_back(apply_filter(evaluation, *name.text()->text, item, given));
            if (made.back().text() != nullptr) evaluation.charge(made.back().text()->text->size());
        }
    }
    return Value::list(std::move(made), List::Kind::lazy);
}

Value join(Evaluation& evaluation, const Value& input, Arguments& arguments) {
    const Parameters given(arguments, "join", {"d", "attribute"});
    const std::string separator = given["d"] != nullptr ? to_text(*given["d"]) : "";
    std::string all;
    bool first = true;
    for (const Value& item : elements(input)) {
        const std::string part = to_text(given["attribute"] != nullptr ? by_path(item, *given["attribute"]) : item);
        evaluation.charge(separator.size() + part.size());
        all += (first ? "" : separator) + part;
        first = false;
    }
    return all;
}

Value tojson(Evaluation&, const Value& input, Arguments& arguments) {
    const Parameters given(arguments, "tojson", {"ensure_ascii", "indent", "separators", "sort_keys"});
    JsonStyle style;
    style.ascii = given.flag("ensure_ascii", false);
    style.sort_keys = given.flag("sort_keys", false);
    if (const Value* indent = given["indent"]; indent != nullptr && !indent->is_none()) {
        if (indent->text() != nullptr)
            style.indent = *indent->text()->text;
        else
            style.indent =
                std::string(static_cast<std::size_t>(std::clamp<std::int64_t>(given.integer("indent", 0), 0, 100)), ' ');
        style.comma = ",";
    }
    if (const Value* pair = given["separators"]; pair != nullptr && !pair->is_none()) {
        const auto items = elements(*pair);
        if (items.size() != 2 || items[0].text() == nullptr || items[1].text() == nullptr)
            refuse("tojson: 'separators' must be two texts");
        style.comma = *items[0].text()->text;
        style.colon = *items[1].text()->text;
    }
    return to_json(input, style);
}

// Texts are compared without case unless it is asked for.
Value order_key(Evaluation& evaluation, const Value& value, bool case_sensitive) {
    evaluation.step(value.effort());
    return value.text() != nullptr && !case_sensitive ? Value(lower(*value.text()->text)) : value;
}

Value dictsort(Evaluation& evaluation, const Value& input, Arguments& arguments) {
    const Parameters given(arguments, "dictsort", {"case_sensitive", "by", "reverse"});
    if (input.dict() == nullptr) refuse("dictsort needs a dict, not " + input.type());
    const std::string by = given.text("by", "key");
    if (by != "key" && by != "value") refuse("dictsort sorts by 'key' or 'value', not '" + by + "'");
    const bool sensitive = given.flag("case_sensitive", false);
    const bool reverse = given.flag("reverse", false);
    auto items = input.dict()->items;
    std::stable_sort(items.begin(), items.end(), [&](const auto& a, const auto& b) {
        const Value x = order_key(evaluation, by == "key" ? a.first : a.second, sensitive);
        const Value y = order_key(evaluation, by == "key" ? b.first : b.second, sensitive);
        return reverse ? less(y, x) : less(x, y);
    });
    std::vector<Value> pairs;
    for (auto& [key, value] : items) pairs.push_back(Value::list({key, value}, List::Kind::tuple));
    return Value::list(std::move(pairs));
}

Value sort(Evaluation& evaluation, const Value& input, Arguments& arguments) {
    const Parameters given(arguments, "sort", {"reverse", "case_sensitive", "attribute"});
    const bool sensitive = given.flag("case_sensitive", false);
    const bool reverse = given.flag("reverse", false);
    auto items = elements(input);
    std::stable_sort(items.begin(), items.end(), [&](const Value& a, const Value& b) {
        const Value* path = given["attribute"];
        const Value x = order_key(evaluation, path != nullptr ? by_path(a, *path) : a, sensitive);
        const Value y = order_key(evaluation, path != nullptr ? by_path(b, *path) : b, sensitive);
        return reverse ? less(y, x) : less(x, y);
    });
    return Value::list(std::move(items));
}

Value unique(Evaluation& evaluation, const Value& input, Arguments& arguments) {
    const Parameters given(arguments, "unique", {"case_sensitive", "attribute"});
    std::vector<Value> seen;
    std::vector<Value> kept;
    for (const Value& item : elements(input)) {
        const Value key = order_key(evaluation, given["attribute"] != nullptr ? by_path(item, *given["attribute"]) : item,
                                    given.flag("case_sensitive", false));
        evaluation.step(static_cast<std::int64_t>(seen.size() / 4));
        if (std::any_of(seen.begin(), seen.end(), [&](const Value& other) { return equal(other, key); })) continue;
        seen.push_back(key);
        kept.push_back(item);
    }
    return Value::list(std::move(kept), List::Kind::lazy);
}

Value reverse(Evaluation&, const Value& input, Arguments&) {
    auto items = elements(input);
    std::reverse(items.begin(), items.end());
    if (input.text() == nullptr) return Value::list(std::move(items), List::Kind::lazy);
    std::string text;
    for (const Value& item : items) text += *item.text()->text;
    return text;
}

Value default_value(Evaluation&, const Value& input, Arguments& arguments) {
    const Parameters given(arguments, "default", {"default_value", "boolean"});
    const bool absent = input.is_undefined() || (given.flag("boolean", false) && !input.truth());
    if (!absent) return input;
    return given["default_value"] != nullptr ? *given["default_value"] : Value(std::string());
}

Value to_integer(Evaluation&, const Value& input, Arguments& arguments) {
    const Parameters given(arguments, "int", {"default"});
    if (input.whole()) return *input.whole();
    if (input.number() && std::abs(*input.number()) < 9e18) return static_cast<std::int64_t>(*input.number());
    if (input.text() == nullptr) return given.integer("default", 0);
    std::string text = strip_characters(*input.text()->text, std::nullopt, true, true);
    if (text.starts_with('+')) text.erase(0, 1);
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || !(std::abs(value) < 9e15)) return given.integer("default", 0);
    return static_cast<std::int64_t>(value);
}

Value to_real(Evaluation&, const Value& input, Arguments& arguments) {
    const Parameters given(arguments, "float", {"default"});
    const Value otherwise = given["default"] != nullptr ? *given["default"] : Value(0.0);
    if (input.number()) return *input.number();
    if (input.text() == nullptr) return otherwise;
    const std::string text = strip_characters(*input.text()->text, std::nullopt, true, true);
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() && !text.empty() ? Value(value) : otherwise;
}

Value trim(Evaluation&, const Value& input, Arguments& arguments) {
    const Parameters given(arguments, "trim", {"chars"});
    std::optional<std::string> characters;
    if (given["chars"] != nullptr && !given["chars"]->is_none()) characters = given.text("chars", "");
    return {strip_characters(to_text(input), characters, true, true), input.text() != nullptr && input.text()->safe};
}

Value replace(Evaluation&, const Value& input, Arguments& arguments) {
    const Parameters given(arguments, "replace", {"old", "new", "count"});
    if (given["old"] == nullptr || given["new"] == nullptr) refuse("replace needs two texts");
    const bool all = given["count"] == nullptr || given["count"]->is_none();
    return replace_all(to_text(input), to_text(*given["old"]), to_text(*given["new"]), all ? -1 : given.integer("count", -1));
}

// indent(width, first, blank): every line but the first, blank ones only if asked for.
Value indent(Evaluation&, const Value& input, Arguments& arguments) {
    const Parameters given(arguments, "indent", {"width", "first", "blank"});
    std::string margin(4, ' ');
    if (const Value* width = given["width"])
        margin = width->text() != nullptr
                     ? *width->text()->text
                     : std::string(static_cast<std::size_t>(std::clamp<std::int64_t>(given.integer("width", 4), 0, 1000)), ' ');
    const std::string text = to_text(input);
    const bool blank = given.flag("blank", false);
    std::string out = given.flag("first", false) ? margin : "";
    for (std::size_t at = 0; at < text.size(); ++at) {
        out += text[at];
        require_short(out.size());
        if (text[at] == '\n' && (blank || (at + 1 < text.size() && text[at + 1] != '\n'))) out += margin;
    }
    return out;
}

Value first_or_last(const Value& input, bool first) {
    const auto items = elements(input);
    if (items.empty()) return Undefined{first ? "the first element of nothing" : "the last element of nothing"};
    return first ? items.front() : items.back();
}

Value items_of(Evaluation&, const Value& input, Arguments&) {
    if (input.is_undefined()) return Value::list({}, List::Kind::lazy);
    if (input.dict() == nullptr) refuse("items needs a dict, not " + input.type());
    std::vector<Value> pairs;
    for (const auto& [key, value] : input.dict()->items) pairs.push_back(Value::list({key, value}, List::Kind::tuple));
    return Value::list(std::move(pairs), List::Kind::lazy);
}

Value absolute(Evaluation&, const Value& input, Arguments&) {
    if (input.whole() && *input.whole() == INT64_MIN) refuse("a number is too large");
    if (input.whole()) return std::abs(*input.whole());
    if (!input.number()) refuse("abs needs a number, not " + input.type());
    return std::abs(*input.number());
}

Value extreme(Evaluation& evaluation, const Value& input, bool smallest) {
    const auto items = elements(input);
    if (items.empty()) return Undefined{"the extreme of nothing"};
    const auto before = [&](const Value& a, const Value& b) {
        return less(order_key(evaluation, a, false), order_key(evaluation, b, false));
    };
    return smallest ? *std::min_element(items.begin(), items.end(), before)
                    : *std::max_element(items.begin(), items.end(), before);
}

const std::vector<std::pair<std::string_view, Filter>>& filters() {
    static const std::vector<std::pair<std::string_view, Filter>> list = {
        {"trim", trim},
        {"tojson", tojson},
        {"length", [](Evaluation&, const Value& v, Arguments&) -> Value { return length(v); }},
        {"count", [](Evaluation&, const Value& v, Arguments&) -> Value { return length(v); }},
        {"join", join},
        {"replace", replace},
        {"string", [](Evaluation&, const Value& v, Arguments&) -> Value { return v.text() != nullptr ? v : Value(to_text(v)); }},
        {"default", default_value},
        {"d", default_value},
        {"upper", [](Evaluation&, const Value& v, Arguments&) -> Value { return upper(to_text(v)); }},
        {"lower", [](Evaluation&, const Value& v, Arguments&) -> Value { return lower(to_text(v)); }},
        {"capitalize", [](Evaluation&, const Value& v, Arguments&) -> Value { return capitalize(to_text(v)); }},
        {"first", [](Evaluation&, const Value& v, Arguments&) { return first_or_last(v, true); }},
        {"last", [](Evaluation&, const Value& v, Arguments&) { return first_or_last(v, false); }},
        {"list", [](Evaluation&, const Value& v, Arguments&) { return Value::list(elements(v)); }},
        {"items", items_of},
        {"dictsort", dictsort},
        {"sort", sort},
        {"unique", unique},
        {"reverse", reverse},
        {"select", [](Evaluation& e, const Value& v, Arguments& a) { return choose(e, v, a, false, true); }},
        {"reject", [](Evaluation& e, const Value& v, Arguments& a) { return choose(e, v, a, false, false); }},
        {"selectattr", [](Evaluation& e, const Value& v, Arguments& a) { return choose(e, v, a, true, true); }},
        {"rejectattr", [](Evaluation& e, const Value& v, Arguments& a) { return choose(e, v, a, true, false); }},
        {"map", map},
        {"int", to_integer},
        {"float", to_real},
        {"abs", absolute},
        {"min", [](Evaluation& e, const Value& v, Arguments&) { return extreme(e, v, true); }},
        {"max", [](Evaluation& e, const Value& v, Arguments&) { return extreme(e, v, false); }},
        {"indent", indent},
        {"safe",
         [](Evaluation&, const Value& v, Arguments&) -> Value {
             return {to_text(v), true};
         }},
        {"escape",
         [](Evaluation&, const Value& v, Arguments&) -> Value {
             return v.text() != nullptr && v.text()->safe ? v : Value(escape_html(to_text(v)), true);
         }},
        {"e",
         [](Evaluation&, const Value& v, Arguments&) -> Value {
             return v.text() != nullptr && v.text()->safe ? v : Value(escape_html(to_text(v)), true);
         }},
    };
    return list;
}

}  // namespace

bool is_filter(std::string_view name) {
    return std::any_of(filters().begin(), filters().end(), [name](const auto& filter) { return filter.first == name; });
}

Value apply_filter(Evaluation& evaluation, const std::string& name, const Value& input, Arguments& arguments) {
    for (const auto& [known, filter] : filters()) {
        if (known == name) return filter(evaluation, input, arguments);
    }
    refuse("the filter '" + name + "' is not supported");
}

}  // namespace xlrm::jinja
