#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace xlrm {

//! A pre-tokeniser expression as tokenizer.json writes it (Oniguruma's syntax), run by PCRE2's JIT (regex_syntax.hpp).
//! Thread-safe for const calls.
class Regex {
public:
    //! `where` names the file and field for errors. Throws Error.
    Regex(const std::string& pattern, const std::string& where);
    ~Regex();
    Regex(Regex&&) noexcept;
    Regex& operator=(Regex&&) noexcept;

    //! Memory of one thread's searches.
    class Scratch;
    static std::shared_ptr<Scratch> make_scratch();

    //! A part of a text: a match, or what stands between matches.
    struct Part {
        std::size_t begin = 0, end = 0;
        bool match = false;
    };
    //! The whole text in parts, as Hugging Face's library cuts it: an empty match counts, unless a match ends there.
    //! REQUIRES: valid UTF-8. Throws Error where PCRE2 gives up (its stack limit).
    void parts(std::string_view text, Scratch& scratch, std::vector<Part>& found) const;
    //! Appends the parts that are not empty.
    void cut(std::string_view text, Scratch& scratch, std::vector<std::string_view>& words) const;

private:
    template <typename Emit>
    void walk(std::string_view text, Scratch& scratch, Emit emit) const;
    struct State;
    std::unique_ptr<State> state_;
};

//! An expression for the text itself.
std::string quoted_expression(const std::string& text);
//! `pattern` of a tokenizer.json: {"String": …} or {"Regex": …}, as an expression. Throws Error.
std::string pattern_expression(const nlohmann::json& pattern, const std::string& where);

}  // namespace xlrm
