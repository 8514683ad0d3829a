#include "xlrm/core/error.hpp"
#include "xlrm/text/language_detect.hpp"

namespace xlrm {

bool can_detect_language() { return false; }

std::string detect_language(std::string_view) {
    fail(
        "this xlrm was built without CLD2, so it cannot tell the language of a text; install it (Debian: libcld2-dev) and build "
        "again");
}

}  // namespace xlrm
