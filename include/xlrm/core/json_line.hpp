#pragma once

#include <string>

#include "xlrm/core/json.hpp"

namespace xlrm {

//! `value` on one line. Bytes of its texts that are not UTF-8 (a path, what a message cites of a damaged file) become U+FFFD: a
//! report of an error must not fail for them.
std::string dump_line(const Json& value);

}  // namespace xlrm
