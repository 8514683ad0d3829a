#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace xlrm::test {

//! Folder of published data beside the source tree (or $XLRM_SHARED); tests skip where it is missing.
inline std::filesystem::path shared_data() {
    const char* given = std::getenv("XLRM_SHARED");
    const std::filesystem::path root =
        given != nullptr ? std::filesystem::path(given) : std::filesystem::path(XLRM_SOURCE_DIR) / ".." / "shared";
    return root / "data";
}

inline std::filesystem::path fixture(const std::string& name) {
    return std::filesystem::path(XLRM_SOURCE_DIR) / "tests" / "fixtures" / name;
}

}  // namespace xlrm::test
