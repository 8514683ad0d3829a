#pragma once

#include <string>
#include <vector>

#include "lexer.hpp"
#include "syntax.hpp"

namespace xlrm::jinja {

//! Recursive descent over the tokens, by Jinja 3.1's grammar. Expressions: parser_expression.cpp; statements: parser.cpp.
class Parser {
public:
    Parser(std::vector<Token> tokens, const std::string& where) : tokens_(std::move(tokens)), where_(where) {}
    Body document();

private:
    [[noreturn]] void refuse(const std::string& what) const;
    const Token& token() const { return tokens_[at_]; }
    Token take() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
    bool is(Token::Kind kind, std::string_view text) const { return token().kind == kind && token().text == text; }
    bool is_op(std::string_view text) const { return is(Token::Kind::op, text); }
    bool is_name(std::string_view text) const { return is(Token::Kind::name, text); }
    bool accept(Token::Kind kind, std::string_view text);
    bool accept_op(std::string_view text) { return accept(Token::Kind::op, text); }
    bool accept_name(std::string_view text) { return accept(Token::Kind::name, text); }
    void expect_op(std::string_view text);
    void expect_name(std::string_view text);
    void expect_block_end();
    std::string expect_any_name(const char* what);
    std::string shown() const;
    NodePtr make(Node::Kind kind, std::string text = "") const;
    //! An expression with all its parts: notes its height, which a limit keeps off the stack of whoever walks through it.
    NodePtr whole(NodePtr node) const;

    Body body(std::initializer_list<std::string_view> ends);
    NodePtr statement();
    NodePtr if_statement();
    NodePtr for_statement();
    NodePtr set_statement();
    NodePtr macro_statement();
    NodePtr target(bool attributes);

    NodePtr expression(bool conditional = true);
    NodePtr conditional();
    NodePtr chain(const char* word, Node::Kind kind, NodePtr (Parser::*operand)());
    NodePtr either();
    NodePtr both();
    NodePtr inverted();
    NodePtr comparison();
    NodePtr sum();
    NodePtr joined();
    NodePtr product();
    NodePtr power();
    NodePtr unary(bool with_filter = true);
    NodePtr primary();
    NodePtr tuple(bool conditional, std::string_view end_name = "", bool parenthesised = false);
    NodePtr list();
    NodePtr dict();
    NodePtr postfix(NodePtr node);
    NodePtr subscript(NodePtr node);
    NodePtr filters(NodePtr node);
    NodePtr filter(NodePtr node);
    NodePtr test(NodePtr node);
    void arguments(Node& call);
    NodePtr left_to_right(NodePtr (Parser::*operand)(), std::initializer_list<std::string_view> operators);

    //! Brackets, blocks and signs that are open; a limit keeps a hostile source off the stack.
    class Depth {
    public:
        explicit Depth(Parser& parser) : parser_(parser) {
            if (++parser_.depth_ > 100) parser_.refuse("it is nested too deeply");
        }
        ~Depth() { --parser_.depth_; }
        Depth(const Depth&) = delete;
        Depth& operator=(const Depth&) = delete;

    private:
        Parser& parser_;
    };

    std::vector<Token> tokens_;
    const std::string& where_;
    std::size_t at_ = 0;
    int depth_ = 0, loops_ = 0;
};

}  // namespace xlrm::jinja
