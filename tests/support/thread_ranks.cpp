#include "support/thread_ranks.hpp"

#include <gtest/gtest.h>
#include <mpi.h>

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

using Bytes = std::vector<char>;

//! One collective operation: what each rank gives. Every rank takes all of it.
struct Round {
    std::vector<Bytes> given;
    int arrived = 0, taken = 0;
};

struct Letter {
    int from = 0, tag = 0;
    Bytes bytes;
};

//! What the ranks of a communicator share.
struct Group {
    explicit Group(int ranks) : size(ranks), next(static_cast<std::size_t>(ranks)), inbox(static_cast<std::size_t>(ranks)) {}
    const int size;
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::int64_t> next;  //!< of each rank: the number of its next collective operation
    std::map<std::int64_t, Round> rounds;
    std::vector<std::deque<Letter>> inbox;
    std::map<std::int64_t, std::map<int, std::shared_ptr<Group>>> parts;  //!< operation that made them, then colour
};

//! A communicator as one rank holds it.
struct Member {
    std::shared_ptr<Group> group;
    int rank = 0;
};

struct Request {
    Member* member;
    std::int64_t number;
    int* result;
};

struct Place {
    char* begin;
    std::size_t bytes;
};

struct Window {
    Member* member;
    std::shared_ptr<Bytes> own;
    std::vector<Place> all;
};

thread_local Member* world = nullptr;

Member& member(MPI_Comm comm) { return comm == MPI_COMM_WORLD ? *world : *reinterpret_cast<Member*>(comm); }

std::int64_t start(Member& self, const void* data, std::size_t bytes) {
    Group& group = *self.group;
    const std::lock_guard lock(group.mutex);
    const std::int64_t number = group.next[static_cast<std::size_t>(self.rank)]++;
    Round& round = group.rounds[number];
    round.given.resize(static_cast<std::size_t>(group.size));
    const char* begin = static_cast<const char*>(data);
    if (bytes > 0) round.given[static_cast<std::size_t>(self.rank)].assign(begin, begin + bytes);
    if (++round.arrived == group.size) group.changed.notify_all();
    return number;
}

//! What all gave, once all have; nothing before.
bool take(Member& self, std::int64_t number, std::vector<Bytes>* all, bool wait) {
    Group& group = *self.group;
    std::unique_lock lock(group.mutex);
    Round& round = group.rounds.at(number);
    if (!wait && round.arrived < group.size) return false;
    group.changed.wait(lock, [&] { return round.arrived == group.size; });
    *all = round.given;
    if (++round.taken == group.size) group.rounds.erase(number);
    return true;
}

std::vector<Bytes> exchange(MPI_Comm comm, const void* data, std::size_t bytes) {
    std::vector<Bytes> all;
    take(member(comm), start(member(comm), data, bytes), &all, true);
    return all;
}

std::size_t size_of(MPI_Datatype type, int count) {
    const std::size_t one = type == MPI_BYTE ? 1 : type == MPI_UINT16_T ? 2 : type == MPI_FLOAT || type == MPI_INT ? 4 : 8;
    return one * static_cast<std::size_t>(count);
}

template <class T>
void combine(const std::vector<Bytes>& all, int count, MPI_Op op, void* out) {
    std::vector<T> total(static_cast<std::size_t>(count)), part(static_cast<std::size_t>(count));
    for (std::size_t rank = 0; rank < all.size(); ++rank) {
        if (count > 0) std::memcpy(part.data(), all[rank].data(), all[rank].size());
        for (std::size_t i = 0; i < total.size(); ++i)
            total[i] = rank == 0       ? part[i]
                       : op == MPI_SUM ? total[i] + part[i]
                       : op == MPI_MAX ? std::max(total[i], part[i])
                                       : std::min(total[i], part[i]);
    }
    if (count > 0) std::memcpy(out, total.data(), total.size() * sizeof(T));
}

void combine(const std::vector<Bytes>& all, int count, MPI_Datatype type, MPI_Op op, void* out) {
    if (type == MPI_FLOAT)
        combine<float>(all, count, op, out);
    else if (type == MPI_DOUBLE)
        combine<double>(all, count, op, out);
    else if (type == MPI_INT)
        combine<int>(all, count, op, out);
    else
        combine<std::int64_t>(all, count, op, out);
}

int join(MPI_Comm comm, int color, MPI_Comm* made) {
    Member& self = member(comm);
    const std::int64_t number = start(self, &color, sizeof color);
    std::vector<Bytes> all;
    take(self, number, &all, true);
    int rank = 0, size = 0;
    for (int other = 0; other < self.group->size; ++other) {
        int theirs = 0;
        std::memcpy(&theirs, all[static_cast<std::size_t>(other)].data(), sizeof theirs);
        if (theirs != color) continue;
        if (other < self.rank) ++rank;
        ++size;
    }
    const std::lock_guard lock(self.group->mutex);
    std::shared_ptr<Group>& part = self.group->parts[number][color];
    if (!part) part = std::make_shared<Group>(size);
    *made = reinterpret_cast<MPI_Comm>(new Member{part, rank});
    return MPI_SUCCESS;
}

