#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace xlrm {

//! Where imported cells lie in a folder of results: imported/<model>/<benchmark>.<language>.h5, as cells of this program.
inline constexpr const char* kImported = "imported";

struct ImportOptions {
    //! FILE, MODEL=FILE or MODEL@LANGUAGE=FILE: results and hidden states that other tools wrote (docs: analysis/README.md). A
    //! model named <base>.<source>.s<seed> is one of that base, source language and seed; any other name is a model that is
    //! given.
    std::vector<std::string> files;
    std::string benchmark;  //!< what it is called; "": the one that the items' subsets belong to
};

//! Reads the files, joins those of one model and language by the items' ids, and writes a cell for each (none with `write`
//! false). Returns a line a cell. Throws Error naming file and field, before anything is written: no model or language, states
//! without an item of the scores, two files of scores for one model and language, scores that float32 cannot tell apart.
std::vector<std::string> import_results(const ImportOptions& options, const std::filesystem::path& folder, bool write);

}  // namespace xlrm
