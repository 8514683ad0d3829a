#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "folder_analysis.hpp"
#include "xlrm/comm/communicator.hpp"

namespace xlrm {

//! The folder of pieces, in that of the parts.
inline constexpr const char* kUnfinished = "unfinished";

//! Collective. Computes the parts `wanted` (but kTransfer), their units divided over the ranks in turn: of scores the parts that
//! share a resampling, or one other part, of one base and benchmark; of activations one layer. On the root whole, in the order of
//! the units, whatever rank computed them. Each unit's piece of a part is written into `unfinished` as soon as it is there, and
//! pieces of an earlier call that has not come to its end are taken from there. All ranks throw Error(stopped) once `stop` reads
//! true on any.
std::map<std::string, PartResult> compute_parts(const Communicator& world, FolderAnalysis& analysis,
                                                const std::vector<std::string>& wanted, const std::filesystem::path& unfinished,
                                                const std::function<bool()>& stop);

}  // namespace xlrm
