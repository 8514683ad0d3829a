#pragma once

#include <map>
#include <string>
#include <vector>

#include "folder_analysis.hpp"
#include "xlrm/comm/communicator.hpp"

namespace xlrm {

//! Collective. Computes the parts `wanted` (but kTransfer), their units divided over the ranks in turn: of scores the parts that
//! share a resampling, or one other part, of one base and benchmark; of activations one layer. On the root whole, in the order of
//! the units, whatever rank computed them.
std::map<std::string, PartResult> compute_parts(const Communicator& world, FolderAnalysis& analysis,
                                                const std::vector<std::string>& wanted);

}  // namespace xlrm
