#include "evaluation.hpp"

#include "xlrm/core/error.hpp"

namespace xlrm::jinja {

using Kind = Node::Kind;

const Value* Scope::find(std::string_view name) const {
    for (const Scope* scope = this; scope != nullptr; scope = scope->parent.get()) {
        for (const auto& [key, value] : scope->names) {
            if (key == name) return &value;
        }
    }
    return nullptr;
}

void Scope::set(const std::string& name, Value value) {
    for (auto& [key, held] : names) {
        if (key == name) {
            held = std::move(value);
            return;
        }
    }
    names.emplace_back(name, std::move(value));
}

void Evaluation::step(std::int64_t count) {
    steps_ += count;
    if (steps_ > 10'000'000) refuse("it takes more than 10 million steps");
}

Evaluation::~Evaluation() {
    for (const auto& names : namespaces_) names->items.clear();
}

std::shared_ptr<Namespace> Evaluation::make_namespace() {
    namespaces_.push_back(std::make_shared<Namespace>());
    return namespaces_.back();
}

void Evaluation::charge(const Value& value) {
    if (value.text() != nullptr) charge(value.text()->text->size());
    if (value.list() != nullptr) charge(value.list()->items.size() * sizeof(Value));
    if (value.dict() != nullptr) charge(value.dict()->items.size() * 2 * sizeof(Value));
}

void Evaluation::charge(std::size_t bytes) {
    bytes_ += bytes;
    if (bytes_ > (std::size_t{1} << 28U)) refuse("it makes more than 256 MiB of texts and lists");
}

std::string Evaluation::run(const Body& body, ScopePtr scope) {
    std::string out;
    try {
        execute(body, scope, out);
    } catch (const Error& error) {
        fail(where_ + ":" + std::to_string(line_) + ": " + error.what());
    }
    return out;
}

Evaluation::Flow Evaluation::execute(const Body& body, const ScopePtr& scope, std::string& out) {
    const Nesting nesting(depth_);
    for (const NodePtr& node : body) {
        if (const Flow flow = statement(*node, scope, out); flow != Flow::on) return flow;
    }
    return Flow::on;
}

Evaluation::Flow Evaluation::statement(const Node& node, const ScopePtr& scope, std::string& out) {
    step();
    line_ = node.line;
    switch (node.kind) {
        case Kind::data: {
            charge(node.value.text()->text->size());
            out += *node.value.text()->text;
            return Flow::on;
        }
        case Kind::output: {
            const std::string text = to_text(evaluate(*node.parts[0], scope));
            charge(text.size());
            out += text;
            return Flow::on;
        }
        case Kind::branch:
            return branch(node, scope, out);
        case Kind::loop:
            return loop(node, scope, out);
        case Kind::set:
            assign(*node.parts[0], evaluate(*node.parts[1], scope), scope);
            return Flow::on;
        case Kind::set_block:
            assign(*node.parts[0], set_filters(node.parts[1].get(), block_text(node.bodies[0], scope), scope), scope);
            return Flow::on;
        case Kind::macro:
            define_macro(node, scope);
            return Flow::on;
        case Kind::scope:
            out += block_text(node.bodies[0], scope);
            return Flow::on;
        case Kind::stop:
            return Flow::stop;
        case Kind::next:
            return Flow::next;
        default:
            refuse("an expression stands where a statement is expected");
    }
}

std::string Evaluation::block_text(const Body& body, const ScopePtr& scope) {
    std::string text;
    execute(body, std::make_shared<Scope>(Scope{scope, {}}), text);
    return text;
}

// The filters of a set block hang on one another, the first has no input of its own.
Value Evaluation::set_filters(const Node* node, Value input, const ScopePtr& scope) {
    if (node == nullptr) return input;
    return filter(*node, set_filters(node->parts[0].get(), std::move(input), scope), scope);
}

Evaluation::Flow Evaluation::branch(const Node& node, const ScopePtr& scope, std::string& out) {
    for (std::size_t i = 0; i < node.parts.size(); ++i) {
        if (evaluate(*node.parts[i], scope).truth()) return execute(node.bodies[i], scope, out);
    }
    return node.bodies.size() > node.parts.size() ? execute(node.bodies.back(), scope, out) : Flow::on;
}

namespace {

Value loop_state(const std::vector<Value>& items, std::size_t i, int depth) {
    auto loop = std::make_shared<Namespace>();
    loop->writable = false;
    const auto at = static_cast<std::int64_t>(i);
    const auto size = static_cast<std::int64_t>(items.size());
    auto cycle = std::make_shared<Callable>(Callable{"cycle", [i](Evaluation&, Arguments& arguments) -> Value {
                                                         if (arguments.positional.empty()) refuse("loop.cycle needs values");
                                                         return arguments.positional[i % arguments.positional.size()];
                                                     }});
    loop->items = {{"index0", at},
                   {"index", at + 1},
                   {"first", i == 0},
                   {"last", i + 1 == items.size()},
                   {"length", size},
                   {"revindex", size - at},
                   {"revindex0", size - at - 1},
                   {"previtem", i > 0 ? items[i - 1] : Value(Undefined{"loop.previtem"})},
                   {"nextitem", i + 1 < items.size() ? items[i + 1] : Value(Undefined{"loop.nextitem"})},
                   {"depth", std::int64_t{depth}},
                   {"depth0", std::int64_t{depth - 1}},
                   {"cycle", std::move(cycle)}};
    return loop;
}

}  // namespace

Evaluation::Flow Evaluation::loop(const Node& node, const ScopePtr& scope, std::string& out) {
    const Value over = evaluate(*node.parts[1], scope);
    step(over.effort());
    std::vector<Value> items = elements(over);
    if (node.parts[2]) {
        std::vector<Value> kept;
        for (Value& item : items) {
            step();
            const auto inner = std::make_shared<Scope>(Scope{scope, {}});
            assign(*node.parts[0], item, inner);
            if (evaluate(*node.parts[2], inner).truth()) kept.push_back(std::move(item));
        }
        items = std::move(kept);
    }
    for (std::size_t i = 0; i < items.size(); ++i) {
        step(20);  // what a loop keeps of itself costs as much as twenty expressions
        const auto inner = std::make_shared<Scope>(Scope{scope, {}});
        inner->set("loop", loop_state(items, i, 1));
        assign(*node.parts[0], items[i], inner);
        if (execute(node.bodies[0], inner, out) == Flow::stop) break;
    }
    if (items.empty() && node.bodies.size() > 1) return execute(node.bodies[1], std::make_shared<Scope>(Scope{scope, {}}), out);
    return Flow::on;
}

void Evaluation::assign(const Node& target, const Value& value, const ScopePtr& scope) {
    if (target.kind == Kind::name) return scope->set(target.text, value);
    if (target.kind == Kind::tuple) {
        const std::vector<Value> items = elements(value);
        if (items.size() != target.parts.size()) {
            refuse(std::to_string(target.parts.size()) + " names cannot take " + std::to_string(items.size()) + " values");
        }
        for (std::size_t i = 0; i < items.size(); ++i) assign(*target.parts[i], items[i], scope);
        return;
    }
    const Value object = evaluate(*target.parts[0], scope);
    if (object.names() == nullptr || !object.names()->writable)
        refuse("attribute '" + target.text + "' of what is no namespace cannot be set");
    if (target.text.starts_with('_')) refuse("a namespace cannot have an attribute '" + target.text + "'");
    object.names()->set(target.text, value);
}

void Evaluation::define_macro(const Node& node, const ScopePtr& scope) {
    // The scope holds the macro, so the macro must not hold the scope.
    const std::weak_ptr<Scope> defined_in = scope;
    const auto body = [&node, defined_in](Evaluation& evaluation, Arguments& given) -> Value {
        const auto outer = defined_in.lock();
        if (!outer) refuse("macro '" + node.text + "' is called outside of the block that defines it");
        const auto inner = std::make_shared<Scope>(Scope{outer, {}});
        if (given.positional.size() > node.named.size())
            refuse("macro '" + node.text + "' takes no more than " + std::to_string(node.named.size()) + " arguments");
        for (const auto& [name, value] : given.named) {
            bool known = false;
            for (std::size_t i = given.positional.size(); i < node.named.size(); ++i)
                known = known || node.named[i].first == name;
            if (!known) refuse("macro '" + node.text + "' takes no argument '" + name + "'");
        }
        for (std::size_t i = 0; i < node.named.size(); ++i) {
            const auto& [name, otherwise] = node.named[i];
            Value value = Undefined{name};
            bool found = i < given.positional.size();
            if (found) value = given.positional[i];
            for (const auto& [key, held] : given.named) {
                if (key != name) continue;
                value = held;
                found = true;
            }
            if (!found && otherwise) value = evaluation.evaluate(*otherwise, inner);
            inner->set(name, value);
        }
        std::string text;
        evaluation.execute(node.bodies[0], inner, text);
        return text;
    };
    scope->set(node.text, std::make_shared<Callable>(Callable{node.text, body}));
}

}  // namespace xlrm::jinja
