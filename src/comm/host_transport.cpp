#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "bucket_sum.hpp"
#include "end_job.hpp"
#include "xlrm/comm/gradient_transport.hpp"
#include "xlrm/core/profile.hpp"

namespace xlrm {
namespace {

//! What a transport and its thread share. A thread that is left behind keeps it.
class Queue {
public:
    Queue(const Communicator& group, const ReductionOptions& options)
        : channel_(group.duplicate()), way_(make_bucket_sum(channel_, options)) {}

    bool threaded() const { return channel_.size() > 1 && threads_may_communicate(); }

    void begin(std::span<float> gradient) { gradient_ = gradient; }

    void push(Range range) {
        {
            const std::lock_guard lock(mutex_);
            ranges_.push_back(range);
        }
        wake_.notify_all();
    }

    //! The calling thread sums all that waits.
    void sum_here() {
        const std::deque<Range> all = std::exchange(ranges_, {});
        for (const Range& range : all) sum(range);
    }

    //! Thread: one blocking reduction after the other, in the order of the queue, which is the same on every rank.
    void work() {
        std::unique_lock lock(mutex_);
        for (;;) {
            wake_.wait(lock, [this] { return quit_ || !ranges_.empty(); });
            if (ranges_.empty()) return;
            const Range range = ranges_.front();
            lock.unlock();
            std::exception_ptr failed;
            try {
                sum(range);
            } catch (...) {
                failed = std::current_exception();
            }
            lock.lock();
            if (failed) problem_ = failed;
            ranges_.pop_front();
            idle_.notify_all();
        }
    }

    void wait() {
        std::unique_lock lock(mutex_);
        idle_.wait(lock, [this] { return ranges_.empty(); });
        if (problem_) std::rethrow_exception(problem_);
    }

    bool busy() {
        const std::lock_guard lock(mutex_);
        return !ranges_.empty();
    }

    void quit() {
        {
            const std::lock_guard lock(mutex_);
            quit_ = true;
        }
        wake_.notify_all();
    }

private:
    void sum(Range range) {
        const StageScope scope("all-reduce");
        way_->sum(gradient_.subspan(static_cast<std::size_t>(range.begin), static_cast<std::size_t>(range.size())));
    }

    const Communicator channel_;
    const std::unique_ptr<BucketSum> way_;
    std::span<float> gradient_;
    std::mutex mutex_;
    std::condition_variable wake_, idle_;
    std::deque<Range> ranges_;
    std::exception_ptr problem_;
    bool quit_ = false;
};

class HostTransport : public GradientTransport {
public:
    HostTransport(const Communicator& group, const ReductionOptions& options) : queue_(new Queue(group, options)) {
        if (queue_->threaded()) worker_ = std::thread([queue = queue_] { queue->work(); });
    }
    ~HostTransport() override {
        if (queue_ == nullptr) return;
        stop();
        delete queue_;
    }

    void begin(std::span<float> gradient) override { queue_->begin(gradient); }
    void enqueue(Range range, RangeReady) override { queue_->push(range); }
    void wait() override {
        if (overlaps())
            queue_->wait();
        else
            queue_->sum_here();
    }
    bool overlaps() const override { return worker_.joinable(); }

    //! Freeing what MPI lent is collective, and a busy thread may wait for ranks that never come: both are left to the end of the
    //! process.
    void abandon() noexcept override {
        if (worker_.joinable() && queue_->busy()) {
            note_abandoned_thread();
            worker_.detach();
        }
        stop();
        queue_ = nullptr;
    }

private:
    void stop() {
        if (!worker_.joinable()) return;
        queue_->quit();
        worker_.join();
    }

    Queue* queue_;
    std::thread worker_;
};

}  // namespace

std::unique_ptr<GradientTransport> make_host_transport(const Communicator& group, const ReductionOptions& options) {
    return std::make_unique<HostTransport>(group, options);
}

}  // namespace xlrm
