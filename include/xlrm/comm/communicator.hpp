#pragma once

#include <mpi.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace xlrm {

//! Checks the result of an MPI call; throws Error with MPI's own words. MPI_ERRORS_RETURN is set by Session.
void check_mpi(int code, std::string_view call);

//! A count as MPI takes it. Throws Error instead of wrapping where it exceeds 2^31 - 1.
int mpi_count(std::size_t count);

//! Whether MPI granted MPI_THREAD_MULTIPLE, so that a thread beside the main one may call it. Session asks for it, and MPI may
//! grant less.
bool threads_may_communicate();

//! First object in main: MPI_Init_thread(MULTIPLE) and, on orderly ends, MPI_Finalize. While an exception unwinds it does
//! not finalise (that could wait for ever for the other ranks). Refuses a launch in which Slurm started several tasks but
//! each of them is rank 0 of 1 (a wrong --mpi= plugin).
class Session {
public:
    Session(int& argc, char**& argv);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    int thread_level() const { return thread_level_; }

private:
    int thread_level_ = 0;
    int exceptions_ = 0;
};

//! Sole owner of a duplicate or part of a communicator. Move-only. Closing is collective, so it leaks while an exception
//! unwinds; run_job ends every rank right after.
class Communicator {
public:
    static Communicator world();
    static Communicator self();
    ~Communicator();
    Communicator(Communicator&& other) noexcept;
    Communicator& operator=(Communicator&& other) noexcept;
    Communicator(const Communicator&) = delete;
    Communicator& operator=(const Communicator&) = delete;

    int rank() const { return rank_; }
    int size() const { return size_; }
    bool root() const { return rank_ == 0; }
    MPI_Comm get() const { return comm_; }
    //! Rank and size among all ranks of the world that share this node's memory; parts and duplicates keep them, since the node's
    //! cores are shared by all. Of self(): 0 and 1.
    int local_rank() const { return local_rank_; }
    int local_size() const { return local_size_; }

    //! Collective. Ranks with equal `color` form one communicator, ordered by `key` then rank.
    Communicator split(int color, int key) const;
    //! Collective.
    Communicator duplicate() const;
    //! Collective.
    void barrier() const;
    //! Collective. Element-wise sums in place; the order of additions is MPI's.
    void sum(std::span<float> values) const;
    void sum(std::span<double> values) const;
    void sum(std::span<std::int64_t> values) const;
    //! Collective.
    double max(double value) const;
    double min(double value) const;
    std::int64_t max(std::int64_t value) const;
    //! Collective. True when it is true on any / every rank.
    bool any(bool value) const;
    bool all(bool value) const;
    //! Collective. Like any(), for ranks that may have to wait long for the others: polls with sleeps instead of spinning a core.
    bool any_after_wait(bool value) const;
    //! Collective. Root's text to all.
    std::string broadcast(const std::string& text, int root = 0) const;
    void broadcast_bytes(std::span<std::byte> bytes, int root = 0) const;
    //! Collective. One text of each rank, in rank order, on every rank.
    std::vector<std::string> gather_text(const std::string& text) const;
    //! Collective. Concatenation over ranks, in rank order, on every rank; ranks may give none.
    std::vector<double> gather(std::span<const double> values) const;
    std::vector<std::int64_t> gather(std::span<const std::int64_t> values) const;
    //! Collective. The same on the root alone; nothing elsewhere.
    std::vector<float> gather_to_root(std::span<const float> values) const;

    //! Point to point, for the coordinator. A message is a text.
    void send(const std::string& text, int to, int tag) const;
    struct Message {
        std::string text;
        int from = 0;
    };
    //! The next message with `tag` from any rank, or nothing when none has come. Does not wait. Threads may receive different
    //! tags of one communicator at the same time.
    std::optional<Message> try_receive(int tag) const;
    //! Waits with sleeps of at most `poll_ms` instead of spinning a core.
    Message receive(int tag, double poll_ms = 0.3) const;

    //! Collective. Agreement at a checkpoint of a cell: `error` empty means success. Returns the first non-empty error (by
    //! rank, with the rank named unless all say the same), or "" on every rank.
    std::string agree(const std::string& error) const;

private:
    explicit Communicator(MPI_Comm comm);
    Communicator on_the_same_node(Communicator part) const;
    MPI_Comm comm_ = MPI_COMM_NULL;
    int rank_ = 0;
    int size_ = 1;
    int local_rank_ = 0;
    int local_size_ = 1;
    int exceptions_ = 0;
};

}  // namespace xlrm
