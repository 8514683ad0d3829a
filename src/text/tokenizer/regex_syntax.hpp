#pragma once

#include <string>

namespace xlrm {

//! An expression in Oniguruma's Ruby syntax (what tokenizer.json holds) → one in PCRE2's with the same matches. Constructs that
//! mean something else in PCRE2 are translated: \s \w \b \v \h \uXXXX, ^ and $ (always at lines), (?m), classes in classes and
//! their intersections, scripts, long names of categories, a '+' behind {n,m}. What cannot be is an Error naming `where`. With
//! `newer` properties also have what Unicode 15.0 to 16.0 added, which costs time (but \P{…} inside a class has it not).
std::string to_pcre2(const std::string& pattern, const std::string& where, bool newer);

}  // namespace xlrm