//! The first letter to `self` with the tag.
std::deque<Letter>::iterator find(std::deque<Letter>& inbox, int tag) {
    auto letter = inbox.begin();
    while (letter != inbox.end() && letter->tag != tag) ++letter;
    return letter;
}

}  // namespace

namespace xlrm {

void run_ranks(int ranks, const std::function<void(int rank)>& body) {
    const auto group = std::make_shared<Group>(ranks);
    std::vector<std::thread> threads;
    for (int rank = 0; rank < ranks; ++rank) {
        threads.emplace_back([&, rank] {
            Member self{group, rank};
            world = &self;
            try {
                body(rank);
            } catch (const std::exception& error) {
                ADD_FAILURE() << "rank " << rank << ": " << error.what();
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
}

}  // namespace xlrm

// What xlrm calls of MPI. HDF5 asks whether MPI runs, hears no, and calls nothing else.
extern "C" {

int MPI_Initialized(int* flag) { return *flag = 0, MPI_SUCCESS; }
int MPI_Finalized(int* flag) { return *flag = 0, MPI_SUCCESS; }
int MPI_Query_thread(int* level) { return *level = MPI_THREAD_MULTIPLE, MPI_SUCCESS; }
int MPI_Comm_set_errhandler(MPI_Comm, MPI_Errhandler) { return MPI_SUCCESS; }
int MPI_Error_string(int, char* text, int* length) { return *length = std::snprintf(text, 8, "threads"), MPI_SUCCESS; }
int MPI_Comm_rank(MPI_Comm comm, int* rank) { return *rank = member(comm).rank, MPI_SUCCESS; }
int MPI_Comm_size(MPI_Comm comm, int* size) { return *size = member(comm).group->size, MPI_SUCCESS; }
int MPI_Comm_dup(MPI_Comm comm, MPI_Comm* made) {
    return comm == MPI_COMM_SELF ? (*made = reinterpret_cast<MPI_Comm>(new Member{std::make_shared<Group>(1), 0}), MPI_SUCCESS)
                                 : join(comm, 0, made);
}
int MPI_Comm_split(MPI_Comm comm, int color, int, MPI_Comm* made) { return join(comm, color, made); }
int MPI_Comm_split_type(MPI_Comm comm, int, int, MPI_Info, MPI_Comm* made) { return join(comm, 0, made); }
int MPI_Comm_free(MPI_Comm* comm) {
    delete reinterpret_cast<Member*>(*comm);
    return *comm = MPI_COMM_NULL, MPI_SUCCESS;
}
int MPI_Barrier(MPI_Comm comm) { return exchange(comm, nullptr, 0), MPI_SUCCESS; }

int MPI_Allreduce(const void*, void* values, int count, MPI_Datatype type, MPI_Op op, MPI_Comm comm) {  // in place alone
    combine(exchange(comm, values, size_of(type, count)), count, type, op, values);
    return MPI_SUCCESS;
}

int MPI_Iallreduce(const void* give, void* result, int, MPI_Datatype, MPI_Op, MPI_Comm comm, MPI_Request* request) {  // int, MAX
    Member& self = member(comm);
    *request = reinterpret_cast<MPI_Request>(new Request{&self, start(self, give, sizeof(int)), static_cast<int*>(result)});
    return MPI_SUCCESS;
}

int MPI_Test(MPI_Request* request, int* done, MPI_Status*) {
    const auto* asked = reinterpret_cast<Request*>(*request);
    std::vector<Bytes> all;
    *done = take(*asked->member, asked->number, &all, false) ? 1 : 0;
    if (*done == 0) return MPI_SUCCESS;
    combine<int>(all, 1, MPI_MAX, asked->result);
    delete asked;
    return *request = MPI_REQUEST_NULL, MPI_SUCCESS;
}

int MPI_Bcast(void* data, int count, MPI_Datatype type, int root, MPI_Comm comm) {
    const bool gives = member(comm).rank == root;
    const std::vector<Bytes> all = exchange(comm, data, gives ? size_of(type, count) : 0);
    if (!gives && count > 0) std::memcpy(data, all[static_cast<std::size_t>(root)].data(), size_of(type, count));
    return MPI_SUCCESS;
}

int MPI_Allgatherv(const void* give, int count, MPI_Datatype type, void* out, const int* counts, const int* begins, MPI_Datatype,
                   MPI_Comm comm) {
    const std::vector<Bytes> all = exchange(comm, give, size_of(type, count));
    for (std::size_t rank = 0; rank < all.size(); ++rank)
        if (counts[rank] > 0)
            std::memcpy(static_cast<char*>(out) + size_of(type, begins[rank]), all[rank].data(), all[rank].size());
    return MPI_SUCCESS;
}

int MPI_Allgather(const void* give, int count, MPI_Datatype type, void* out, int, MPI_Datatype, MPI_Comm comm) {
    std::vector<int> counts(static_cast<std::size_t>(member(comm).group->size), count), begins(counts.size());
    for (std::size_t rank = 0; rank < begins.size(); ++rank) begins[rank] = static_cast<int>(rank) * count;
    return MPI_Allgatherv(give, count, type, out, counts.data(), begins.data(), type, comm);
}

int MPI_Alltoallv(const void* give, const int* counts, const int* begins, MPI_Datatype type, void* out, const int* received,
                  const int* places, MPI_Datatype, MPI_Comm comm) {
    const Member& self = member(comm);
    const auto ranks = static_cast<std::size_t>(self.group->size);
    std::vector<Bytes> pieces(ranks);  // what this rank gets of each: all exchange everything
    const std::vector<Bytes> their_begins = exchange(comm, begins, ranks * sizeof(int));
    const std::vector<Bytes> all = exchange(comm, give, size_of(type, begins[ranks - 1] + counts[ranks - 1]));
    for (std::size_t rank = 0; rank < ranks; ++rank) {
        int begin = 0;
        std::memcpy(&begin, their_begins[rank].data() + static_cast<std::size_t>(self.rank) * sizeof(int), sizeof(int));
        if (received[rank] > 0)
            std::memcpy(static_cast<char*>(out) + size_of(type, places[rank]), all[rank].data() + size_of(type, begin),
                        size_of(type, received[rank]));
    }
    return MPI_SUCCESS;
}

int MPI_Send(const void* data, int count, MPI_Datatype, int to, int tag, MPI_Comm comm) {  // bytes
    const Member& self = member(comm);
    const char* begin = static_cast<const char*>(data);
    const std::lock_guard lock(self.group->mutex);
    self.group->inbox[static_cast<std::size_t>(to)].push_back({self.rank, tag, Bytes(begin, begin + count)});
    return MPI_SUCCESS;
}

int MPI_Improbe(int, int tag, MPI_Comm comm, int* found, MPI_Message* message, MPI_Status* status) {
    const Member& self = member(comm);
    const std::lock_guard lock(self.group->mutex);
    std::deque<Letter>& inbox = self.group->inbox[static_cast<std::size_t>(self.rank)];
    const auto letter = find(inbox, tag);
    *found = letter != inbox.end() ? 1 : 0;
    if (*found == 0) return MPI_SUCCESS;
    status->MPI_SOURCE = letter->from;
    status->_ucount = letter->bytes.size();
    *message = reinterpret_cast<MPI_Message>(new Letter(std::move(*letter)));
    inbox.erase(letter);
    return MPI_SUCCESS;
}

int MPI_Get_count(const MPI_Status* status, MPI_Datatype, int* count) {
    return *count = static_cast<int>(status->_ucount), MPI_SUCCESS;
}

int MPI_Mrecv(void* data, int, MPI_Datatype, MPI_Message* message, MPI_Status*) {
    auto* letter = reinterpret_cast<Letter*>(*message);
    if (!letter->bytes.empty()) std::memcpy(data, letter->bytes.data(), letter->bytes.size());
    delete letter;
    return *message = MPI_MESSAGE_NULL, MPI_SUCCESS;
}

int MPI_Win_allocate_shared(MPI_Aint bytes, int, MPI_Info, MPI_Comm comm, void* base, MPI_Win* window) {
    Member& self = member(comm);
    const auto own = std::make_shared<Bytes>(static_cast<std::size_t>(bytes) + 64);
    Place place{own->data() + (64 - reinterpret_cast<std::uintptr_t>(own->data()) % 64), static_cast<std::size_t>(bytes)};
    std::memcpy(base, &place.begin, sizeof place.begin);
    auto* made = new Window{&self, own, {}};
    for (const Bytes& theirs : exchange(comm, &place, sizeof place)) {
        std::memcpy(&place, theirs.data(), sizeof place);
        made->all.push_back(place);
    }
    return *window = reinterpret_cast<MPI_Win>(made), MPI_SUCCESS;
}

int MPI_Win_shared_query(MPI_Win window, int rank, MPI_Aint* size, int* unit, void* base) {
    const Place& place = reinterpret_cast<Window*>(window)->all[static_cast<std::size_t>(rank)];
    *size = static_cast<MPI_Aint>(place.bytes);
    *unit = 1;
    std::memcpy(base, &place.begin, sizeof place.begin);
    return MPI_SUCCESS;
}

int MPI_Win_free(MPI_Win* window) {
    auto* made = reinterpret_cast<Window*>(*window);
    exchange(reinterpret_cast<MPI_Comm>(made->member), nullptr, 0);  // as MPI does: nobody's memory goes while another may use it
    delete made;
    return *window = MPI_WIN_NULL, MPI_SUCCESS;
}

}  // extern "C"
