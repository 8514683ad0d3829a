#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace xlrm {

//! One `name = value` line of a configuration file.
struct IniLine {
    std::int64_t number = 0;
    std::string section, name, value;
};

//! Sections, values and comments (# or ; at the start of a line; a # inside a value belongs to it, which Boost's own reader would
//! cut off). Throws Error(usage) naming file and line for a line that is none of these, or a name given twice in a section.
std::vector<IniLine> parse_ini(const std::string& text, const std::string& file);

}  // namespace xlrm
