#include <algorithm>
#include <cmath>

#include "xlrm/core/error.hpp"
#include "xlrm/core/random.hpp"
#include "xlrm/train/plan.hpp"

namespace xlrm {

ExampleOrder::ExampleOrder(std::int64_t items, std::int64_t batch, std::uint64_t seed)
    : items_(items), batch_(batch), seed_(seed) {
    if (items <= 0) fail("there is nothing to train on (no item is left after filtering); see the report of the data");
    if (batch <= 0) fail("--batch-pairs " + std::to_string(batch) + " is not a size; give 1 or more", ExitCode::usage);
}

std::int64_t ExampleOrder::steps_per_epoch() const { return (items_ + batch_ - 1) / batch_; }

std::int64_t ExampleOrder::steps_of(double epochs) const {
    return static_cast<std::int64_t>(std::ceil(epochs * static_cast<double>(steps_per_epoch())));
}

std::vector<std::int64_t> ExampleOrder::step_items(std::int64_t step) const {
    const std::int64_t epoch = step / steps_per_epoch();
    if (epoch != epoch_) {
        order_ = torch_randperm(items_, seed_ + static_cast<std::uint64_t>(epoch));
        epoch_ = epoch;
    }
    const std::int64_t begin = step % steps_per_epoch() * batch_;
    const std::int64_t end = std::min(begin + batch_, items_);
    return {order_.begin() + begin, order_.begin() + end};
}

}  // namespace xlrm
