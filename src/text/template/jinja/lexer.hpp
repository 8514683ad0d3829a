#pragma once

#include <string>
#include <vector>

namespace xlrm::jinja {

struct Token {
    //! data: text outside of tags; op: an operator or bracket; *_begin and *_end: the tags' brackets.
    enum class Kind { data, block_begin, block_end, variable_begin, variable_end, name, text, integer, real, op, end };
    Kind kind = Kind::end;
    std::string text;
    int line = 1;
};

//! Source → tokens as Jinja 3.1 cuts it with trim_blocks and lstrip_blocks: line ends become "\n", the last one is dropped,
//! comments vanish, `-` and `+` at tags govern white space, {% raw %} is data. Throws Error naming `where`, line and construct,
//! and for a source that is not UTF-8 or longer than 1 MiB.
std::vector<Token> lex(const std::string& source, const std::string& where);

}  // namespace xlrm::jinja
