#pragma once

#include "analysis_files.hpp"
#include "xlrm/analysis/transfer_table.hpp"

namespace xlrm {

//! The sweep's own table (transfer_table.hpp) as a part: its texts as the sweep writes them (table.txt, .md, .csv), and its
//! entries.
PartResult transfer_part(const TransferTable& table);

}  // namespace xlrm
