#pragma once

#include <string>

namespace xlrm {

//! Version, git commit with "+dirty", compiler, build type: what --version prints and outputs record.
std::string version();        //!< "0.1.0"
std::string code_version();   //!< "0.1.0 (3f2c1ab9)"
std::string build_summary();  //!< one line a fact

}  // namespace xlrm
