#include "xlrm/eval/row_spool.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "rounding.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm {

RowSpool::RowSpool(std::vector<Part> parts, std::int64_t features, std::int64_t answers)
    : parts_(std::move(parts)),
      features_(features),
      filled_(parts_.size(), 0),
      slot_(static_cast<std::size_t>(answers), -1),
      overflow_(parts_.size()) {
    std::int64_t bytes = 0;
    for (std::size_t part = 0; part < parts_.size(); ++part) {
        begin_.push_back(bytes);
        bytes += answers * row_bytes(part);
    }
    if (bytes > 0) file_.emplace(bytes, "the activations of this rank's answers");
}

std::size_t RowSpool::part_of(const CapturedRows& captured) const {
    const auto found = std::ranges::find_if(
        parts_, [&](const Part& part) { return part.capture == captured.capture && part.layer == captured.layer; });
    require(found != parts_.end(), "a layer was captured that was not asked for");
    return static_cast<std::size_t>(found - parts_.begin());
}

void RowSpool::take(const CapturedRows& captured) {
    const std::size_t part = part_of(captured);
    const std::int64_t first = filled_[part];
    for (std::size_t row = 0; row < captured.places.size(); ++row) {
        const std::int64_t slot = first + static_cast<std::int64_t>(row);
        for (const std::int64_t place : captured.places[row]) {
            std::int64_t& known = slot_[static_cast<std::size_t>(place)];
            require(known == -1 || known == slot, "captured rows came in another order than those of another layer");
            known = slot;
        }
    }
    note_overflow(part, captured);
    rounded_.clear();
    append_rounded({captured.rows.const_data_ptr<float>(), static_cast<std::size_t>(captured.rows.numel())}, parts_[part].dtype,
                   &rounded_);
    file_->write(begin_[part] + first * row_bytes(part), rounded_);
    filled_[part] += static_cast<std::int64_t>(captured.places.size());
}

void RowSpool::note_overflow(std::size_t part, const CapturedRows& captured) {
    const float* values = captured.rows.const_data_ptr<float>();
    for (std::size_t row = 0; row < captured.places.size(); ++row, values += features_) {
        const std::optional<float> value = first_overflow({values, static_cast<std::size_t>(features_)}, parts_[part].dtype);
        if (!value) continue;
        std::optional<Overflow>& first = overflow_[part];
        const std::int64_t place = *std::ranges::min_element(captured.places[row]);
        if (!first || place < first->place) first = {place, *value};
    }
}

void RowSpool::require_storable() const {
    for (std::size_t part = 0; part < parts_.size(); ++part)
        if (overflow_[part]) fail_overflow(parts_[part].layer, overflow_[part]->value);
}

void RowSpool::read(std::size_t part, std::span<const std::int64_t> places, std::span<std::byte> out) const {
    const std::int64_t bytes = row_bytes(part);
    require(part < parts_.size() && static_cast<std::int64_t>(out.size()) == std::ssize(places) * bytes,
            "rows were asked for that are not of this size");
    for (std::size_t i = 0; i < places.size(); ++i) {
        const std::int64_t slot = slot_.at(static_cast<std::size_t>(places[i]));
        require(slot >= 0, "a row was asked for that was not computed");
        file_->read(begin_[part] + slot * bytes,
                    out.subspan(i * static_cast<std::size_t>(bytes), static_cast<std::size_t>(bytes)));
    }
}

}  // namespace xlrm
