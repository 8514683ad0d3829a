#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace xlrm {

//! Progress of long work, on standard error: a line rewritten in place on a terminal, else one line a minute and one at
//! the end. Shows done/total, rate and time left. Silent on ranks other than 0 of the world.
class Progress {
public:
    //! `unit` in the plural: "pairs", "cells", "texts".
    Progress(std::string title, std::int64_t total, std::string unit);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    //! `extra` is appended to the line ("loss 0.41").
    void update(std::int64_t done, const std::string& extra = "");
    void finish(const std::string& extra = "");

private:
    void print(const std::string& extra, bool last);
    std::string title_;
    std::string unit_;
    std::int64_t total_;
    std::int64_t done_ = 0;
    std::int64_t first_ = -1;  //!< done before this run began (resumed work does not count in the rate)
    std::chrono::steady_clock::time_point start_;
    std::chrono::steady_clock::time_point shown_;
    bool terminal_;
    bool finished_ = false;
};

//! "3 h 12 min", "4 min 10 s", "8.2 s".
std::string format_duration(double seconds);
//! "1.3 GiB", "812 KiB".
std::string format_bytes(double bytes);

}  // namespace xlrm
