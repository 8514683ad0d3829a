#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace xlrm {

//! A pre-tokeniser expression as tokenizer.json writes it (Oniguruma's syntax), run by PCRE2's JIT. Constructs that mean
//! something else in PCRE2 are translated (\s, \w, \v, \uXXXX) or refused by name. Thread-safe for const calls.
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

    //! First match at or behind `from`. REQUIRES: valid UTF-8. Throws Error where PCRE2 gives up (its stack limit).
    bool find(std::string_view text, std::size_t from, Scratch& scratch, std::size_t& begin, std::size_t& end) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace xlrm
