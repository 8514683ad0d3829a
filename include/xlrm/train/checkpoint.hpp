#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "xlrm/core/json.hpp"

namespace xlrm {

//! What two runs must share for one to go on from the other's checkpoint: content_of(options) under "options", and hashes of the
//! data, the evaluation data and the starting model.
using RunIdentity = Json;

//! The first thing in which two identities differ ("option lr is 0.0001 there and 0.0002 here"), or "".
std::string identity_difference(const RunIdentity& there, const RunIdentity& here);

//! Where a run stands. The place in the data follows from the step.
struct RunPosition {
    std::int64_t step = 0;  //!< steps done
    std::int64_t num_tokens = 0;
    std::int64_t metrics_bytes = 0;  //!< length of metrics.jsonl at that step
    int ranks = 1;                   //!< resumed on the same number, the run is bit-equal to an uninterrupted one
};

//! The run's flat fp32 buffers: master weights and AdamW's moments.
struct RunBuffers {
    std::span<float> weights, first, second;
};

//! `<output>.checkpoint/`:
//!     state-<step>.safetensors   weights, first, second: F32 [elements]
//!     checkpoint.json            format "XLRM-checkpoint-1", state file and its SHA-256, step, num_tokens, metrics_bytes, ranks,
//!                                identity, recipe (where it has one), and the SHA-256 of all that; written last: a checkpoint
//!                                exists when this file does
//!     metrics.jsonl              the run's metrics so far
//! For one process at a time.
class CheckpointFolder {
public:
    explicit CheckpointFolder(std::filesystem::path folder);

    std::filesystem::path metrics_path() const { return folder_ / "metrics.jsonl"; }
    bool exists() const;
    //! Replaces the checkpoint: it is the old or the new one at every moment. Throws Error(io).
    //! `recipe`: what the run was asked to make, for whoever planned it (null: no one did).
    void save(const RunIdentity& identity, const RunPosition& position, const RunBuffers& buffers, const Json& recipe = {}) const;
    //! The checkpoint's position, and its state in `buffers`; nothing when there is none. Throws Error naming the file for a
    //! damaged one, and naming what differs for one of another run.
    std::optional<RunPosition> load(const RunIdentity& identity, const RunBuffers& buffers) const;
    void remove() const;

private:
    void remove_states_but(const std::string& keep) const;
    std::filesystem::path folder_;
};

}  // namespace xlrm
