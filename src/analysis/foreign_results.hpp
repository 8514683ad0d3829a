#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "foreign_scores.hpp"
#include "xlrm/store/foreign_states.hpp"

namespace xlrm {

//! What other tools' files hold of one model in one language.
struct ForeignPart {
    std::optional<ForeignScores> scores;
    std::optional<ForeignStates> states;
    std::vector<std::filesystem::path> files;  //!< that of the scores first
};
using ForeignParts = std::map<std::pair<std::string, std::string>, ForeignPart>;  //!< by model and language

//! Reads files that are given as ImportOptions::files. Throws Error as import_results does.
ForeignParts read_foreign_results(const std::vector<std::string>& files);

}  // namespace xlrm
