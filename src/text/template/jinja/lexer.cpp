#include "lexer.hpp"

#include <algorithm>

#include "xlrm/core/error.hpp"
#include "xlrm/core/utf8.hpp"

namespace xlrm::jinja {
namespace {

using TokenKind = Token::Kind;

constexpr std::size_t kMostSource = std::size_t{1} << 20U;

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r') || (c >= '\x1c' && c <= '\x1f'); }
bool is_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// One kind of line end, and none at the very end.
std::string with_line_feeds(const std::string& source) {
    std::string text;
    for (std::size_t i = 0; i < source.size(); ++i) {
        if (source[i] == '\r' && i + 1 < source.size() && source[i + 1] == '\n') continue;
        text += source[i] == '\r' ? '\n' : source[i];
    }
    if (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
}

class Lexer {
public:
    Lexer(const std::string& source, const std::string& where) : in_(with_line_feeds(source)), where_(where) {}

    std::vector<Token> run() {
        while (at_ < in_.size()) data();
        put(TokenKind::end, "");
        return std::move(tokens_);
    }

private:
    [[noreturn]] void refuse(const std::string& what) const { fail(where_ + ":" + std::to_string(line_of(at_)) + ": " + what); }
    int line_of(std::size_t at) const {
        return 1 + static_cast<int>(
                       std::count(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(std::min(at, in_.size())), '\n'));
    }

    // Lines are counted as the text is read, for a template may be long.
    void put(TokenKind kind, std::string text) {
        line_ += static_cast<int>(std::count(in_.begin() + static_cast<std::ptrdiff_t>(counted_),
                                             in_.begin() + static_cast<std::ptrdiff_t>(std::min(at_, in_.size())), '\n'));
        counted_ = std::min(at_, in_.size());
        tokens_.push_back({kind, std::move(text), line_});
    }

    std::size_t find_tag(std::size_t from) const {
        for (std::size_t i = in_.find('{', from); i != std::string::npos; i = in_.find('{', i + 1)) {
            if (i + 1 < in_.size() && (in_[i + 1] == '{' || in_[i + 1] == '%' || in_[i + 1] == '#')) return i;
        }
        return in_.size();
    }

    // Text up to the next tag, and the tag.
    void data() {
        const std::size_t begin = at_;
        const std::size_t tag = find_tag(begin);
        const char kind = tag < in_.size() ? in_[tag + 1] : '\0';
        const char sign = tag + 2 < in_.size() && (in_[tag + 2] == '-' || in_[tag + 2] == '+') ? in_[tag + 2] : '\0';
        emit_data(begin, tag, kind, sign);
        at_ = tag;
        if (tag == in_.size()) return;
        at_ = tag + 2 + (sign != '\0' ? 1 : 0);
        if (kind == '#') return comment();
        if (kind == '%' && raw()) return;
        put(kind == '%' ? TokenKind::block_begin : TokenKind::variable_begin, "");
        expression(kind == '%');
    }

    void emit_data(std::size_t begin, std::size_t end, char kind, char sign) {
        std::string text = in_.substr(begin, end - begin);
        if (sign == '-') {
            text = rstripped(text);
        } else if (sign != '+' && (kind == '%' || kind == '#')) {
            const std::size_t line = text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n') + 1;
            if ((line > 0 || line_start_) && strip(std::string_view(text).substr(line)).empty()) text.resize(line);
        }
        if (!text.empty()) put(TokenKind::data, text);
    }

    static std::string rstripped(const std::string& text) {
        const std::string_view kept = strip("." + text);  // the dot keeps what stands in front
        return text.substr(0, kept.size() - 1);
    }

    void skip_space() {
        const std::string_view rest = std::string_view(in_).substr(at_);
        std::size_t i = 0;
        for (std::size_t next = 0; next < rest.size();) {
            const char32_t c = next_code_point(rest, next);
            if (!is_white_space(c) && (c < 0x1C || c > 0x1F)) break;
            i = next;
        }
        at_ += i;
    }

    // Behind the closing bracket: `-` takes all white space, else a block takes one line end.
    void close(char sign, bool trims) {
        if (sign == '-')
            skip_space();
        else if (sign != '+' && trims && at_ < in_.size() && in_[at_] == '\n')
            ++at_;
        line_start_ = in_[at_ - 1] == '\n';
    }

    void comment() {
        const std::size_t end = in_.find("#}", at_);
        if (end == std::string::npos) refuse("a comment is not closed");
        const char sign = end > at_ && (in_[end - 1] == '-' || in_[end - 1] == '+') ? in_[end - 1] : '\0';
        at_ = end + 2;
        close(sign, true);
    }

    bool raw() {
        std::size_t end = 0;
        char sign = '\0';
        if (!tag_named("raw", at_, end, sign)) return false;
        at_ = end;
        if (sign == '-') skip_space();
        for (std::size_t i = in_.find("{%", at_); i != std::string::npos; i = in_.find("{%", i + 1)) {
            const char open = i + 2 < in_.size() ? in_[i + 2] : '\0';
            const bool signed_open = open == '-' || open == '+';
            if (!tag_named("endraw", i + 2 + (signed_open ? 1 : 0), end, sign)) continue;
            line_start_ = in_[at_ - 1] == '\n';
            emit_data(at_, i, '%', signed_open ? open : '\0');
            at_ = end;
            close(sign, true);
            return true;
        }
        refuse("{% raw %} is not closed");
    }

    bool tag_named(const std::string& name, std::size_t at, std::size_t& end, char& sign) const {
        while (at < in_.size() && is_space(in_[at])) ++at;
        if (in_.compare(at, name.size(), name) != 0) return false;
        at += name.size();
        while (at < in_.size() && is_space(in_[at])) ++at;
        sign = at < in_.size() && (in_[at] == '-' || in_[at] == '+') ? in_[at] : '\0';
        if (sign != '\0') ++at;
        end = at + 2;
        return in_.compare(at, 2, "%}") == 0;
    }

    void expression(bool block) {
        const char closing = block ? '%' : '}';
        std::string open;
        for (;;) {
            while (at_ < in_.size() && is_space(in_[at_])) ++at_;
            if (at_ >= in_.size()) refuse(block ? "'{%' is not closed" : "'{{' is not closed");
            const char c = in_[at_];
            if (open.empty()) {
                const char sign = c == '-' || (block && c == '+') ? c : '\0';
                const std::size_t i = at_ + (sign != '\0' ? 1 : 0);
                if (i + 1 < in_.size() && in_[i] == closing && in_[i + 1] == '}') {
                    at_ = i + 2;
                    put(block ? TokenKind::block_end : TokenKind::variable_end, "");
                    return close(sign, block);
                }
            }
            if (c == '"' || c == '\'')
                string();
            else if (is_digit(c))
                number();
            else if (is_name(c))
                name();
            else
                operation(open);
        }
    }

    void name() {
        const std::size_t begin = at_;
        while (at_ < in_.size() && is_name(in_[at_])) ++at_;
        put(TokenKind::name, in_.substr(begin, at_ - begin));
    }

    void number() {
        const std::size_t begin = at_;
        const auto digits = [&] {
            while (at_ < in_.size() &&
                   (is_digit(in_[at_]) || (in_[at_] == '_' && at_ + 1 < in_.size() && is_digit(in_[at_ + 1]))))
                ++at_;
        };
        const bool element = begin > 0 && in_[begin - 1] == '.';  // x.0.1 are two elements, not a number
        digits();
        bool real = false;
        if (!element && at_ + 1 < in_.size() && in_[at_] == '.' && is_digit(in_[at_ + 1])) {
            real = true;
            ++at_;
            digits();
        }
        if (!element && at_ < in_.size() && (in_[at_] == 'e' || in_[at_] == 'E')) {
            std::size_t i = at_ + 1;
            if (i < in_.size() && (in_[i] == '+' || in_[i] == '-')) ++i;
            if (i < in_.size() && is_digit(in_[i])) {
                real = true;
                at_ = i;
                digits();
            }
        }
        if (at_ < in_.size() && is_name(in_[at_]))
            refuse("the number '" + in_.substr(begin, at_ + 1 - begin) + "' is not supported");
        std::string text = in_.substr(begin, at_ - begin);
        std::erase(text, '_');
        if (!real && text.size() > 18) refuse("the number " + text + " is too large");
        put(real ? TokenKind::real : TokenKind::integer, text);
    }

    void string() {
        const char quote = in_[at_++];
        std::string text;
        while (at_ < in_.size() && in_[at_] != quote) {
            if (in_[at_] == '\\')
                escape(text);
            else
                text += in_[at_++];
        }
        if (at_ >= in_.size()) refuse("a text is not closed");
        ++at_;
        put(TokenKind::text, text);
    }

    // Python's escapes; an unknown one stays as it is written.
    void escape(std::string& text) {
        if (at_ + 1 >= in_.size()) refuse("a text is not closed");
        const char c = in_[at_ + 1];
        at_ += 2;
        static const std::string kPlain = "\\'\"abfnrtv";
        static const std::string kMeaning = "\\'\"\a\b\f\n\r\t\v";
        if (const std::size_t found = kPlain.find(c); found != std::string::npos) {
            text += kMeaning[found];
        } else if (c == '\n') {
            return;
        } else if (c == 'x' || c == 'u' || c == 'U') {
            append(text, c == 'x' ? 2 : c == 'u' ? 4 : 8, 16);
        } else if (c >= '0' && c <= '7') {
            --at_;
            std::size_t count = 1;
            while (count < 3 && at_ + count < in_.size() && in_[at_ + count] >= '0' && in_[at_ + count] <= '7') ++count;
            append(text, count, 8);
        } else if (c == 'N') {
            refuse("the escape '\\N' is not supported");
        } else {
            text += std::string("\\") + c;
        }
    }

    void append(std::string& text, std::size_t digits, int base) {
        const std::string code = in_.substr(at_, digits);
        if (code.size() < digits || code.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos)
            refuse("the escape of '" + code + "' is damaged");
        const unsigned long value = std::stoul(code, nullptr, base);
        if (value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) refuse("the escape of '" + code + "' is no character");
        append_utf8(text, static_cast<char32_t>(value));
        at_ += digits;
    }

    void operation(std::string& open) {
        for (const char* two : {"==", "!=", ">=", "<=", "//", "**"}) {
            if (in_.compare(at_, 2, two) != 0) continue;
            at_ += 2;
            return put(TokenKind::op, two);
        }
        const char c = in_[at_];
        if (std::string_view("+-/*%~[](){}<>=.:|,;").find(c) == std::string_view::npos)
            refuse(std::string("the character '") + c + "' is not expected in a tag");
        if (c == '(' || c == '[' || c == '{') open += c == '(' ? ')' : c == '[' ? ']' : '}';
        if (c == ')' || c == ']' || c == '}') {
            if (open.empty() || open.back() != c) refuse(std::string("'") + c + "' has no opening bracket");
            open.pop_back();
        }
        ++at_;
        put(TokenKind::op, std::string(1, c));
    }

    const std::string in_;
    const std::string& where_;
    std::vector<Token> tokens_;
    std::size_t at_ = 0, counted_ = 0;
    int line_ = 1;
    bool line_start_ = true;  // whether the last tag ended with a line end
};

}  // namespace

std::vector<Token> lex(const std::string& source, const std::string& where) {
    if (source.size() > kMostSource)
        fail(where + ": the template has " + std::to_string(source.size()) + " bytes, more than 1 MiB; is it the right file?");
    if (!is_valid_utf8(source)) fail(where + ": the template is not UTF-8");
    return Lexer(source, where).run();
}

}  // namespace xlrm::jinja
