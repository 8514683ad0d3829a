#pragma once

#include <string>
#include <vector>

namespace xlrm {

//! `text` without the blanks and tabs around it.
std::string trimmed(const std::string& text);

//! The entries of "a, b" (separator ','), blanks around them left out; an empty or blank text is the empty list. Throws
//! Error(usage) for an empty entry among others.
std::vector<std::string> split_list(const std::string& text, char separator = ',');

}  // namespace xlrm
