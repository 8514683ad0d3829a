#include "optimizer.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "xlrm/core/profile.hpp"
#include "xlrm/ops/adamw.hpp"
#include "xlrm/ops/memory.hpp"

namespace xlrm {
namespace {

constexpr std::int64_t kAlign = 64;  // elements: a block begins on a cache line

at::Tensor host_zeros(std::int64_t elements) { return flat_zeros(elements, at::kFloat); }

// Of a contiguous tensor on the host.
std::span<std::byte> bytes_of(const at::Tensor& tensor) {
    return {static_cast<std::byte*>(tensor.data_ptr()), static_cast<std::size_t>(tensor.nbytes())};
}

at::Tensor cut(const at::Tensor& flat, const Range& range) { return flat.narrow(0, range.begin, range.size()); }

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
      first_(flat_zeros(mine_.size(), at::kFloat, model.weights.device())),
      second_(flat_zeros(mine_.size(), at::kFloat, model.weights.device())),
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
    if (divided_ && model.rounds()) model.weights = cut(model.weights, mine_).clone();
}

Range Optimizer::block(int rank) const {
    if (!divided_) return {0, total_};
    const Range blocks = block_range((total_ + kAlign - 1) / kAlign, rank, group_.size());
    return {std::min(blocks.begin * kAlign, total_), std::min(blocks.end * kAlign, total_)};
}

double Optimizer::norm(const at::Tensor& buffer) {
    const StageScope scope("optimiser");
    return std::sqrt(sum_of_squares(buffer));
}

void Optimizer::step(std::int64_t step, double lr, double norm, const at::Tensor& gradient) {
    const StageScope scope("optimiser");
    AdamwConfig config{
        .lr = lr, .beta1 = beta1_, .beta2 = beta2_, .eps = eps_, .weight_decay = 0.0, .step = step, .grad_scale = 1.0};
    if (clip_ > 0.0) config.grad_scale = std::min(1.0, clip_ / (norm + 1e-6));
    const std::int64_t weights_begin = model_.weights.numel() == total_ ? 0 : mine_.begin;
    for (const Part& part : parts_) {
        config.weight_decay = part.decay ? weight_decay_ : 0.0;
        const auto piece = [&](const at::Tensor& t, std::int64_t from) { return t.narrow(0, part.begin - from, part.count); };
        adamw(config, piece(model_.weights, weights_begin), piece(first_, mine_.begin), piece(second_, mine_.begin),
              piece(gradient, 0), model_.rounds() ? piece(model_.compute.flat, 0) : at::Tensor());
    }
    if (!divided_) return;
    gradient.narrow(0, 0, mine_.begin).zero_();
    gradient.narrow(0, mine_.end, total_ - mine_.end).zero_();
    share_weights();
}

void Optimizer::share_weights() const {
    for (int rank = 0; rank < group_.size(); ++rank) {
        const Range range = block(rank);
        if (range.size() == 0) continue;
        const at::Tensor piece = cut(model_.compute.flat, range), host = to_host(piece);
        group_.broadcast_bytes(bytes_of(host), rank);
        from_host(host, piece);
    }
}

at::Tensor Optimizer::gather(const at::Tensor& mine) const {
    const at::Tensor own = to_host(mine);
    if (own.numel() == total_) return own;
    const at::Tensor whole = group_.root() ? host_zeros(total_) : at::Tensor();
    for (int rank = 0; rank < group_.size(); ++rank) {
        const Range range = block(rank);
        if (range.size() == 0) continue;
        const at::Tensor piece = rank == group_.rank() ? own : host_zeros(range.size());
        group_.broadcast_bytes(bytes_of(piece), rank);
        if (group_.root()) cut(whole, range).copy_(piece);
    }
    return whole;
}

Optimizer::State Optimizer::gathered() const { return {gather(model_.weights), gather(first_), gather(second_)}; }

Optimizer::State Optimizer::blank() const {
    if (!divided_) return {to_host(model_.weights), to_host(first_), to_host(second_)};
    if (!group_.root()) return {};
    return {host_zeros(total_), host_zeros(total_), host_zeros(total_)};
}

at::Tensor Optimizer::scatter(const at::Tensor& whole, const at::Tensor& mine) const {
    const bool part = mine.numel() != total_;
    const at::Tensor all = group_.root() ? whole : part ? host_zeros(total_) : to_host(mine);
    group_.broadcast_bytes(bytes_of(all));
    mine.copy_(part ? cut(all, mine_) : all);
    return all;
}

void Optimizer::restore(const State& state) {
    const at::Tensor weights = scatter(state.weights, model_.weights);
    if (model_.rounds()) model_.compute.flat.copy_(weights);
    scatter(state.first, first_);
    scatter(state.second, second_);
}

}  // namespace xlrm
