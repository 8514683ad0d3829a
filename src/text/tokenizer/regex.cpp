#include "regex.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <nlohmann/json.hpp>

#include "regex_syntax.hpp"
#include "unicode_version.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

std::string words(int code) {
    PCRE2_UCHAR8 buffer[256];
    pcre2_get_error_message_8(code, buffer, sizeof buffer);
    return reinterpret_cast<const char*>(buffer);
}

}  // namespace

class Regex::Scratch {
public:
    Scratch()
        : data(pcre2_match_data_create_8(1, nullptr)),
          stack(pcre2_jit_stack_create_8(32 * 1024, 64 * 1024 * 1024, nullptr)),
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
    pcre2_code_8* newer = nullptr;  // for texts with code points newer than the library may be; null: the same
    std::string where;
    ~State() {
        pcre2_code_free_8(code);
        pcre2_code_free_8(newer);
    }
};

namespace {

pcre2_code_8* compile(const std::string& expression, const std::string& where) {
    pcre2_compile_context_8* context = pcre2_compile_context_create_8(nullptr);
    require(context != nullptr, "no memory for the pre-tokeniser");
    pcre2_set_newline_8(context, PCRE2_NEWLINE_LF);
    int error = 0;
    PCRE2_SIZE offset = 0;
    // Oniguruma's ^ and $ always match at lines.
    pcre2_code_8* code = pcre2_compile_8(reinterpret_cast<PCRE2_SPTR8>(expression.data()), expression.size(),
                                         PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE, &error, &offset, context);
    pcre2_compile_context_free_8(context);
    if (code == nullptr) fail(where + ": PCRE2 refuses the expression (" + words(error) + "): " + expression);
    // Where the system forbids executable memory the interpreter runs the same expression.
    pcre2_jit_compile_8(code, PCRE2_JIT_COMPLETE);
    return code;
}

}  // namespace

Regex::Regex(const std::string& pattern, const std::string& where) : state_(std::make_unique<State>()) {
    state_->where = where;
    const std::string expression = to_pcre2(pattern, where, false);
    const std::string newer = to_pcre2(pattern, where, true);
    state_->code = compile(expression, where);
    if (newer != expression) state_->newer = compile(newer, where);
}

Regex::~Regex() = default;
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;

template <typename Emit>
void Regex::walk(std::string_view text, Scratch& scratch, Emit emit) const {
    const pcre2_code_8* code = state_->newer != nullptr && has_newer(text) ? state_->newer : state_->code;
    const PCRE2_SIZE* offsets = pcre2_get_ovector_pointer_8(scratch.data);
    std::size_t done = 0;
    std::size_t from = 0;
    bool after_match = false;  // a match ends at `done`
    while (!text.empty() && from <= text.size()) {
        const int result = pcre2_match_8(code, reinterpret_cast<PCRE2_SPTR8>(text.data()), text.size(), from, PCRE2_NO_UTF_CHECK,
                                         scratch.data, scratch.context);
        if (result == PCRE2_ERROR_NOMATCH) break;
        if (result < 0)
            fail(state_->where + ": the pre-tokeniser gave up on a text of " + std::to_string(text.size()) + " bytes (" +
                 words(result) + ")");
        const std::size_t begin = offsets[0];
        const std::size_t end = offsets[1];
        from = end;
        if (begin == end) {
            ++from;
            while (from < text.size() && (static_cast<unsigned char>(text[from]) & 0xC0U) == 0x80U) ++from;
            if (after_match && end == done) continue;
        }
        if (done < begin) emit(done, begin, false);
        emit(begin, end, true);
        done = end;
        after_match = true;
    }
    if (done < text.size()) emit(done, text.size(), false);
}

void Regex::parts(std::string_view text, Scratch& scratch, std::vector<Part>& found) const {
    found.clear();
    walk(text, scratch, [&](std::size_t begin, std::size_t end, bool match) { found.push_back({begin, end, match}); });
}

void Regex::cut(std::string_view text, Scratch& scratch, std::vector<std::string_view>& words) const {
    walk(text, scratch, [&](std::size_t begin, std::size_t end, bool) {
        if (begin < end) words.push_back(text.substr(begin, end - begin));
    });
}

std::string quoted_expression(const std::string& text) {
    std::string result;
    for (const char c : text) {
        if (std::string_view("\\^$.|?*+()[]{}#&-~").find(c) != std::string_view::npos) result += '\\';
        result += c;
    }
    return result;
}

std::string pattern_expression(const nlohmann::json& pattern, const std::string& where) {
    require(pattern.is_object() && (pattern.contains("String") || pattern.contains("Regex")),
            where + ": a pattern {String} or {Regex} is expected");
    return pattern.contains("Regex") ? pattern.at("Regex").get<std::string>()
                                     : quoted_expression(pattern.at("String").get<std::string>());
}

}  // namespace xlrm
