#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "xlrm/core/scratch_file.hpp"
#include "xlrm/infer/scorer.hpp"
#include "xlrm/store/dtype.hpp"

namespace xlrm {

//! The captured rows of one rank's answers, rounded to the cell's number formats, in a scratch file: the memory that it takes
//! does not grow with their width or with the number of layers. A row is written once, for all answers with that text.
class RowSpool {
public:
    struct Part {
        Capture capture = Capture::last;
        std::int64_t layer = 0;
        DType dtype = DType::bf16;
    };

    //! For `answers` asked answers with rows of `features` values. Throws Error(io) where the disk has no space for them.
    RowSpool(std::vector<Part> parts, std::int64_t features, std::int64_t answers);

    //! For score_texts. Throws Error(io).
    void take(const CapturedRows& captured);
    //! Throws Error naming the first layer, and of it the first answer's value, that overflowed in fp16.
    void require_storable() const;

    const std::vector<Part>& parts() const { return parts_; }
    std::int64_t features() const { return features_; }
    std::int64_t row_bytes(std::size_t part) const { return features_ * dtype_bytes(parts_[part].dtype); }
    //! The rows of `places` (in the asked answers) one after another. Throws Error(io), and Error for a place that was not given.
    void read(std::size_t part, std::span<const std::int64_t> places, std::span<std::byte> out) const;

private:
    //! The first value that does not fit, in the order of the answers.
    struct Overflow {
        std::int64_t place = 0;
        float value = 0.0F;
    };
    std::size_t part_of(const CapturedRows& captured) const;
    void note_overflow(std::size_t part, const CapturedRows& captured);

    std::vector<Part> parts_;
    std::int64_t features_;
    std::vector<std::int64_t> begin_;   //!< where a part's rows begin in the file
    std::vector<std::int64_t> filled_;  //!< rows of a part that are written
    std::vector<std::int64_t> slot_;    //!< which row of every part a place has; -1: none yet
    std::vector<std::optional<Overflow>> overflow_;
    std::vector<std::byte> rounded_;
    std::optional<ScratchFile> file_;  //!< none where there is nothing to keep
};

}  // namespace xlrm
