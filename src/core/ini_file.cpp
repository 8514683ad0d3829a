#include "ini_file.hpp"

#include <set>
#include <sstream>

#include "xlrm/core/error.hpp"
#include "xlrm/core/utf8.hpp"

namespace xlrm {

namespace {

std::string trim(const std::string& text) {
    const std::size_t first = text.find_first_not_of(" \t\r");
    return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t\r") + 1 - first);
}

}  // namespace

std::vector<IniLine> parse_ini(const std::string& text, const std::string& file) {
    std::vector<IniLine> lines;
    std::set<std::string> seen;
    std::istringstream stream(text);
    std::string raw;
    std::string section;
    for (std::int64_t number = 1; std::getline(stream, raw); ++number) {
        const std::string line = trim(raw);
        if (line.empty() || line[0] == '#' || line[0] == ';') continue;
        const std::string where = file + ":" + std::to_string(number) + ": ";
        require(is_valid_utf8(line), where + "the line is not UTF-8 text; save the file as UTF-8", ExitCode::usage);
        if (line.front() == '[') {
            if (line.back() != ']') fail(where + "a section is written [name], not \"" + line + "\"", ExitCode::usage);
            section = trim(line.substr(1, line.size() - 2));
            continue;
        }
        const std::size_t equals = line.find('=');
        if (equals == std::string::npos || equals == 0)
            fail(where + "expected name = value, found \"" + line + "\"", ExitCode::usage);
        IniLine entry{number, section, trim(line.substr(0, equals)), trim(line.substr(equals + 1))};
        if (!seen.insert(section + "." + entry.name).second)
            fail(where + "\"" + entry.name + "\" is given twice", ExitCode::usage);
        lines.push_back(std::move(entry));
    }
    return lines;
}

}  // namespace xlrm
