#pragma once

#include <functional>
#include <string>
#include <vector>

#include "xlrm/comm/communicator.hpp"
#include "xlrm/core/json.hpp"

namespace xlrm {

struct Figure {
    std::string name, unit;
    std::vector<double> samples;
};

//! Figures of one measurement.
struct BenchRow {
    std::string what, name, dtype;
    std::vector<Figure> figures = {};

    //! The figure of this name; made where it is not there yet.
    Figure& figure(const std::string& figure_name, const std::string& unit);
};

//! Adds "NAME, to the first" (x): the row's median of a figure over that of the first row of the same kind; 1 in that row itself.
void compare_with_first(const std::vector<BenchRow>& rows, BenchRow& row, const std::vector<std::string>& names);

double median(std::vector<double> values);  //!< REQUIRES: not empty

std::string table_of(const std::vector<BenchRow>& rows);
Json json_of(const std::vector<BenchRow>& rows);

//! Collective. Seconds of `work` on the slowest rank, all beginning together.
double timed(const Communicator& world, const std::function<void()>& work);

//! What the figures were measured on: processor, its cores and what they can do, ranks, threads, versions.
Json describe_machine(const Communicator& world);

}  // namespace xlrm
