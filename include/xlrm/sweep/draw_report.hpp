#pragma once

#include <filesystem>
#include <string>

namespace xlrm {

//! Runs xlrm_report, the program that lies beside this one, on a sweep's folder; it prints where the page is. One process's work,
//! without MPI: called when the job has ended, so that no rank waits for it. Where there is no such program, no Python for it, or
//! it fails, a line says so; the tables stand alone. A stop request ends it. Throws nothing.
void draw_report(const std::filesystem::path& folder, const std::string& english);

}  // namespace xlrm
