#pragma once

#include <cstdint>

namespace xlrm {

//! Code points at which being assigned in Unicode 9.0 begins and ends, in turn, from 0 on.
extern const std::uint32_t kUnicode9Flips[];
extern const int kUnicode9FlipCount;

struct NewerRange {
    std::uint32_t first, last;
    char category[3];
};
//! What Unicode 15.0 to 16.0 assigned, with general categories, in order.
extern const NewerRange kNewerRanges[];
extern const int kNewerRangeCount;

}  // namespace xlrm
