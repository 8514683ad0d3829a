#include <algorithm>
#include <cstdlib>

#include "library.hpp"
#include "parser.hpp"

namespace xlrm::jinja {

using Kind = Node::Kind;

NodePtr Parser::expression(bool with_conditional) {
    const Depth depth(*this);
    return with_conditional ? conditional() : either();
}

NodePtr Parser::conditional() {
    NodePtr node = either();
    while (accept_name("if")) {
        auto choice = make(Kind::conditional);
        choice->parts.push_back(std::move(node));
        choice->parts.push_back(either());
        choice->parts.push_back(accept_name("else") ? expression() : nullptr);
        node = whole(std::move(choice));
    }
    return node;
}

NodePtr Parser::chain(const char* word, Kind kind, NodePtr (Parser::*operand)()) {
    NodePtr node = (this->*operand)();
    while (accept_name(word)) {
        auto pair = make(kind);
        pair->parts.push_back(std::move(node));
        pair->parts.push_back((this->*operand)());
        node = whole(std::move(pair));
    }
    return node;
}

NodePtr Parser::either() { return chain("or", Kind::logical_or, &Parser::both); }
NodePtr Parser::both() { return chain("and", Kind::logical_and, &Parser::inverted); }

NodePtr Parser::inverted() {
    if (!accept_name("not")) return comparison();
    const Depth depth(*this);
    auto node = make(Kind::logical_not);
    node->parts.push_back(inverted());
    return whole(std::move(node));
}

NodePtr Parser::comparison() {
    NodePtr node = sum();
    NodePtr chain;
    for (;;) {
        std::string found;
        for (const char* name : {"==", "!=", "<=", ">=", "<", ">"}) {
            if (found.empty() && accept_op(name)) found = name;
        }
        if (found.empty() && accept_name("in")) found = "in";
        if (found.empty() && is_name("not") && tokens_[at_ + 1].kind == Token::Kind::name && tokens_[at_ + 1].text == "in") {
            take();
            take();
            found = "not in";
        }
        if (found.empty()) return chain ? whole(std::move(chain)) : std::move(node);
        if (!chain) {
            chain = make(Kind::compare);
            chain->parts.push_back(std::move(node));
        }
        chain->operators.push_back(found);
        chain->parts.push_back(sum());
    }
}

NodePtr Parser::left_to_right(NodePtr (Parser::*operand)(), std::initializer_list<std::string_view> operators) {
    NodePtr node = (this->*operand)();
    for (bool more = true; more;) {
        more = false;
        for (const std::string_view name : operators) {
            if (!accept_op(name)) continue;
            auto pair = make(Kind::binary, std::string(name));
            pair->parts.push_back(std::move(node));
            pair->parts.push_back((this->*operand)());
            node = whole(std::move(pair));
            more = true;
            break;
        }
    }
    return node;
}

NodePtr Parser::sum() { return left_to_right(&Parser::joined, {"+", "-"}); }
NodePtr Parser::joined() { return left_to_right(&Parser::product, {"~"}); }
NodePtr Parser::product() { return left_to_right(&Parser::power, {"*", "/", "//", "%"}); }

NodePtr Parser::power() {
    NodePtr node = unary();
    if (is_op("**")) refuse("the operator '**' is not supported");
    return node;
}

NodePtr Parser::unary(bool with_filter) {
    const Depth depth(*this);
    NodePtr node;
    if (is_op("-") || is_op("+")) {
        auto sign = make(is_op("-") ? Kind::negate : Kind::plus);
        take();
        sign->parts.push_back(unary(false));
        node = whole(std::move(sign));
    } else {
        node = primary();
    }
    node = postfix(std::move(node));
    return with_filter ? filters(std::move(node)) : std::move(node);
}

NodePtr Parser::primary() {
    auto node = make(Kind::constant);
    const Token token = this->token();
    switch (token.kind) {
        case Token::Kind::name:
            take();
            if (token.text == "true" || token.text == "True")
                node->value = true;
            else if (token.text == "false" || token.text == "False")
                node->value = false;
            else if (token.text == "none" || token.text == "None")
                node->value = nullptr;
            else
                node = make(Kind::name, token.text);
            return node;
        case Token::Kind::text: {
            std::string text;
            while (this->token().kind == Token::Kind::text) text += take().text;
            node->value = text;
            return node;
        }
        case Token::Kind::integer:
            take();
            node->value = static_cast<std::int64_t>(std::stoll(token.text));
            return node;
        case Token::Kind::real: {
            take();
            node->value = std::strtod(token.text.c_str(), nullptr);  // 1e999 is infinite, as in Python
            return node;
        }
        default:
            break;
    }
    if (accept_op("(")) {
        node = tuple(true, "", true);
        expect_op(")");
        return node;
    }
    if (is_op("[")) return list();
    if (is_op("{")) return dict();
    refuse(shown() + " is not expected");
}

// One expression, or a tuple of several.
NodePtr Parser::tuple(bool with_conditional, std::string_view end_name, bool parenthesised) {
    const auto at_end = [&] {
        return token().kind == Token::Kind::block_end || token().kind == Token::Kind::variable_end || is_op(")") ||
               (!end_name.empty() && is_name(end_name));
    };
    if (parenthesised && at_end()) return make(Kind::tuple);
    NodePtr first = expression(with_conditional);
    if (!is_op(",")) return first;
    auto node = make(Kind::tuple);
    node->parts.push_back(std::move(first));
    while (accept_op(",") && !at_end()) node->parts.push_back(expression(with_conditional));
    return whole(std::move(node));
}

NodePtr Parser::list() {
    expect_op("[");
    auto node = make(Kind::list);
    while (!is_op("]")) {
        if (!node->parts.empty()) expect_op(",");
        if (!is_op("]")) node->parts.push_back(expression());
    }
    expect_op("]");
    return whole(std::move(node));
}

NodePtr Parser::dict() {
    expect_op("{");
    auto node = make(Kind::dict);
    while (!is_op("}")) {
        if (!node->parts.empty()) expect_op(",");
        if (is_op("}")) break;
        node->parts.push_back(expression());
        expect_op(":");
        node->parts.push_back(expression());
    }
    expect_op("}");
    return whole(std::move(node));
}

NodePtr Parser::postfix(NodePtr node) {
    for (;;) {
        if (is_op(".") || is_op("[")) {
            node = subscript(std::move(node));
        } else if (is_op("(")) {
            auto call = make(Kind::call);
            call->parts.push_back(std::move(node));
            arguments(*call);
            node = whole(std::move(call));
        } else {
            return node;
        }
    }
}

NodePtr Parser::subscript(NodePtr object) {
    if (accept_op(".")) {
        auto node = make(token().kind == Token::Kind::integer ? Kind::item : Kind::attribute);
        node->parts.push_back(std::move(object));
        if (node->kind == Kind::item)
            node->parts.push_back(primary());
        else
            node->text = expect_any_name("an attribute");
        return whole(std::move(node));
    }
    expect_op("[");
    auto node = make(Kind::item);
    node->parts.push_back(std::move(object));
    NodePtr first = is_op(":") ? nullptr : expression();
    node->parts.push_back(std::move(first));
    while (accept_op(":")) {
        node->kind = Kind::slice;
        node->parts.push_back(is_op(":") || is_op("]") ? nullptr : expression());
    }
    if (node->parts.size() > 4) refuse("a slice has at most three parts");
    if (node->kind == Kind::slice) node->parts.resize(4);
    if (is_op(",")) refuse("a subscript of several parts is not supported");
    expect_op("]");
    return whole(std::move(node));
}

NodePtr Parser::filters(NodePtr node) {
    for (;;) {
        if (is_op("|")) {
            node = filter(std::move(node));
        } else if (accept_name("is")) {
            node = test(std::move(node));
        } else if (is_op("(")) {
            auto call = make(Kind::call);
            call->parts.push_back(std::move(node));
            arguments(*call);
            node = whole(std::move(call));
        } else {
            return node;
        }
    }
}

NodePtr Parser::filter(NodePtr input) {
    expect_op("|");
    auto node = make(Kind::filter, expect_any_name("the name of a filter"));
    if (!is_filter(node->text)) refuse("the filter '" + node->text + "' is not supported");
    node->parts.push_back(std::move(input));
    if (is_op("(")) arguments(*node);
    return whole(std::move(node));
}

NodePtr Parser::test(NodePtr input) {
    const bool negative = accept_name("not");
    auto node = make(Kind::test, expect_any_name("the name of a test"));
    if (!is_test(node->text)) refuse("the test '" + node->text + "' is not supported");
    node->parts.push_back(std::move(input));
    const Token::Kind kind = token().kind;
    const bool value =
        kind == Token::Kind::name || kind == Token::Kind::text || kind == Token::Kind::integer || kind == Token::Kind::real;
    if (is_op("(")) {
        arguments(*node);
    } else if ((value && !is_name("else") && !is_name("or") && !is_name("and")) || is_op("[") || is_op("{")) {
        if (is_name("is")) refuse("tests cannot be chained with 'is'");
        node->parts.push_back(postfix(primary()));
    }
    node = whole(std::move(node));
    if (!negative) return node;
    auto inverse = make(Kind::logical_not);
    inverse->parts.push_back(std::move(node));
    return whole(std::move(inverse));
}

void Parser::arguments(Node& call) {
    expect_op("(");
    for (bool first = true; !is_op(")"); first = false) {
        if (!first) expect_op(",");
        if (is_op(")")) break;
        if (is_op("*") || is_op("**")) refuse("'" + token().text + "' in a call is not supported");
        const Token& next = tokens_[at_ + 1 < tokens_.size() ? at_ + 1 : at_];
        if (token().kind == Token::Kind::name && next.kind == Token::Kind::op && next.text == "=") {
            const std::string name = take().text;
            take();
            call.named.emplace_back(name, expression());
        } else {
            if (!call.named.empty()) refuse("an argument without a name follows one with a name");
            call.parts.push_back(expression());
        }
    }
    expect_op(")");
}

}  // namespace xlrm::jinja
