#pragma once

#include "row_fields.hpp"
#include "xlrm/data/preference_row.hpp"

namespace xlrm {

//! A row of kind response, ranking or regression, without its id, language and subset. Throws Error.
PreferenceRow response_row(const Fields& fields, RowKind kind);
//! A row that is a prompt alone, likewise.
PreferenceRow prompt_row(const Fields& fields);
//! Makes a prompt of a row with answers: the turns before the last of its first answer.
void keep_prompt(PreferenceRow& row);

}  // namespace xlrm
