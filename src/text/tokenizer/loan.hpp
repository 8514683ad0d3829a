#pragma once

#include <memory>
#include <mutex>
#include <vector>

namespace xlrm {

//! Lends working memory to threads, one object to each borrower at a time; what comes back keeps its caches for the next.
template <typename T>
class Lender {
public:
    class Loan {
    public:
        Loan(const Lender& owner, std::unique_ptr<T> object) : owner_(owner), object_(std::move(object)) {}
        ~Loan() {
            const std::lock_guard lock(owner_.mutex_);
            owner_.idle_.push_back(std::move(object_));
        }
        Loan(const Loan&) = delete;
        Loan& operator=(const Loan&) = delete;
        T& operator*() const { return *object_; }
        T* operator->() const { return object_.get(); }

    private:
        const Lender& owner_;
        std::unique_ptr<T> object_;
    };

    Loan borrow() const {
        std::unique_ptr<T> object;
        {
            const std::lock_guard lock(mutex_);
            if (!idle_.empty()) {
                object = std::move(idle_.back());
                idle_.pop_back();
            }
        }
        if (!object) object = std::make_unique<T>();
        return Loan(*this, std::move(object));
    }

private:
    mutable std::mutex mutex_;
    mutable std::vector<std::unique_ptr<T>> idle_;
};

}  // namespace xlrm
