#pragma once

#include <memory>
#include <span>

#include "xlrm/comm/gradient_reducer.hpp"

namespace xlrm {

//! One way to sum a bucket over the ranks of a group.
class BucketSum {
public:
    virtual ~BucketSum() = default;
    //! Collective. In place; the same bits on every rank.
    virtual void sum(std::span<float> values) = 0;
};

//! Collective. The way that `options` name. `group` must outlive it.
std::unique_ptr<BucketSum> make_bucket_sum(const Communicator& group, const ReductionOptions& options);

//! fp32: MPI's all-reduce. bf16: each rank sums one piece of the bucket for all (flat_sum.cpp).
std::unique_ptr<BucketSum> make_flat_sum(const Communicator& group, Wire wire);

//! Collective. `node`: the ranks whose memory is shared. `leaders`: the first rank of each node; used by those alone.
std::unique_ptr<BucketSum> make_shared_memory_sum(Communicator node, Communicator leaders, Wire wire);

}  // namespace xlrm
