#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace xlrm {

//! Values of options to and from text. Each reader throws Error(usage) that quotes the text and says what it should be.
std::int64_t parse_integer(const std::string& text, std::int64_t least, std::int64_t most);
double parse_real(const std::string& text);
bool parse_flag(const std::string& text);
bool is_flag_value(const std::string& text);

std::string show_real(double value);  //!< shortest text that reads back to the same number
std::string show_list(const std::vector<std::string>& parts);

}  // namespace xlrm
