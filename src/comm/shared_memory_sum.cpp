#include <pthread.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "bucket_sum.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/partition.hpp"

namespace xlrm {

namespace {

constexpr std::size_t kPiece =
    1U << 18U;  // elements summed at once: 1 MiB, so that what one rank writes the others still find in cache
constexpr std::size_t kBlock = 1024;  // elements whose sum stays in the first cache while ranks are added
constexpr std::size_t kHead = 4096;   // bytes before the parts, for the barrier

static_assert(sizeof(pthread_barrier_t) <= kHead);

//! Memory of a node: the first rank's barrier, then two pieces of each rank. Waiting is the kernel's, not MPI's, which spins: the
//! communication thread shares its core with the backward pass.
class NodeMemory {
public:
    explicit NodeMemory(const Communicator& node) : node_(node) {
        const std::size_t bytes = 2 * kPiece * sizeof(float) + (node.root() ? kHead : 0);
        void* own = nullptr;
        const int code = MPI_Win_allocate_shared(static_cast<MPI_Aint>(bytes), 1, MPI_INFO_NULL, node.get(), &own, &window_);
        check_mpi(code,
                  "MPI_Win_allocate_shared (shared memory of a node is short, or not there; --reduction flat does without)");
        for (int rank = 0; rank < node.size(); ++rank) {
            MPI_Aint size = 0;
            int unit = 0;
            void* base = nullptr;
            check_mpi(MPI_Win_shared_query(window_, rank, &size, &unit, &base), "MPI_Win_shared_query");
            if (rank == 0) barrier_ = static_cast<pthread_barrier_t*>(base);
            parts_.push_back(reinterpret_cast<float*>(static_cast<std::byte*>(base) + (rank == 0 ? kHead : 0)));
        }
        if (node.root()) make_barrier();
        node.barrier();
    }
    //! Collective.
    ~NodeMemory() {
        MPI_Barrier(node_.get());
        if (node_.root()) pthread_barrier_destroy(barrier_);
        MPI_Win_free(&window_);
    }
    NodeMemory(const NodeMemory&) = delete;
    NodeMemory& operator=(const NodeMemory&) = delete;

    float* part(int rank, int half) const {
        return parts_[static_cast<std::size_t>(rank)] + static_cast<std::size_t>(half) * kPiece;
    }
    //! Collective in the node. Sleeps; what was written before it is seen behind it.
    void wait() const { pthread_barrier_wait(barrier_); }

private:
    void make_barrier() const {
        pthread_barrierattr_t attributes;
        pthread_barrierattr_init(&attributes);
        pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
        const int code = pthread_barrier_init(barrier_, &attributes, static_cast<unsigned>(node_.size()));
        pthread_barrierattr_destroy(&attributes);
        require(code == 0, "pthread_barrier_init failed: no barrier between processes on this system; use --reduction flat");
    }

    const Communicator& node_;
    MPI_Win window_ = MPI_WIN_NULL;
    pthread_barrier_t* barrier_ = nullptr;
    std::vector<float*> parts_;
};

//! Every rank sums one slice over the ranks of its node, in rank order, into the first rank's part; the first ranks add those
//! among nodes. The halves of a part are used in turn: who writes a half again has met, at the barrier between, all who read it
//! before.
class SharedMemorySum : public BucketSum {
public:
    SharedMemorySum(Communicator node, Communicator leaders, Wire wire)
        : node_(std::move(node)),
          leaders_(std::move(leaders)),
          between_(make_flat_sum(leaders_, wire)),
          memory_(node_),
          nodes_(node_.root() ? leaders_.size() : 0) {
        check_mpi(MPI_Bcast(&nodes_, 1, MPI_INT, 0, node_.get()), "MPI_Bcast");
    }

    void sum(std::span<float> values) override {
        for (; !values.empty(); values = values.subspan(std::min(kPiece, values.size())))
            sum_piece(values.first(std::min(kPiece, values.size())));
    }

private:
    std::pair<std::size_t, std::size_t> slice(std::size_t size) const {
        const Range range = block_range(static_cast<std::int64_t>(size), node_.rank(), node_.size());
        return {static_cast<std::size_t>(range.begin), static_cast<std::size_t>(range.end)};
    }

    void sum_piece(std::span<float> values) {
        const auto [begin, end] = slice(values.size());
        float* const own = memory_.part(node_.rank(), half_);
        float* const total = memory_.part(0, half_);
        half_ = 1 - half_;
        copy(values.data(), own, 0, begin);
        copy(values.data(), own, end, values.size());
        memory_.wait();
        for (std::size_t at = begin; at < end; at += kBlock) add_ranks(values, total, at, std::min(kBlock, end - at));
        memory_.wait();
        if (nodes_ > 1) {
            if (node_.root()) between_->sum({total, values.size()});
            memory_.wait();
            copy(total, values.data(), begin, end);
        }
        copy(total, values.data(), 0, begin);
        copy(total, values.data(), end, values.size());
    }

    static void copy(const float* from, float* to, std::size_t begin, std::size_t end) {
        std::copy(from + begin, from + end, to + begin);
    }

    //! Own values come from where they lie: this rank alone reads its slice.
    void add_ranks(std::span<float> values, float* total, std::size_t at, std::size_t count) const {
        const int half = 1 - half_;
        std::array<float, kBlock> sum;
        for (int rank = 0; rank < node_.size(); ++rank) {
            const float* const from = (rank == node_.rank() ? values.data() : memory_.part(rank, half)) + at;
            if (rank == 0)
                std::copy(from, from + count, sum.begin());
            else
                for (std::size_t i = 0; i < count; ++i) sum[i] += from[i];
        }
        std::copy_n(sum.begin(), count, total + at);
        std::copy_n(sum.begin(), count, values.data() + at);
    }

    const Communicator node_, leaders_;
    const std::unique_ptr<BucketSum> between_;
    const NodeMemory memory_;
    int nodes_;
    int half_ = 0;
};

}  // namespace

std::unique_ptr<BucketSum> make_shared_memory_sum(Communicator node, Communicator leaders, Wire wire) {
    return std::make_unique<SharedMemorySum>(std::move(node), std::move(leaders), wire);
}

}  // namespace xlrm
