#include "parser.hpp"

#include <algorithm>

#include "xlrm/core/error.hpp"

namespace xlrm::jinja {

using Kind = Node::Kind;

void Parser::refuse(const std::string& what) const { fail(where_ + ":" + std::to_string(token().line) + ": " + what); }

std::string Parser::shown() const {
    switch (token().kind) {
        case Token::Kind::end:
            return "the end of the template";
        case Token::Kind::block_end:
            return "'%}'";
        case Token::Kind::variable_end:
            return "'}}'";
        default:
            return "'" + token().text + "'";
    }
}

bool Parser::accept(Token::Kind kind, std::string_view text) {
    if (!is(kind, text)) return false;
    take();
    return true;
}

void Parser::expect_op(std::string_view text) {
    if (!accept_op(text)) refuse("'" + std::string(text) + "' is expected, not " + shown());
}

void Parser::expect_name(std::string_view text) {
    if (!accept_name(text)) refuse("'" + std::string(text) + "' is expected, not " + shown());
}

void Parser::expect_block_end() {
    if (token().kind != Token::Kind::block_end) refuse("'%}' is expected, not " + shown());
    take();
}

std::string Parser::expect_any_name(const char* what) {
    if (token().kind != Token::Kind::name) refuse(std::string(what) + " is expected, not " + shown());
    return take().text;
}

NodePtr Parser::make(Kind kind, std::string text) const {
    auto node = std::make_unique<Node>();
    node->kind = kind;
    node->line = token().line;
    node->text = std::move(text);
    return node;
}

NodePtr Parser::whole(NodePtr node) const {
    for (const NodePtr& part : node->parts) {
        if (part) node->height = std::max(node->height, part->height + 1);
    }
    for (const auto& [name, part] : node->named) node->height = std::max(node->height, part->height + 1);
    if (node->height > 300) refuse("an expression is too long");
    return node;
}

Body Parser::document() {
    Body all = body({});
    if (token().kind != Token::Kind::end) refuse("'{% " + tokens_[at_ + 1].text + " %}' has no beginning");
    return all;
}

// Up to a block whose name is among `ends` (its '{%' is still to be read), or the end.
Body Parser::body(std::initializer_list<std::string_view> ends) {
    const Depth depth(*this);
    Body nodes;
    for (;;) {
        if (token().kind == Token::Kind::data) {
            auto node = make(Kind::data);
            node->value = take().text;
            nodes.push_back(std::move(node));
        } else if (token().kind == Token::Kind::variable_begin) {
            take();
            auto node = make(Kind::output);
            node->parts.push_back(tuple(true));
            if (token().kind != Token::Kind::variable_end) refuse("'}}' is expected, not " + shown());
            take();
            nodes.push_back(std::move(node));
        } else if (token().kind == Token::Kind::block_begin) {
            const std::string& name = tokens_[at_ + 1].text;
            if (std::find(ends.begin(), ends.end(), name) != ends.end() || name.starts_with("end") || name == "else" ||
                name == "elif") {
                if (std::find(ends.begin(), ends.end(), name) == ends.end()) refuse("'{% " + name + " %}' is not expected here");
                return nodes;
            }
            take();
            nodes.push_back(statement());
        } else {
            if (ends.size() > 0) refuse("'" + std::string(*(ends.end() - 1)) + "' is missing");
            return nodes;
        }
    }
}

NodePtr Parser::statement() {
    const std::string name = expect_any_name("the name of a block");
    if (name == "if") return if_statement();
    if (name == "for") return for_statement();
    if (name == "set") return set_statement();
    if (name == "macro") return macro_statement();
    if (name == "generation") {
        auto node = make(Kind::scope);
        expect_block_end();
        const int loops = std::exchange(loops_, 0);
        node->bodies.push_back(body({"endgeneration"}));
        loops_ = loops;
        take();
        take();
        expect_block_end();
        return node;
    }
    if (name == "break" || name == "continue") {
        if (loops_ == 0) refuse("'{% " + name + " %}' stands outside of a loop");
        auto node = make(name == "break" ? Kind::stop : Kind::next);
        expect_block_end();
        return node;
    }
    refuse("'{% " + name + " %}' is not supported");
}

NodePtr Parser::if_statement() {
    auto node = make(Kind::branch);
    for (;;) {
        node->parts.push_back(tuple(false));
        expect_block_end();
        node->bodies.push_back(body({"elif", "else", "endif"}));
        take();
        const std::string name = take().text;
        if (name == "elif") continue;
        expect_block_end();
        if (name == "endif") return node;
        node->bodies.push_back(body({"endif"}));
        take();
        take();
        expect_block_end();
        return node;
    }
}

NodePtr Parser::for_statement() {
    auto node = make(Kind::loop);
    node->parts.push_back(target(false));
    expect_name("in");
    node->parts.push_back(tuple(false, "recursive"));
    node->parts.push_back(accept_name("if") ? expression() : nullptr);
    if (is_name("recursive")) refuse("a 'recursive' loop is not supported");
    expect_block_end();
    ++loops_;
    node->bodies.push_back(body({"else", "endfor"}));
    --loops_;
    take();
    if (take().text == "else") {
        expect_block_end();
        node->bodies.push_back(body({"endfor"}));
        take();
        take();
    }
    expect_block_end();
    return node;
}

NodePtr Parser::set_statement() {
    NodePtr name = target(true);
    if (accept_op("=")) {
        auto node = make(Kind::set);
        node->parts.push_back(std::move(name));
        node->parts.push_back(tuple(true));
        expect_block_end();
        return node;
    }
    auto node = make(Kind::set_block);
    node->parts.push_back(std::move(name));
    NodePtr chain;
    while (is_op("|")) chain = filter(std::move(chain));
    node->parts.push_back(std::move(chain));
    expect_block_end();
    node->bodies.push_back(body({"endset"}));
    take();
    take();
    expect_block_end();
    return node;
}

NodePtr Parser::macro_statement() {
    auto node = make(Kind::macro, expect_any_name("the name of a macro"));
    expect_op("(");
    while (!is_op(")")) {
        if (!node->named.empty()) expect_op(",");
        const std::string name = expect_any_name("the name of a parameter");
        NodePtr otherwise = accept_op("=") ? expression() : nullptr;
        if (!otherwise && !node->named.empty() && node->named.back().second)
            refuse("parameter '" + name + "' follows one with a default");
        node->named.emplace_back(name, std::move(otherwise));
    }
    expect_op(")");
    expect_block_end();
    const int loops = std::exchange(loops_, 0);
    node->bodies.push_back(body({"endmacro"}));
    loops_ = loops;
    take();
    take();
    expect_block_end();
    return node;
}

// What a loop or an assignment gives a value to: a name, name.attribute, or several names.
NodePtr Parser::target(bool attributes) {
    const auto one = [&]() -> NodePtr {
        auto node = make(Kind::name, expect_any_name("a name"));
        for (const char* reserved : {"true", "false", "none", "True", "False", "None", "loop"}) {
            if (node->text == reserved && !(node->text == "loop" && attributes))
                refuse("'" + node->text + "' cannot be given a value");
        }
        if (!attributes || !accept_op(".")) return node;
        auto attribute = make(Kind::attribute, expect_any_name("an attribute"));
        attribute->parts.push_back(std::move(node));
        return attribute;
    };
    const bool bracket = accept_op("(");
    NodePtr first = one();
    if (is_op(",")) {
        auto node = make(Kind::tuple);
        node->parts.push_back(std::move(first));
        while (accept_op(",")) {
            if (token().kind == Token::Kind::name && !is_name("in")) node->parts.push_back(one());
        }
        first = std::move(node);
    }
    if (bracket) expect_op(")");
    return first;
}

Body parse(const std::string& source, const std::string& where) { return Parser(lex(source, where), where).document(); }

}  // namespace xlrm::jinja
