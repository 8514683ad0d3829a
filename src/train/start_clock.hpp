#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "xlrm/core/profile.hpp"

namespace xlrm {

//! What lies between the start of the process and its first step, by stretches.
class StartClock {
public:
    //! Ends a stretch; the next one begins here.
    void lap(const char* name) {
        const double now = process_seconds();
        laps_.push_back({name, now - last_});
        last_ = now;
    }
    //! "start to first step 1.23 s: libraries and options 0.31, data 0.02, …".
    std::string line() const {
        char text[64];
        std::snprintf(text, sizeof text, "start to first step %.2f s:", last_);
        std::string out = text;
        for (const Lap& lap : laps_) {
            std::snprintf(text, sizeof text, "%s %s %.2f", &lap == &laps_.front() ? "" : ",", lap.name, lap.seconds);
            out += text;
        }
        return out;
    }

private:
    struct Lap {
        const char* name;
        double seconds;
    };
    std::vector<Lap> laps_;
    double last_ = 0.0;
};

}  // namespace xlrm
