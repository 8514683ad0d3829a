#include <algorithm>
#include <cmath>

#include "evaluation.hpp"
#include "xlrm/core/utf8.hpp"

namespace xlrm::jinja {

using Kind = Node::Kind;

Value Evaluation::name(const Node& node, const ScopePtr& scope) {
    const Value* value = scope->find(node.text);
    step(static_cast<std::int64_t>(scope->names.size() / 16));
    return value != nullptr ? *value : Value(Undefined{node.text});
}

Value Evaluation::unary(const Node& node, const ScopePtr& scope) {
    const Value value = evaluate(*node.parts[0], scope);
    if (!value.number()) refuse("a sign in front of " + value.type() + " has no meaning");
    if (!value.whole()) return node.kind == Kind::negate ? -*value.number() : *value.number();
    std::int64_t negative = 0;
    if (__builtin_sub_overflow(std::int64_t{0}, *value.whole(), &negative)) refuse("a number is too large");
    return node.kind == Kind::negate ? negative : *value.whole();
}

Value Evaluation::evaluate(const Node& node, const ScopePtr& scope) {
    const Nesting nesting(depth_);
    step();
    switch (node.kind) {
        case Kind::constant:
            return node.value;
        case Kind::name:
            return name(node, scope);
        case Kind::list:
        case Kind::tuple: {
            std::vector<Value> items;
            for (const NodePtr& part : node.parts) items.push_back(evaluate(*part, scope));
            charge(items.size() * sizeof(Value));
            return Value::list(std::move(items), node.kind == Kind::list ? List::Kind::list : List::Kind::tuple);
        }
        case Kind::dict:
            return dict(node, scope);
        case Kind::attribute:
            return attribute_of(evaluate(*node.parts[0], scope), node.text);
        case Kind::item: {
            const Value object = evaluate(*node.parts[0], scope);
            const Value key = evaluate(*node.parts[1], scope);
            step((object.list() != nullptr ? 0 : object.effort()) + key.effort());
            return item_of(object, key);
        }
        case Kind::slice:
            return slice(node, scope);
        case Kind::call:
            return call_node(node, scope);
        case Kind::filter:
            return filter(node, evaluate(*node.parts[0], scope), scope);
        case Kind::test: {
            const Value input = evaluate(*node.parts[0], scope);
            Arguments given = arguments(node, scope);
            step(input.effort());
            return apply_test(node.text, input, given);
        }
        case Kind::negate:
        case Kind::plus:
            return unary(node, scope);
        case Kind::logical_not:
            return !evaluate(*node.parts[0], scope).truth();
        case Kind::binary:
            return binary(node, scope);
        case Kind::compare:
            return compare(node, scope);
        case Kind::logical_and: {
            Value left = evaluate(*node.parts[0], scope);
            return left.truth() ? evaluate(*node.parts[1], scope) : left;
        }
        case Kind::logical_or: {
            Value left = evaluate(*node.parts[0], scope);
            return left.truth() ? left : evaluate(*node.parts[1], scope);
        }
        case Kind::conditional:
            if (evaluate(*node.parts[1], scope).truth()) return evaluate(*node.parts[0], scope);
            return node.parts[2] ? evaluate(*node.parts[2], scope) : Value(Undefined{"the value of an 'if' without 'else'"});
        default:
            refuse("a statement stands where an expression is expected");
    }
}

Value Evaluation::dict(const Node& node, const ScopePtr& scope) {
    auto made = std::make_shared<Dict>();
    for (std::size_t i = 0; i < node.parts.size(); i += 2) {
        const Value key = evaluate(*node.parts[i], scope);
        if (key.list() != nullptr || key.dict() != nullptr) refuse(key.type() + " cannot be a key");
        made->set(key, evaluate(*node.parts[i + 1], scope));
        step(static_cast<std::int64_t>(made->items.size() / 16));
    }
    charge(made->items.size() * 2 * sizeof(Value));
    return made;
}

namespace {

// Where character `index` of the text begins; the text's end where it has fewer.
std::size_t place_of(const std::string& text, std::int64_t index) {
    std::size_t at = 0;
    for (; index > 0 && at < text.size(); --index) next_code_point(text, at);
    return at;
}

}  // namespace

// text[from:to], without taking the text apart.
Value Evaluation::text_slice(const Node& node, const Value& object, const ScopePtr& scope) {
    const std::string& text = *object.text()->text;
    const std::int64_t size = length(object);
    const auto place = [&](std::size_t part, std::int64_t otherwise) {
        const Value value = node.parts[part] ? evaluate(*node.parts[part], scope) : Value(nullptr);
        if (value.is_none()) return place_of(text, otherwise);
        if (!value.whole()) refuse("a slice needs whole numbers, not " + value.type());
        return place_of(text, *value.whole() < 0 ? *value.whole() + size : *value.whole());
    };
    const std::size_t begin = place(1, 0);
    const std::size_t end = place(2, size);
    Value taken(begin < end ? text.substr(begin, end - begin) : std::string());
    charge(taken);
    return taken;
}

// Python's slices: bounds from the end where negative, then clipped.
Value Evaluation::slice(const Node& node, const ScopePtr& scope) {
    const Value object = evaluate(*node.parts[0], scope);
    if (object.is_undefined()) refuse("'" + object.undefined()->name + "' is undefined");
    if (object.text() == nullptr && (object.list() == nullptr || object.list()->kind == List::Kind::lazy))
        refuse("a slice of " + object.type() + " has no meaning");
    step(object.effort());
    if (object.text() != nullptr && !node.parts[3]) return text_slice(node, object, scope);
    const std::vector<Value> items = elements(object);
    const auto size = static_cast<std::int64_t>(items.size());
    const auto bound = [&](std::size_t part, std::int64_t otherwise, std::int64_t low, std::int64_t high) {
        if (!node.parts[part]) return otherwise;
        const Value value = evaluate(*node.parts[part], scope);
        if (value.is_none()) return otherwise;
        if (!value.whole()) refuse("a slice needs whole numbers, not " + value.type());
        return std::clamp(*value.whole() < 0 ? *value.whole() + size : *value.whole(), low, high);
    };
    std::int64_t stride = 1;
    if (node.parts[3]) stride = evaluate(*node.parts[3], scope).whole().value_or(0);
    if (stride == 0) refuse("the step of a slice must be a number other than 0");
    const bool on = stride > 0;
    const std::int64_t from = bound(1, on ? 0 : size - 1, on ? 0 : -1, on ? size : size - 1);
    const std::int64_t to = bound(2, on ? size : -1, on ? 0 : -1, on ? size : size - 1);
    std::vector<Value> taken;
    const std::int64_t reach = on ? to - from : from - to;  // a stride may be far longer
    const std::int64_t turns = reach <= 0 ? 0 : (on ? (reach - 1) / stride : -((reach - 1) / stride)) + 1;
    for (std::int64_t turn = 0; turn < turns; ++turn) taken.push_back(items[static_cast<std::size_t>(from + turn * stride)]);
    charge(taken.size() * sizeof(Value));
    if (object.text() == nullptr) return Value::list(std::move(taken), object.list()->kind);
    std::string text;
    for (const Value& character : taken) text += *character.text()->text;
    charge(text.size());
    return text;
}

Arguments Evaluation::arguments(const Node& node, const ScopePtr& scope) {
    Arguments given;
    for (std::size_t i = 1; i < node.parts.size(); ++i) given.positional.push_back(evaluate(*node.parts[i], scope));
    for (const auto& [name, part] : node.named) given.named.emplace_back(name, evaluate(*part, scope));
    return given;
}

Value Evaluation::call_node(const Node& node, const ScopePtr& scope) {
    const Value function = evaluate(*node.parts[0], scope);
    Arguments given = arguments(node, scope);
    return call(function, given);
}

Value Evaluation::call(const Value& function, Arguments& given) {
    if (function.is_undefined()) refuse("'" + function.undefined()->name + "' is undefined or not supported, and is called");
    if (function.callable() == nullptr) refuse(function.type() + " cannot be called");
    if (++calls_ > 100) refuse("calls are nested too deeply");
    step(static_cast<std::int64_t>(given.positional.size() + given.named.size()));
    for (const Value& argument : given.positional) step(argument.effort());
    Value result = function.callable()->call(*this, given);
    --calls_;
    charge(result);
    return result;
}

Value Evaluation::filter(const Node& node, const Value& input, const ScopePtr& scope) {
    Arguments given = arguments(node, scope);
    step(input.effort());
    Value result = apply_filter(*this, node.text, input, given);
    charge(result);
    return result;
}

namespace {

Value repeat(const Value& text, std::int64_t count, Evaluation& evaluation) {
    const std::string& once = *text.text()->text;
    std::string all;
    evaluation.charge(once.size() * static_cast<std::size_t>(std::clamp<std::int64_t>(count, 0, 1 << 29)));
    for (std::int64_t i = 0; i < count && !once.empty(); ++i) all += once;
    return all;
}

std::int64_t whole_result(const std::string& operation, std::int64_t a, std::int64_t b) {
    std::int64_t result = 0;
    bool over = false;
    if (operation == "+")
        over = __builtin_add_overflow(a, b, &result);
    else if (operation == "-")
        over = __builtin_sub_overflow(a, b, &result);
    else if (operation == "*")
        over = __builtin_mul_overflow(a, b, &result);
    else if (b == 0)
        refuse("a division by zero");
    else if (b == -1)
        over = operation == "//" && __builtin_sub_overflow(std::int64_t{0}, a, &result);
    else if (operation == "//")
        result = a / b - ((a % b != 0 && (a < 0) != (b < 0)) ? 1 : 0);
    else
        result = (a % b != 0 && (a < 0) != (b < 0)) ? a % b + b : a % b;
    if (over) refuse("a number is too large");
    return result;
}

double real_result(const std::string& operation, double a, double b) {
    if (operation == "+") return a + b;
    if (operation == "-") return a - b;
    if (operation == "*") return a * b;
    if (b == 0.0) refuse("a division by zero");
    if (operation == "/") return a / b;
    if (operation == "//") return std::floor(a / b);
    const double rest = std::fmod(a, b);
    return rest != 0.0 && (rest < 0.0) != (b < 0.0) ? rest + b : rest;
}

}  // namespace

Value Evaluation::binary(const Node& node, const ScopePtr& scope) {
    const Value a = evaluate(*node.parts[0], scope);
    const Value b = evaluate(*node.parts[1], scope);
    const std::string& operation = node.text;
    step(a.effort() + b.effort());
    if (operation == "~" || (operation == "+" && a.text() != nullptr && b.text() != nullptr)) {
        Value text = operation == "~" ? Value(to_text(a) + to_text(b)) : added(a, b);
        charge(text.text()->text->size());
        return text;
    }
    for (const Value* side : {&a, &b}) {
        if (side->is_undefined()) refuse("'" + side->undefined()->name + "' is undefined");
    }
    if (a.whole() && b.whole() && operation != "/") return whole_result(operation, *a.whole(), *b.whole());
    if (a.number() && b.number()) return real_result(operation, *a.number(), *b.number());
    if (operation == "*" && a.text() != nullptr && b.whole()) return repeat(a, *b.whole(), *this);
    if (operation == "*" && b.text() != nullptr && a.whole()) return repeat(b, *a.whole(), *this);
    if (operation == "+" && a.list() != nullptr && b.list() != nullptr && a.list()->kind == b.list()->kind &&
        a.list()->kind != List::Kind::lazy) {
        std::vector<Value> items = a.list()->items;
        items.insert(items.end(), b.list()->items.begin(), b.list()->items.end());
        charge(items.size() * sizeof(Value));
        return Value::list(std::move(items), a.list()->kind);
    }
    refuse("'" + operation + "' of " + a.type() + " and " + b.type() + " has no meaning here");
}

bool Evaluation::compare(const Node& node, const ScopePtr& scope) {
    Value left = evaluate(*node.parts[0], scope);
    for (std::size_t i = 0; i < node.operators.size(); ++i) {
        const std::string& operation = node.operators[i];
        Value right = evaluate(*node.parts[i + 1], scope);
        step(left.effort() + right.effort());
        bool holds = false;
        if (operation == "==")
            holds = equal(left, right);
        else if (operation == "!=")
            holds = !equal(left, right);
        else if (operation == "in")
            holds = contains(right, left);
        else if (operation == "not in")
            holds = !contains(right, left);
        else if (operation == "<")
            holds = less(left, right);
        else if (operation == ">")
            holds = less(right, left);
        else if (operation == "<=")
            holds = less(left, right) || equal(left, right);
        else
            holds = less(right, left) || equal(left, right);
        if (!holds) return false;
        left = std::move(right);
    }
    return true;
}

}  // namespace xlrm::jinja
