#include "xlrm/comm/communicator.hpp"

#include <algorithm>
#include <chrono>
#include <climits>
#include <cstring>
#include <exception>
#include <thread>
#include <utility>

#include "xlrm/core/error.hpp"

namespace xlrm {

void check_mpi(int code, std::string_view call) {
    if (code == MPI_SUCCESS) return;
    char text[MPI_MAX_ERROR_STRING] = "";
    int length = 0;
    MPI_Error_string(code, text, &length);
    fail(std::string(call) + " failed: " + std::string(text, static_cast<std::size_t>(length)) + " (another rank may have died)");
}

int mpi_count(std::size_t count) {
    require(count <= static_cast<std::size_t>(INT_MAX),
            "a message of more than 2^31 - 1 elements: MPI cannot count it; use more ranks or smaller parts");
    return static_cast<int>(count);
}

bool threads_may_communicate() {
    int level = MPI_THREAD_SINGLE;
    check_mpi(MPI_Query_thread(&level), "MPI_Query_thread");
    return level == MPI_THREAD_MULTIPLE;
}

Communicator::Communicator(MPI_Comm comm) : comm_(comm), exceptions_(std::uncaught_exceptions()) {
    check_mpi(MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    check_mpi(MPI_Comm_rank(comm_, &rank_), "MPI_Comm_rank");
    check_mpi(MPI_Comm_size(comm_, &size_), "MPI_Comm_size");
}

Communicator Communicator::world() {
    MPI_Comm comm = MPI_COMM_NULL;
    check_mpi(MPI_Comm_dup(MPI_COMM_WORLD, &comm), "MPI_Comm_dup");
    Communicator world(comm);
    MPI_Comm node = MPI_COMM_NULL;
    check_mpi(MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node), "MPI_Comm_split_type");
    check_mpi(MPI_Comm_rank(node, &world.local_rank_), "MPI_Comm_rank");
    check_mpi(MPI_Comm_size(node, &world.local_size_), "MPI_Comm_size");
    check_mpi(MPI_Comm_free(&node), "MPI_Comm_free");
    return world;
}

Communicator Communicator::self() {
    MPI_Comm comm = MPI_COMM_NULL;
    check_mpi(MPI_Comm_dup(MPI_COMM_SELF, &comm), "MPI_Comm_dup");
    return Communicator(comm);
}

Communicator::~Communicator() {
    if (comm_ != MPI_COMM_NULL && std::uncaught_exceptions() <= exceptions_) MPI_Comm_free(&comm_);
}

Communicator::Communicator(Communicator&& other) noexcept
    : comm_(std::exchange(other.comm_, MPI_COMM_NULL)),
      rank_(other.rank_),
      size_(other.size_),
      local_rank_(other.local_rank_),
      local_size_(other.local_size_),
      exceptions_(std::uncaught_exceptions()) {}

Communicator& Communicator::operator=(Communicator&& other) noexcept {
    std::swap(comm_, other.comm_);
    std::swap(rank_, other.rank_);
    std::swap(size_, other.size_);
    std::swap(local_rank_, other.local_rank_);
    std::swap(local_size_, other.local_size_);
    return *this;
}

Communicator Communicator::split(int color, int key) const {
    MPI_Comm part = MPI_COMM_NULL;
    check_mpi(MPI_Comm_split(comm_, color, key, &part), "MPI_Comm_split");
    return on_the_same_node(Communicator(part));
}

Communicator Communicator::duplicate() const {
    MPI_Comm copy = MPI_COMM_NULL;
    check_mpi(MPI_Comm_dup(comm_, &copy), "MPI_Comm_dup");
    return on_the_same_node(Communicator(copy));
}

Communicator Communicator::on_the_same_node(Communicator part) const {
    part.local_rank_ = local_rank_;
    part.local_size_ = local_size_;
    return part;
}

void Communicator::barrier() const { check_mpi(MPI_Barrier(comm_), "MPI_Barrier"); }

void Communicator::sum(std::span<float> values) const {
    check_mpi(MPI_Allreduce(MPI_IN_PLACE, values.data(), mpi_count(values.size()), MPI_FLOAT, MPI_SUM, comm_), "MPI_Allreduce");
}

void Communicator::sum(std::span<double> values) const {
    check_mpi(MPI_Allreduce(MPI_IN_PLACE, values.data(), mpi_count(values.size()), MPI_DOUBLE, MPI_SUM, comm_), "MPI_Allreduce");
}

void Communicator::sum(std::span<std::int64_t> values) const {
    check_mpi(MPI_Allreduce(MPI_IN_PLACE, values.data(), mpi_count(values.size()), MPI_INT64_T, MPI_SUM, comm_), "MPI_Allreduce");
}

double Communicator::max(double value) const {
    check_mpi(MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_DOUBLE, MPI_MAX, comm_), "MPI_Allreduce");
    return value;
}

double Communicator::min(double value) const {
    check_mpi(MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_DOUBLE, MPI_MIN, comm_), "MPI_Allreduce");
    return value;
}

std::int64_t Communicator::max(std::int64_t value) const {
    check_mpi(MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_INT64_T, MPI_MAX, comm_), "MPI_Allreduce");
    return value;
}

bool Communicator::any(bool value) const { return max(std::int64_t{value}) != 0; }

bool Communicator::all(bool value) const { return !any(!value); }

