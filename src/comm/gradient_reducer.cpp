#include "xlrm/comm/gradient_reducer.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

#include "bucket_sum.hpp"
#include "end_job.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/profile.hpp"

namespace xlrm {

struct GradientReducer::State {
    State(const Communicator& group, const ReductionOptions& options)
        : channel(group.duplicate()), way(make_bucket_sum(channel, options)), bucket(std::max<std::int64_t>(options.bucket, 1)) {
        if (channel.size() > 1 && threads_may_communicate()) worker = std::thread([this] { work(); });
    }
    ~State() { stop(); }

    void stop() {
        if (!worker.joinable()) return;
        {
            const std::lock_guard lock(mutex);
            quit = true;
        }
        wake.notify_all();
        worker.join();
    }

    bool busy() {
        const std::lock_guard lock(mutex);
        return !queue.empty();
    }

    //! Thread: one blocking reduction after the other, in the order of the queue, which is the same on every rank.
    void work() {
        std::unique_lock lock(mutex);
        for (;;) {
            wake.wait(lock, [this] { return quit || !queue.empty(); });
            if (queue.empty()) return;
            const std::span<float> part = queue.front();
            lock.unlock();
            std::exception_ptr failed;
            try {
                const StageScope scope("all-reduce");
                way->sum(part);
            } catch (...) {
                failed = std::current_exception();
            }
            lock.lock();
            if (failed) problem = failed;
            queue.pop_front();
            idle.notify_all();
        }
    }

    std::span<float> piece(std::int64_t begin, std::int64_t end) const {
        return gradient.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
    }

    //! Hands [low, high) over, in pieces of the bucket's size.
    void flush() {
        const std::lock_guard lock(mutex);
        for (std::int64_t end = high; end > low; end -= bucket) {
            queue.push_back(piece(std::max(low, end - bucket), end));
        }
        high = low;
        wake.notify_all();
    }

    const Communicator channel;
    const std::unique_ptr<BucketSum> way;
    std::int64_t bucket;
    std::span<float> gradient;
    std::int64_t low = 0, high = 0;  //!< announced and not handed over; everything from `high` on was
    std::thread worker;
    std::mutex mutex;
    std::condition_variable wake, idle;
    std::deque<std::span<float>> queue;
    std::exception_ptr problem;
    bool quit = false;
    double exposed = 0.0;
    int exceptions = std::uncaught_exceptions();
};

GradientReducer::GradientReducer(const Communicator& group, const ReductionOptions& options)
    : state_(std::make_unique<State>(group, options)) {}

GradientReducer::~GradientReducer() {
    if (std::uncaught_exceptions() <= state_->exceptions) return;
    // Freeing what MPI lent is collective, and a busy thread may wait for ranks that never come: both are left to the end of the
    // process.
    if (state_->worker.joinable() && state_->busy()) {
        note_abandoned_thread();
        state_->worker.detach();
    }
    state_->stop();
    static_cast<void>(state_.release());
}

void GradientReducer::begin(std::span<float> gradient) {
    state_->gradient = gradient;
    state_->low = state_->high = static_cast<std::int64_t>(gradient.size());
}

void GradientReducer::ready(std::int64_t offset, std::int64_t count) {
    State& s = *state_;
    require(offset + count == s.low && offset >= 0,
            "GradientReducer: parts must be announced from the end of the buffer on, without gaps");
    s.low = offset;
    if (s.worker.joinable() && s.high - s.low >= s.bucket) s.flush();
}

void GradientReducer::finish() {
    State& s = *state_;
    if (s.channel.size() == 1) return;
    const StageScope scope("reduction");
    const auto start = std::chrono::steady_clock::now();
    s.low = 0;
    if (s.worker.joinable()) {
        s.flush();
        std::unique_lock lock(s.mutex);
        s.idle.wait(lock, [&s] { return s.queue.empty(); });
        if (s.problem) std::rethrow_exception(s.problem);
    } else {
        for (std::int64_t end = s.high; end > 0; end -= s.bucket)
            s.way->sum(s.piece(std::max<std::int64_t>(0, end - s.bucket), end));
    }
    s.exposed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double GradientReducer::exposed_seconds() const { return state_->exposed; }

}  // namespace xlrm
