#include "regex.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

// PCRE2's own \s also takes U+180E, and its \w has no marks or connectors.
constexpr std::string_view kSpace = "\\x09-\\x0d\\x20\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}";
constexpr std::string_view kWord = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}";

std::string words(int code) {
    PCRE2_UCHAR8 buffer[256];
    pcre2_get_error_message_8(code, buffer, sizeof buffer);
    return reinterpret_cast<const char*>(buffer);
}

// Oniguruma's pattern → PCRE2's.
class Translator {
public:
    Translator(const std::string& pattern, const std::string& where) : in_(pattern), where_(where) {}

    std::string run() {
        while (at_ < in_.size()) {
            const char c = in_[at_];
            if (c == '\\') escape();
            else if (in_class_) class_character(c);
            else plain_character(c);
        }
        return out_;
    }

private:
    [[noreturn]] void refuse(const std::string& what) const {
        fail(where_ + ": the expression uses " + what + " (it has another meaning in PCRE2) and cannot be run: " + in_);
    }

    void plain_character(char c) {
        if (c == '{') {
            const std::size_t end = in_.find('}', at_);
            const bool interval = end != std::string::npos && in_.find_first_not_of("0123456789,", at_ + 1) == end;
            if (interval && in_.compare(end, 2, "}+") == 0) refuse("'+' behind '{n,m}'");
        }
        if (c == '[') {
            in_class_ = true;
            out_ += c;
            ++at_;
            if (at_ < in_.size() && in_[at_] == '^') out_ += in_[at_++];
            if (at_ < in_.size() && in_[at_] == ']') out_ += "\\", out_ += in_[at_++];
            return;
        }
        out_ += c;
        ++at_;
    }

    void class_character(char c) {
        if (c == '[' && in_.compare(at_, 2, "[:") == 0) {
            const std::size_t end = in_.find(":]", at_);
            if (end != std::string::npos) {
                out_.append(in_, at_, end + 2 - at_);
                at_ = end + 2;
                return;
            }
        }
        if (c == '[') refuse("a class inside a class");
        if (c == '&' && in_.compare(at_, 2, "&&") == 0) refuse("the intersection '&&'");
        if (c == ']') in_class_ = false;
        out_ += c;
        ++at_;
    }

    void escape() {
        if (at_ + 1 >= in_.size()) refuse("a '\\' at the end");
        const char c = in_[at_ + 1];
        const std::string name = std::string("'\\") + c + "'";
        const auto emit = [&](std::string_view text) {
            out_ += text;
            at_ += 2;
        };
        const auto emit_class = [&](std::string_view members, bool negative) {
            if (in_class_ && negative) refuse(name + " inside a class");
            if (in_class_) emit(members);
            else emit(std::string(negative ? "[^" : "[") + std::string(members) + "]");
        };
        switch (c) {
            case 's': case 'S': return emit_class(kSpace, c == 'S');
            case 'w': case 'W': return emit_class(kWord, c == 'W');
            case 'v': return emit("\\x0b");
            case 'u':
                if (at_ + 6 > in_.size()) refuse("an incomplete '\\u'");
                out_ += "\\x{" + in_.substr(at_ + 2, 4) + "}";
                at_ += 6;
                return;
            case 'p': case 'P': case 'x': return braces(c);
            case 'd': case 'D': case 'r': case 'n': case 't': case 'f': case 'a': case 'e': case 'A': case 'z':
                return emit(std::string("\\") + c);
            default:
                if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) refuse(name);
                return emit(std::string("\\") + c);
        }
    }

    void braces(char c) {
        out_ += std::string("\\") + c;
        at_ += 2;
        if (at_ >= in_.size() || in_[at_] != '{') return;
        const std::size_t end = in_.find('}', at_);
        if (end == std::string::npos) refuse("an open '{'");
        out_.append(in_, at_, end + 1 - at_);
        at_ = end + 1;
    }

    const std::string& in_;
    const std::string& where_;
    std::string out_;
    std::size_t at_ = 0;
    bool in_class_ = false;
};

}  // namespace

class Regex::Scratch {
public:
    Scratch() : data(pcre2_match_data_create_8(1, nullptr)), stack(pcre2_jit_stack_create_8(32 * 1024, 64 * 1024 * 1024, nullptr)),
                context(pcre2_match_context_create_8(nullptr)) {
        require(data != nullptr && stack != nullptr && context != nullptr, "no memory for the pre-tokeniser");
        pcre2_jit_stack_assign_8(context, nullptr, stack);
    }
    ~Scratch() {
        pcre2_match_context_free_8(context);
        pcre2_jit_stack_free_8(stack);
        pcre2_match_data_free_8(data);
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    pcre2_match_data_8* data;
    pcre2_jit_stack_8* stack;
    pcre2_match_context_8* context;
};

std::shared_ptr<Regex::Scratch> Regex::make_scratch() { return std::make_shared<Scratch>(); }

struct Regex::State {
    pcre2_code_8* code = nullptr;
    std::string where;
    ~State() { pcre2_code_free_8(code); }
};

Regex::Regex(const std::string& pattern, const std::string& where) : state_(std::make_unique<State>()) {
    state_->where = where;
    const std::string translated = Translator(pattern, where).run();
    pcre2_compile_context_8* context = pcre2_compile_context_create_8(nullptr);
    require(context != nullptr, "no memory for the pre-tokeniser");
    pcre2_set_newline_8(context, PCRE2_NEWLINE_LF);
    int error = 0;
    PCRE2_SIZE offset = 0;
    // Oniguruma's ^ and $ always match at lines.
    state_->code = pcre2_compile_8(reinterpret_cast<PCRE2_SPTR8>(translated.data()), translated.size(),
                                   PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE, &error, &offset, context);
    pcre2_compile_context_free_8(context);
    if (state_->code == nullptr) fail(where + ": PCRE2 refuses the expression (" + words(error) + "): " + pattern);
    // Where the system forbids executable memory the interpreter runs the same expression.
    pcre2_jit_compile_8(state_->code, PCRE2_JIT_COMPLETE);
}

Regex::~Regex() = default;
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;

bool Regex::find(std::string_view text, std::size_t from, Scratch& scratch, std::size_t& begin, std::size_t& end) const {
    const int found = pcre2_match_8(state_->code, reinterpret_cast<PCRE2_SPTR8>(text.data()), text.size(), from, PCRE2_NO_UTF_CHECK,
                                    scratch.data, scratch.context);
    if (found == PCRE2_ERROR_NOMATCH) return false;
    if (found < 0) fail(state_->where + ": the pre-tokeniser gave up on a text of " + std::to_string(text.size()) + " bytes (" + words(found) + ")");
    const PCRE2_SIZE* offsets = pcre2_get_ovector_pointer_8(scratch.data);
    begin = offsets[0];
    end = offsets[1];
    return true;
}

}  // namespace xlrm