bool Communicator::any_after_wait(bool value) const {
    int mine = value ? 1 : 0;
    int result = 0;
    MPI_Request request = MPI_REQUEST_NULL;
    check_mpi(MPI_Iallreduce(&mine, &result, 1, MPI_INT, MPI_MAX, comm_, &request), "MPI_Iallreduce");
    for (int done = 0;;) {
        check_mpi(MPI_Test(&request, &done, MPI_STATUS_IGNORE), "MPI_Test");
        if (done != 0) return result != 0;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
}

std::string Communicator::broadcast(const std::string& text, int root) const {
    std::int64_t size = static_cast<std::int64_t>(text.size());
    check_mpi(MPI_Bcast(&size, 1, MPI_INT64_T, root, comm_), "MPI_Bcast");
    std::string result = rank_ == root ? text : std::string(static_cast<std::size_t>(size), '\0');
    broadcast_bytes(std::as_writable_bytes(std::span(result.data(), result.size())), root);
    return result;
}

void Communicator::broadcast_bytes(std::span<std::byte> bytes, int root) const {
    constexpr std::size_t kPart = 1U << 30U;
    for (std::size_t begin = 0; begin < bytes.size(); begin += kPart) {
        const std::span<std::byte> part = bytes.subspan(begin, std::min(kPart, bytes.size() - begin));
        check_mpi(MPI_Bcast(part.data(), mpi_count(part.size()), MPI_BYTE, root, comm_), "MPI_Bcast");
    }
}

std::vector<std::string> Communicator::gather_text(const std::string& text) const {
    std::vector<std::string> all(static_cast<std::size_t>(size_));
    for (int root = 0; root < size_; ++root) all[static_cast<std::size_t>(root)] = broadcast(root == rank_ ? text : "", root);
    return all;
}

namespace {

template <class T>
std::vector<T> gather_values(std::span<const T> mine, MPI_Datatype type, int size, MPI_Comm comm) {
    int count = mpi_count(mine.size());
    std::vector<int> counts(static_cast<std::size_t>(size));
    check_mpi(MPI_Allgather(&count, 1, MPI_INT, counts.data(), 1, MPI_INT, comm), "MPI_Allgather");
    std::vector<int> begins(counts.size());
    std::int64_t total = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        begins[i] = mpi_count(static_cast<std::size_t>(total));
        total += counts[i];
    }
    std::vector<T> all(static_cast<std::size_t>(total));
    check_mpi(MPI_Allgatherv(mine.data(), count, type, all.data(), counts.data(), begins.data(), type, comm), "MPI_Allgatherv");
    return all;
}

}  // namespace

std::vector<double> Communicator::gather(std::span<const double> values) const {
    return gather_values(values, MPI_DOUBLE, size_, comm_);
}

std::vector<std::int64_t> Communicator::gather(std::span<const std::int64_t> values) const {
    return gather_values(values, MPI_INT64_T, size_, comm_);
}

std::vector<float> Communicator::gather_to_root(std::span<const float> values) const {
    int count = mpi_count(values.size());
    std::vector<int> counts(root() ? static_cast<std::size_t>(size_) : 0);
    check_mpi(MPI_Gather(&count, 1, MPI_INT, counts.data(), 1, MPI_INT, 0, comm_), "MPI_Gather");
    std::vector<int> begins;
    std::size_t total = 0;
    for (const int part : counts) {
        begins.push_back(mpi_count(total));
        total += static_cast<std::size_t>(part);
    }
    std::vector<float> all(total);
    check_mpi(MPI_Gatherv(values.data(), count, MPI_FLOAT, all.data(), counts.data(), begins.data(), MPI_FLOAT, 0, comm_),
              "MPI_Gatherv");
    return all;
}

void Communicator::send(const std::string& text, int to, int tag) const {
    check_mpi(MPI_Send(text.data(), mpi_count(text.size()), MPI_BYTE, to, tag, comm_), "MPI_Send");
}

std::optional<Communicator::Message> Communicator::try_receive(int tag) const {
    int found = 0;
    MPI_Message message = MPI_MESSAGE_NULL;
    MPI_Status status;
    check_mpi(MPI_Improbe(MPI_ANY_SOURCE, tag, comm_, &found, &message, &status), "MPI_Improbe");
    if (found == 0) return std::nullopt;
    int size = 0;
    check_mpi(MPI_Get_count(&status, MPI_BYTE, &size), "MPI_Get_count");
    Message result{std::string(static_cast<std::size_t>(size), '\0'), status.MPI_SOURCE};
    check_mpi(MPI_Mrecv(result.text.data(), size, MPI_BYTE, &message, &status), "MPI_Mrecv");
    return result;
}

Communicator::Message Communicator::receive(int tag, double poll_ms) const {
    for (;;) {
        if (std::optional<Message> message = try_receive(tag)) return std::move(*message);
        std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(poll_ms));
    }
}

std::string Communicator::agree(const std::string& error) const {
    if (!any(!error.empty())) return "";
    const std::vector<std::string> all = gather_text(error);
    for (int rank = 0; rank < size_; ++rank) {
        const std::string& text = all[static_cast<std::size_t>(rank)];
        if (text.empty()) continue;
        const bool common = std::all_of(all.begin(), all.end(), [&](const std::string& other) { return other == text; });
        return common ? text : "rank " + std::to_string(rank) + ": " + text;
    }
    return "";
}

}  // namespace xlrm
