#include "xlrm/core/error.hpp"

namespace xlrm {

Error::Error(const std::string& message, ExitCode code, std::source_location where)
    : std::runtime_error(message), code_(code), where_(std::string(where.file_name()) + ":" + std::to_string(where.line())) {}

void fail(const std::string& message, ExitCode code, std::source_location where) { throw Error(message, code, where); }

void require(bool ok, std::string_view message, ExitCode code, std::source_location where) {
    if (!ok) throw Error(std::string(message), code, where);
}

}  // namespace xlrm
