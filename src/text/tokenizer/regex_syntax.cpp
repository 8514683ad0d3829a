#include "regex_syntax.hpp"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "unicode_property.hpp"
#include "unicode_version.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

// PCRE2's own \s also takes U+180E, and its \w has no marks or connectors; Oniguruma's \w has the fractions and powers of
// Latin-1.
constexpr std::string_view kSpace =
    "\\x09-\\x0d\\x20\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}";
constexpr std::string_view kWord = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{b2}\\x{b3}\\x{b9}\\x{bc}-\\x{be}";
constexpr std::string_view kHex = "0-9a-fA-F";

class Translator {
public:
    Translator(const std::string& pattern, const std::string& where, bool newer)
        : in_(pattern), where_(where), newer_(newer), word_(kWord) {
        if (newer_) word_ += newer_members("Alphabetic") + newer_members("M") + newer_members("Nd") + newer_members("Pc");
    }

    std::string run() {
        while (at_ < in_.size()) {
            const char c = in_[at_];
            if (c == '\\')
                out_ += escape(false);
            else if (c == '[')
                out_ += character_class();
            else if (c == '{')
                interval();
            else if (c == '(')
                group();
            else
                out_ += in_[at_++];
        }
        return out_;
    }

private:
    [[noreturn]] void refuse(const std::string& what) const {
        fail(where_ + ": the expression uses " + what + " (it has another meaning in PCRE2) and cannot be run: " + in_);
    }

    bool next_is(std::string_view text) const { return in_.compare(at_, text.size(), text) == 0; }

    // Ruby has no possessive {n,m}+: it repeats the interval, which for n of 0 and 1 is * and +.
    void interval() {
        const std::size_t end = in_.find('}', at_);
        const bool is_interval =
            end != std::string::npos && end > at_ + 1 && in_.find_first_not_of("0123456789,", at_ + 1) == end;
        if (!is_interval) {
            out_ += in_[at_++];
            return;
        }
        const std::string counts = in_.substr(at_ + 1, end - at_ - 1);
        at_ = end + 1;
        const std::size_t comma = counts.find(',');
        if (comma == 0)
            out_ += "{0" + counts + "}";
        else if (!next_is("+"))
            out_ += "{" + counts + "}";
        if (next_is("?") && comma == std::string::npos) refuse("'?' behind '{n}'");
        if (!next_is("+")) return;
        ++at_;
        const std::string least = counts.substr(0, comma);
        if (comma == 0) out_.resize(out_.size() - counts.size() - 3);
        if (least != "1" && least != "0" && !least.empty()) refuse("'+' behind '{n,m}'");
        out_ += least == "1" ? '+' : '*';
    }

    // Ruby's (?m) lets '.' match line ends, which is PCRE2's (?s).
    void group() {
        out_ += in_[at_++];
        if (!next_is("?")) return;
        const std::size_t end = in_.find_first_not_of("imx-", at_ + 1);
        if (end == std::string::npos || end == at_ + 1 || (in_[end] != ':' && in_[end] != ')')) return;
        std::string options = in_.substr(at_, end - at_);
        std::replace(options.begin(), options.end(), 'm', 's');
        out_ += options;
        at_ = end;
    }

    // One class; its parts between '&&' are operands.
    std::string character_class() {
        ++at_;
        const bool negative = next_is("^");
        if (negative) ++at_;
        std::vector<std::string> operands;
        std::string members;
        std::string nested;  // a negated class, which can only be an operand of its own
        const auto close_operand = [&] {
            if (!nested.empty() && !members.empty()) refuse("a negated class inside a class");
            operands.push_back(nested.empty() ? "[" + members + "]" : nested);
            members.clear();
            nested.clear();
        };
        if (next_is("]")) members += "\\" + std::string(1, in_[at_++]);
        for (; !next_is("]");) {
            if (at_ >= in_.size()) refuse("an open '['");
            if (next_is("&&")) {
                at_ += 2;
                close_operand();
            } else if (next_is("[:")) {
                posix_bracket(members);
            } else if (next_is("[")) {
                const std::string inner = character_class();
                if (inner.starts_with("[^") || inner.starts_with("(")) {
                    if (!nested.empty()) refuse("two negated classes inside a class");
                    nested = inner;
                } else {
                    members += inner.substr(1, inner.size() - 2);
                }
            } else if (next_is("\\")) {
                members += escape(true);
            } else {
                members += in_[at_++];
            }
        }
        ++at_;
        close_operand();
        return joined(operands, negative);
    }

