#pragma once

#include <string>

#include "xlrm/sweep/workplace.hpp"

namespace xlrm {

//! What the rows of a base or model are for: its models' training, their evaluation, or its own.
enum class RowUse { training, trained, own };

//! Key of PlanBuilder::prepared: the rows of an option as a base or model takes them.
std::string prepared_key(const std::string& base, const std::string& option, RowUse use);

//! Collective over the group. The file of a prepare task, or "" where it is not there and the rows are to be read.
std::string prepared_there(const Workplace& place, const std::string& output);

}  // namespace xlrm
