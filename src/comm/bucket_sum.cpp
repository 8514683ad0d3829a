#include "bucket_sum.hpp"

#include "xlrm/core/error.hpp"

namespace xlrm {

namespace {

//! Collective. The ranks of the group that share this rank's memory.
Communicator node_of(const Communicator& group, int ranks_per_node) {
    MPI_Comm shared = MPI_COMM_NULL;
    check_mpi(MPI_Comm_split_type(group.get(), MPI_COMM_TYPE_SHARED, group.rank(), MPI_INFO_NULL, &shared),
              "MPI_Comm_split_type");
    int first = group.rank();
    check_mpi(MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPI_INT, MPI_MIN, shared), "MPI_Allreduce");
    check_mpi(MPI_Comm_free(&shared), "MPI_Comm_free");
    Communicator node = group.split(first, group.rank());
    return ranks_per_node > 0 ? node.split(node.rank() / ranks_per_node, node.rank()) : std::move(node);
}

}  // namespace

Wire parse_wire(std::string_view name) {
    require(name == "fp32" || name == "bf16", "--wire '" + std::string(name) + "' is not known (fp32, bf16)", ExitCode::usage);
    return name == "bf16" ? Wire::bf16 : Wire::fp32;
}

Reduction parse_reduction(std::string_view name) {
    if (name == "flat") return Reduction::flat;
    if (name == "hierarchical") return Reduction::hierarchical;
    require(name == "auto", "--reduction '" + std::string(name) + "' is not known (auto, flat, hierarchical)", ExitCode::usage);
    return Reduction::automatic;
}

std::unique_ptr<BucketSum> make_bucket_sum(const Communicator& group, const ReductionOptions& options) {
    if (group.size() == 1 || options.reduction == Reduction::flat) return make_flat_sum(group, options.wire);
    Communicator node = node_of(group, options.ranks_per_node);
    const bool shares = group.any(node.size() > 1);
    if (!shares && options.reduction == Reduction::automatic) return make_flat_sum(group, options.wire);
    Communicator leaders = group.split(node.root() ? 0 : 1, group.rank());
    return make_shared_memory_sum(std::move(node), std::move(leaders), options.wire);
}

}  // namespace xlrm
