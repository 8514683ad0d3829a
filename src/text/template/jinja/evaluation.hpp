#pragma once

#include <memory>
#include <string>

#include "library.hpp"
#include "syntax.hpp"

namespace xlrm::jinja {

//! Names of one block; a loop's body, a macro and a set block have their own, an `if` has not.
struct Scope {
    std::shared_ptr<Scope> parent;
    std::vector<std::pair<std::string, Value>> names;
    const Value* find(std::string_view name) const;
    void set(const std::string& name, Value value);
};
using ScopePtr = std::shared_ptr<Scope>;

//! An expression or a block within others, whose number is limited: macros can call one another.
class Nesting {
public:
    explicit Nesting(int& depth) : depth_(depth) {
        if (++depth_ > 1000) refuse("it is nested too deeply");
    }
    ~Nesting() { --depth_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;

private:
    int& depth_;
};

//! One rendering of a template. Limits: 10 million steps (a turn of a loop counts 20, looking at long values more than one), 256
//! MiB of texts and lists made, 100 calls and 1000 expressions deep.
class Evaluation {
public:
    explicit Evaluation(const std::string& where) : where_(where) {}
    ~Evaluation();
    Evaluation(const Evaluation&) = delete;
    Evaluation& operator=(const Evaluation&) = delete;
    std::string run(const Body& body, ScopePtr scope);

    Value call(const Value& function, Arguments& arguments);
    //! Counts text that was made, and throws Error beyond the limit.
    void charge(std::size_t bytes);
    //! Counts steps, and throws Error beyond the limit.
    void step(std::int64_t count = 1);
    //! A new namespace. They may hold one another in rings and long chains, which are taken apart at the end.
    std::shared_ptr<Namespace> make_namespace();

private:
    enum class Flow { on, stop, next };
    Flow execute(const Body& body, const ScopePtr& scope, std::string& out);
    Flow statement(const Node& node, const ScopePtr& scope, std::string& out);
    Flow branch(const Node& node, const ScopePtr& scope, std::string& out);
    Flow loop(const Node& node, const ScopePtr& scope, std::string& out);
    void define_macro(const Node& node, const ScopePtr& scope);
    void assign(const Node& target, const Value& value, const ScopePtr& scope);
    std::string block_text(const Body& body, const ScopePtr& scope);

    Value evaluate(const Node& node, const ScopePtr& scope);
    Value dict(const Node& node, const ScopePtr& scope);
    Value slice(const Node& node, const ScopePtr& scope);
    Value text_slice(const Node& node, const Value& object, const ScopePtr& scope);
    Value call_node(const Node& node, const ScopePtr& scope);
    Value filter(const Node& node, const Value& input, const ScopePtr& scope);
    Value set_filters(const Node* node, Value input, const ScopePtr& scope);
    Value binary(const Node& node, const ScopePtr& scope);
    bool compare(const Node& node, const ScopePtr& scope);
    Value unary(const Node& node, const ScopePtr& scope);
    Value name(const Node& node, const ScopePtr& scope);
    Arguments arguments(const Node& node, const ScopePtr& scope);
    void charge(const Value& value);

    const std::string& where_;
    std::int64_t steps_ = 0;
    std::size_t bytes_ = 0;
    int calls_ = 0;
    int depth_ = 0;
    int line_ = 0;
    std::vector<std::shared_ptr<Namespace>> namespaces_;
};

}  // namespace xlrm::jinja
