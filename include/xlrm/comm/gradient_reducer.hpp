#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "xlrm/comm/communicator.hpp"
#include "xlrm/comm/gradient_transport.hpp"

namespace xlrm {

//! What travels: fp32, or bf16 with half the bytes. Sums are fp32 either way.
enum class Wire { fp32, bf16 };
Wire parse_wire(std::string_view name);

//! Who talks to whom. flat: every rank with every other through MPI. hierarchical: the ranks of a node sum through shared memory
//! without MPI, and one rank a node talks to the other nodes. automatic: hierarchical where a node holds more than one rank.
enum class Reduction { automatic, flat, hierarchical };
Reduction parse_reduction(std::string_view name);

struct ReductionOptions {
    std::int64_t bucket = 1 << 20;  //!< elements that are reduced at once
    Wire wire = Wire::fp32;
    Reduction reduction = Reduction::automatic;
    int ranks_per_node =
        0;  //!< for tests and measurements: takes so many consecutive ranks of a node for a node of their own; 0: all
};

//! Sums a flat fp32 gradient over the ranks of a group while the backward pass still runs: keeps account of what is final and
//! gives it to a transport in buckets, from the end of the buffer on. With one rank nothing is given; where the transport does
//! not overlap, ready() only notes and finish() gives all.
//!
//! All ranks hold the same bits afterwards, and the same bits again for the same values and the same placement of ranks.
//! With bf16 every contribution that travels is rounded to nearest even once, contributions are added in fp32 in rank order, and
//! the sum is rounded once: |error| <= 2^-8 Σ|contribution| + 2^-8 |sum of the rounded ones|, and fp32's own (8 bits: half a unit
//! is 2^-8). A contribution is a rank's value where the reduction is flat, and a node's fp32 sum where it is hierarchical: ranks
//! of one node do not round.
//!
//!     reducer.begin(gradient);
//!     ... backward: reducer.ready(offset, count) for each part that is final; ranges come from the end of the buffer on
//!     reducer.finish();            // all parts summed
class GradientReducer {
public:
    //! Collective.
    GradientReducer(const Communicator& group, const ReductionOptions& options);
    explicit GradientReducer(const Communicator& group, std::int64_t bucket = 1 << 20)
        : GradientReducer(group, ReductionOptions{.bucket = bucket}) {}
    //! Over another transport, for a group of so many ranks.
    GradientReducer(std::unique_ptr<GradientTransport> transport, int ranks, std::int64_t bucket);
    //! Collective; while an exception unwinds it leaves a busy thread behind instead of waiting for the other ranks (the job then
    //! ends through MPI_Abort).
    ~GradientReducer();
    GradientReducer(const GradientReducer&) = delete;
    GradientReducer& operator=(const GradientReducer&) = delete;

    //! `gradient` must stay valid until finish().
    void begin(std::span<float> gradient);
    //! The elements [offset, offset + count) will not change any more. From the end of the buffer on, without gaps; the same
    //! calls, in the same order, on every rank. `when`: on a device, behind which event; it is behind those of earlier parts.
    void ready(std::int64_t offset, std::int64_t count, RangeReady when = {});
    //! Collective. Waits until every element of the buffer has been summed, those never announced included.
    void finish();
    //! Seconds that finish() waited in the last step (exposed communication).
    double exposed_seconds() const { return exposed_; }

private:
    //! Gives [low, high) to the transport, in pieces of the bucket's size.
    void hand_over(RangeReady when);

    const std::unique_ptr<GradientTransport> transport_;
    const int ranks_;
    const std::int64_t bucket_;
    std::int64_t low_ = 0, high_ = 0;  //!< announced and not handed over; everything from `high` on was
    double exposed_ = 0.0;
    const int exceptions_;
};

}  // namespace xlrm
