#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "value.hpp"

namespace xlrm::jinja {

struct Node;
using NodePtr = std::unique_ptr<Node>;
using Body = std::vector<NodePtr>;

//! A node of the syntax tree; what its parts are stands beside each kind.
struct Node {
    enum class Kind {
        // Expressions.
        constant,  // value
        name,      // text
        list,
        tuple,      // parts
        dict,       // parts: key, value, key, value …
        attribute,  // parts[0] . text
        item,       // parts[0] [ parts[1] ]
        slice,      // parts[0] [ parts[1] : parts[2] : parts[3] ], absent ones are null
        call,       // parts[0] ( parts[1 …], named )
        filter,     // parts[0] | text ( parts[1 …], named ); parts[0] is null for the text of a set block
        test,       // parts[0] is text ( parts[1 …], named )
        negate,
        plus,
        logical_not,  // parts[0]
        binary,       // parts[0] text parts[1]: + - * / // % ** ~
        compare,      // parts[0] operators[0] parts[1] operators[1] parts[2] …
        logical_and,
        logical_or,   // parts[0], parts[1]
        conditional,  // parts[0] if parts[1] else parts[2], which may be null
        // Statements.
        data,       // value
        output,     // parts[0]
        branch,     // parts[i] → bodies[i]; one more body is the else
        loop,       // for parts[0] in parts[1] if parts[2] (may be null): bodies[0], else bodies[1]
        set,        // parts[0] = parts[1]
        set_block,  // parts[0] = bodies[0], through the filter parts[1] (may be null)
        macro,      // text, named: parameters with defaults (may be null), bodies[0]
        scope,      // bodies[0] with names of its own
        stop,
        next,  // break, continue
    };
    Kind kind;
    int line = 0;
    int height = 1;  //!< of an expression: how many lie in one another, itself included
    std::string text;
    Value value;
    std::vector<NodePtr> parts;
    std::vector<std::string> operators;
    std::vector<std::pair<std::string, NodePtr>> named;
    std::vector<Body> bodies;
};

//! Throws Error naming `where`, the line and the construct that is wrong or not supported.
Body parse(const std::string& source, const std::string& where);

}  // namespace xlrm::jinja
