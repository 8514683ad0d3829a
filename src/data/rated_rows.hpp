#pragma once

#include "raw_rows.hpp"
#include "xlrm/data/row_form_options.hpp"

namespace xlrm {

//! for_each_raw_row; with `options.pair_by`, rows of one answer and its ratings (HelpSteer2) are put together: those of one
//! prompt that follow one another give one row with `responses` and `ranks`, best rating first in rank, under the number of the
//! first of them. The other columns are those of the first. What is read does not depend on which rows are then asked for.
void for_each_rated_row(const std::filesystem::path& path, const RowFormOptions& options,
                        const std::function<void(std::int64_t number, const RawRow& raw)>& row);

}  // namespace xlrm
