#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "xlrm/comm/communicator.hpp"

namespace xlrm {

//! Sums a flat fp32 gradient over the ranks of a group while the backward pass still runs. One communication thread, blocking
//! MPI_Allreduce on buckets in the order in which they become final (non-blocking reductions make no progress of their own
//! in Open MPI 4: measured slower than none). With one rank, or thread support below MULTIPLE, ready() only notes and
//! finish() reduces.
//!
//!     reducer.begin(gradient);
//!     ... backward: reducer.ready(offset, count) for each part that is final; ranges come from the end of the buffer on
//!     reducer.finish();            // all parts summed
class GradientReducer {
public:
    //! Collective. `bucket` elements are reduced at once.
    GradientReducer(const Communicator& group, std::int64_t bucket = 1 << 20);
    //! Collective; while an exception unwinds it leaves the thread behind instead of waiting for the other ranks.
    ~GradientReducer();
    GradientReducer(const GradientReducer&) = delete;
    GradientReducer& operator=(const GradientReducer&) = delete;

    //! `gradient` must stay valid until finish().
    void begin(std::span<float> gradient);
    //! The elements [offset, offset + count) will not change any more. From the end of the buffer on, without gaps; the same calls, in
    //! the same order, on every rank.
    void ready(std::int64_t offset, std::int64_t count);
    //! Collective. Waits until every element of the buffer has been summed, those never announced included.
    void finish();
    //! Seconds that finish() waited in the last step (exposed communication).
    double exposed_seconds() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace xlrm
