#include <utility>
#include <vector>

#include "bucket_sum.hpp"
#include "wire_format.hpp"
#include "xlrm/core/partition.hpp"

namespace xlrm {

namespace {

class AllReduce : public BucketSum {
public:
    explicit AllReduce(const Communicator& group) : group_(group) {}
    void sum(std::span<float> values) override { group_.sum(values); }

private:
    const Communicator& group_;
};

//! Each rank gets everybody's bf16 of its own piece of the bucket, adds in fp32 in rank order, and hands the rounded sum to all:
//! what MPI would add in bf16 would round at every addition, and in an order of its own.
class RoundedSum : public BucketSum {
public:
    explicit RoundedSum(const Communicator& group) : group_(group) {}

    void sum(std::span<float> values) override {
        if (group_.size() == 1 || values.empty()) return;
        const auto ranks = static_cast<std::size_t>(group_.size());
        std::vector<int> counts(ranks), begins(ranks);
        for (std::size_t r = 0; r < ranks; ++r) {
            const Range piece = block_range(static_cast<std::int64_t>(values.size()), static_cast<int>(r), group_.size());
            counts[r] = mpi_count(static_cast<std::size_t>(piece.size()));
            begins[r] = mpi_count(static_cast<std::size_t>(piece.begin));
        }
        const auto own = static_cast<std::size_t>(counts[static_cast<std::size_t>(group_.rank())]);
        wire_.resize(values.size());
        to_bf16(values, wire_);
        gather_pieces(counts, begins, own);
        sum_.assign(own, 0.0F);
        from_bf16(std::span(pieces_).first(own), sum_);
        for (std::size_t r = 1; r < ranks; ++r) add_bf16(std::span(pieces_).subspan(r * own, own), sum_);
        mine_.resize(own);
        to_bf16(sum_, mine_);
        check_mpi(MPI_Allgatherv(mine_.data(), static_cast<int>(own), MPI_UINT16_T, wire_.data(), counts.data(), begins.data(),
                                 MPI_UINT16_T, group_.get()),
                  "MPI_Allgatherv");
        from_bf16(wire_, values);
    }

private:
    void gather_pieces(const std::vector<int>& counts, const std::vector<int>& begins, std::size_t own) {
        const std::vector<int> received(counts.size(), static_cast<int>(own));
        std::vector<int> places(counts.size());
        for (std::size_t r = 0; r < places.size(); ++r) places[r] = mpi_count(r * own);
        pieces_.resize(counts.size() * own);
        check_mpi(MPI_Alltoallv(wire_.data(), counts.data(), begins.data(), MPI_UINT16_T, pieces_.data(), received.data(),
                                places.data(), MPI_UINT16_T, group_.get()),
                  "MPI_Alltoallv");
    }

    const Communicator& group_;
    std::vector<std::uint16_t> wire_, pieces_, mine_;
    std::vector<float> sum_;
};

}  // namespace

std::unique_ptr<BucketSum> make_flat_sum(const Communicator& group, Wire wire) {
    if (wire == Wire::bf16) return std::make_unique<RoundedSum>(group);
    return std::make_unique<AllReduce>(group);
}

}  // namespace xlrm
