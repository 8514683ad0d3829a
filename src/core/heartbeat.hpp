#pragma once

#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace xlrm {

//! Touches an open file every `beat` until it is destroyed, and then closes it. In a thread of its own, since no step of a run is
//! sure to end soon.
class Heartbeat {
public:
    Heartbeat(int fd, std::chrono::milliseconds beat) : fd_(fd) {
        sigset_t all, before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are for the main thread
        thread_ = std::thread([this, beat] {
            std::unique_lock lock(mutex_);
            while (!wake_.wait_for(lock, beat, [&] { return ended_; })) ::futimens(fd_, nullptr);
        });
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
    }
    ~Heartbeat() {
        {
            const std::lock_guard lock(mutex_);
            ended_ = true;
        }
        wake_.notify_all();
        thread_.join();
        ::close(fd_);
    }
    Heartbeat(const Heartbeat&) = delete;
    Heartbeat& operator=(const Heartbeat&) = delete;

private:
    int fd_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool ended_ = false;
    std::thread thread_;
};

}  // namespace xlrm
