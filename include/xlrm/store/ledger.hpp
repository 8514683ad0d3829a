#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "xlrm/core/json.hpp"

namespace xlrm {

//! Append-only JSON lines, one writer (the sweep's coordinator). A torn last line is ignored on reading. A cache: the
//! truth is the set of result files that verify.
class Ledger {
public:
    explicit Ledger(std::filesystem::path path);
    //! One line, on disk when it returns; a torn last line is closed first. Throws Error(io).
    void append(const Json& entry) const;
    //! All whole entries, none where the file is missing; a damaged line in the middle is skipped and counted in `damaged`.
    std::vector<Json> read(int* damaged = nullptr) const;

private:
    std::filesystem::path path_;
};

}  // namespace xlrm
