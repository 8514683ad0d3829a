#pragma once

#include "xlrm/analysis/result_table.hpp"

namespace xlrm {

//! What the columns of the tables of states measure: the full name of the estimator, whether it is a score or a metric, what it
//! is invariant to, and how states are treated first.
ResultTable estimator_table();

}  // namespace xlrm