    std::string joined(const std::vector<std::string>& operands, bool negative) const {
        const std::string& last = operands.back();
        if (operands.size() == 1 && !negative) return last;
        if (operands.size() == 1 && last.starts_with("[") && !last.starts_with("[^")) return "[^" + last.substr(1);
        std::string both;
        for (std::size_t i = 0; i + 1 < operands.size(); ++i) both += "(?=" + operands[i] + ")";
        both += last;
        return negative ? "(?:(?!" + both + ")(?s:.))" : "(?:" + both + ")";
    }

    void posix_bracket(std::string& members) {
        const std::size_t end = in_.find(":]", at_);
        if (end == std::string::npos) refuse("an open '[:'");
        members.append(in_, at_, end + 2 - at_);
        at_ = end + 2;
    }

    std::string escape(bool in_class) {
        if (at_ + 1 >= in_.size()) refuse("a '\\' at the end");
        const char c = in_[at_ + 1];
        const std::string plain = in_.substr(at_, 2);
        const std::string name = "'" + plain + "'";
        at_ += 2;
        const auto set = [&](std::string_view members, bool negative) {
            if (in_class && negative) refuse(name + " inside a class");
            return in_class ? std::string(members) : (negative ? "[^" : "[") + std::string(members) + "]";
        };
        switch (c) {
            case 's':
                return set(kSpace, false);
            case 'S':
                return in_class ? "\\P{White_Space}" : set(kSpace, true);
            case 'w':
            case 'W':
                return set(word_, c == 'W');
            case 'h':
            case 'H':
                return set(kHex, c == 'H');
            case 'v':
                return "\\x0b";
            case 'u': {
                if (at_ + 4 > in_.size()) refuse("an incomplete '\\u'");
                at_ += 4;
                return "\\x{" + in_.substr(at_ - 4, 4) + "}";
            }
            case 'p':
            case 'P':
                return property(c, in_class);
            case 'x': {
                const std::size_t end = next_is("{") ? in_.find('}', at_) : std::string::npos;
                if (end == std::string::npos) return plain;
                const std::string code = in_.substr(at_, end + 1 - at_);
                at_ = end + 1;
                return plain + code;
            }
            case 'd':
            case 'D':
                return with_newer(plain, "Nd", c == 'D', in_class);
            case 'r':
            case 'n':
            case 't':
            case 'f':
            case 'a':
            case 'e':
                return plain;
            case 'A':
            case 'z':
            case 'Z':
            case 'R':
            case 'b':
            case 'B':
                if (in_class) refuse(name + " inside a class");
                return c == 'b' || c == 'B' ? word_boundary(c == 'b') : plain;
            default:
                if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) refuse(name);
                return plain;
        }
    }

    std::string word_boundary(bool there) const {
        const std::string word = "[" + word_ + "]";
        return there ? "(?:(?<=" + word + ")(?!" + word + ")|(?<!" + word + ")(?=" + word + "))"
                     : "(?:(?<=" + word + ")(?=" + word + ")|(?<!" + word + ")(?!" + word + "))";
    }

    std::string property(char kind, bool in_class) {
        if (!next_is("{")) refuse(std::string("'\\") + kind + "' without '{'");
        const std::size_t end = in_.find('}', at_);
        if (end == std::string::npos) refuse("an open '{'");
        std::string name = in_.substr(at_ + 1, end - at_ - 1);
        at_ = end + 1;
        bool negative = kind == 'P';
        if (name.starts_with("^")) {
            negative = !negative;
            name.erase(0, 1);
        }
        const std::string known = pcre2_property(name);
        return with_newer(std::string(negative ? "\\P{" : "\\p{") + known + "}", known, negative, in_class);
    }

    std::string with_newer(const std::string& escape, const std::string& name, bool negative, bool in_class) const {
        const std::string members = newer_ ? newer_members(name) : std::string();
        if (members.empty() || (negative && in_class)) return escape;
        if (in_class) return escape + members;
        return negative ? "(?:(?![" + members + "])" + escape + ")" : "[" + escape + members + "]";
    }

    const std::string& in_;
    const std::string& where_;
    bool newer_;
    std::string word_;
    std::string out_;
    std::size_t at_ = 0;
};

}  // namespace

std::string to_pcre2(const std::string& pattern, const std::string& where, bool newer) {
    return Translator(pattern, where, newer).run();
}

}  // namespace xlrm
