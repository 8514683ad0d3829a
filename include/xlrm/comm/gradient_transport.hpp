#pragma once

#include <memory>
#include <span>

#include "xlrm/comm/communicator.hpp"
#include "xlrm/core/partition.hpp"

namespace xlrm {

struct ReductionOptions;

//! When a range holds its final values: at the call, or on a device behind this event of its queue.
struct RangeReady {
    void* event = nullptr;
};

//! Sums ranges of a gradient over the ranks of a group, in the order in which they are given; GradientReducer says which.
class GradientTransport {
public:
    virtual ~GradientTransport() = default;

    //! The buffer that later ranges are of, on the host or on the transport's device; valid until wait() returns. Not while
    //! ranges wait.
    virtual void begin(std::span<float> gradient) = 0;
    //! Elements [begin, end) are to be summed in place. The same ranges in the same order on every rank. May return before they
    //! are.
    virtual void enqueue(Range range, RangeReady ready) = 0;
    //! Collective. Returns when all that was enqueued has been summed; then, on every rank, the same bits are there. Throws what
    //! failed meanwhile; the group's ranks then cannot go on together.
    virtual void wait() = 0;
    //! Whether ranges are summed while the caller computes; else wait() does all.
    virtual bool overlaps() const = 0;
    //! While an exception unwinds, in place of the destructor, which may be collective: gives up whatever still waits for other
    //! ranks, which may never come, and keeps what cannot be freed without them until the process ends.
    virtual void abandon() noexcept = 0;
};

//! Collective. On the host: one communication thread with blocking reductions (non-blocking ones make no progress of their own
//! in Open MPI 4: measured slower than none), and with one rank, or thread support below MULTIPLE, none.
std::unique_ptr<GradientTransport> make_host_transport(const Communicator& group, const ReductionOptions& options);

}  // namespace xlrm
