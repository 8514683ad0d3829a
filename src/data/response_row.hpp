#pragma once

#include "row_fields.hpp"
#include "xlrm/data/preference_row.hpp"

namespace xlrm {

//! A row of kind response, ranking or regression, without its id, language and subset. Throws Error.
PreferenceRow response_row(const Fields& fields, RowKind kind);

}  // namespace xlrm
