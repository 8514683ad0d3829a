#include "xlrm/comm/gradient_reducer.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include "xlrm/core/error.hpp"
#include "xlrm/core/profile.hpp"

namespace xlrm {

GradientReducer::GradientReducer(const Communicator& group, const ReductionOptions& options)
    : GradientReducer(make_host_transport(group, options), group.size(), options.bucket) {}

GradientReducer::GradientReducer(std::unique_ptr<GradientTransport> transport, int ranks, std::int64_t bucket)
    : transport_(std::move(transport)),
      ranks_(ranks),
      bucket_(std::max<std::int64_t>(bucket, 1)),
      exceptions_(std::uncaught_exceptions()) {}

GradientReducer::~GradientReducer() {
    if (std::uncaught_exceptions() > exceptions_) transport_->abandon();
}

void GradientReducer::begin(std::span<float> gradient) {
    transport_->begin(gradient);
    low_ = high_ = static_cast<std::int64_t>(gradient.size());
}

void GradientReducer::ready(std::int64_t offset, std::int64_t count, RangeReady when) {
    require(offset + count == low_ && offset >= 0,
            "GradientReducer: parts must be announced from the end of the buffer on, without gaps");
    low_ = offset;
    if (ranks_ > 1 && transport_->overlaps() && high_ - low_ >= bucket_) hand_over(when);
}

void GradientReducer::hand_over(RangeReady when) {
    for (std::int64_t end = high_; end > low_; end -= bucket_) transport_->enqueue({std::max(low_, end - bucket_), end}, when);
    high_ = low_;
}

void GradientReducer::finish() {
    if (ranks_ == 1) return;
    const StageScope scope("reduction");
    const auto start = std::chrono::steady_clock::now();
    low_ = 0;
    hand_over({});
    transport_->wait();
    exposed_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace xlrm
