#include "optimizer.hpp"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cassert>
#include <cmath>

#include "xlrm/core/profile.hpp"
#include "xlrm/model/flat_buffer.hpp"
#include "xlrm/ops/adamw.hpp"

namespace xlrm {
namespace {

constexpr std::int64_t kAlign = 64;  // elements: a block begins on a cache line

at::Tensor zeros(std::int64_t elements) { return flat_zeros(elements, at::kFloat); }

std::span<std::byte> bytes_of(const at::Tensor& flat, const Range& range) {
    const auto width = static_cast<std::size_t>(flat.element_size());
    return {static_cast<std::byte*>(flat.data_ptr()) + static_cast<std::size_t>(range.begin) * width,
            static_cast<std::size_t>(range.size()) * width};
}

}  // namespace

std::span<float> floats(const at::Tensor& tensor) {
    assert(tensor.scalar_type() == at::kFloat && tensor.is_contiguous());
    return {tensor.data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}

Optimizer::Optimizer(const Communicator& group, TrainingModel& model, const TrainOptions& options)
    : group_(group),
      model_(model),
      divided_(options.zero > 0 && group.size() > 1),
      total_(model.compute.layout.total),
      mine_(block(group.rank())),
      first_(zeros(mine_.size())),
      second_(zeros(mine_.size())),
      beta1_(options.beta1),
      beta2_(options.beta2),
      eps_(options.eps),
      weight_decay_(options.weight_decay),
      clip_(options.clip) {
    for (const ParameterInfo& info : model.compute.layout.tensors) {
        const std::int64_t begin = std::max(info.offset, mine_.begin);
        const std::int64_t count = std::min(info.offset + info.elements, mine_.end) - begin;
        if (count <= 0) continue;
        const bool decay = info.decay && weight_decay_ != 0.0;
        const bool joins = !parts_.empty() && parts_.back().decay == decay && parts_.back().begin + parts_.back().count == begin;
        if (joins)
            parts_.back().count += count;
        else
            parts_.push_back({begin, count, decay});
    }
    if (divided_ && model.compute.flat.scalar_type() != at::kFloat)
        model.weights = model.weights.narrow(0, mine_.begin, mine_.size()).clone();
}

Range Optimizer::block(int rank) const {
    if (!divided_) return {0, total_};
    const Range blocks = block_range((total_ + kAlign - 1) / kAlign, rank, group_.size());
    return {std::min(blocks.begin * kAlign, total_), std::min(blocks.end * kAlign, total_)};
}

double Optimizer::norm(const at::Tensor& buffer) {
    const StageScope scope("optimiser");
    return std::sqrt(sum_of_squares(floats(buffer)));
}

void Optimizer::step(std::int64_t step, double lr, double norm, const at::Tensor& gradient) {
    const StageScope scope("optimiser");
    AdamwConfig config{
        .lr = lr, .beta1 = beta1_, .beta2 = beta2_, .eps = eps_, .weight_decay = 0.0, .step = step, .grad_scale = 1.0};
    if (clip_ > 0.0) config.grad_scale = std::min(1.0, clip_ / (norm + 1e-6));
    const at::Tensor& compute = model_.compute.flat;
    const bool copies = compute.scalar_type() == at::kBFloat16;
    const std::int64_t weights_begin = model_.weights.numel() == total_ ? 0 : mine_.begin;
    for (const Part& part : parts_) {
        config.weight_decay = part.decay ? weight_decay_ : 0.0;
        const auto cut = [&](const at::Tensor& t, std::int64_t from) {
            return floats(t).subspan(static_cast<std::size_t>(part.begin - from), static_cast<std::size_t>(part.count));
        };
        std::span<std::uint16_t> copy;
        if (copies) copy = {static_cast<std::uint16_t*>(compute.data_ptr()) + part.begin, static_cast<std::size_t>(part.count)};
        adamw(config, cut(model_.weights, weights_begin), cut(first_, mine_.begin), cut(second_, mine_.begin), cut(gradient, 0),
              copy);
    }
    if (!divided_) return;
    gradient.narrow(0, 0, mine_.begin).zero_();
    gradient.narrow(0, mine_.end, total_ - mine_.end).zero_();
    share_weights();
}

// In fp32 the masters are what computes.
void Optimizer::share_weights() const {
    for (int rank = 0; rank < group_.size(); ++rank) {
        const Range range = block(rank);
        if (range.size() > 0) group_.broadcast_bytes(bytes_of(model_.compute.flat, range), rank);
    }
}

at::Tensor Optimizer::gather(const at::Tensor& mine) const {
    if (mine.numel() == total_) return mine;
    const at::Tensor whole = group_.root() ? zeros(total_) : at::Tensor();
    for (int rank = 0; rank < group_.size(); ++rank) {
        const Range range = block(rank);
        if (range.size() == 0) continue;
        const at::Tensor piece = rank == group_.rank() ? mine : zeros(range.size());
        group_.broadcast_bytes(bytes_of(piece, {0, range.size()}), rank);
        if (group_.root()) whole.narrow(0, range.begin, range.size()).copy_(piece);
    }
    return whole;
}

Optimizer::State Optimizer::gathered() const { return {gather(model_.weights), gather(first_), gather(second_)}; }

Optimizer::State Optimizer::blank() const {
    if (!divided_) return {model_.weights, first_, second_};
    if (!group_.root()) return {};
    return {zeros(total_), zeros(total_), zeros(total_)};
}

void Optimizer::scatter(const at::Tensor& whole, const at::Tensor& mine) const {
    const bool part = mine.numel() != total_;
    const at::Tensor all = group_.root() ? whole : part ? zeros(total_) : mine;
    group_.broadcast_bytes(bytes_of(all, {0, total_}));
    mine.copy_(part ? all.narrow(0, mine_.begin, mine_.size()) : all);
    if (&mine == &model_.weights && model_.compute.flat.scalar_type() != at::kFloat) model_.compute.flat.copy_(all);
}

void Optimizer::restore(const State& state) {
    scatter(state.weights, model_.weights);
    scatter(state.first, first_);
    scatter(state.second, second_);
}

}  // namespace xlrm
