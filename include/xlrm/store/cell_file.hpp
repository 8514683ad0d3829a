#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "xlrm/core/file_hashes.hpp"
#include "xlrm/core/json.hpp"
#include "xlrm/store/dtype.hpp"

namespace xlrm {

//! Rows of equal size, row-major (item, feature), that need not be in memory.
struct RowSource {
    std::int64_t rows = 0;
    //! Fills `out`, a whole number of rows, with those from `first` on. Asked for each row once, in ascending order.
    std::function<void(std::int64_t first, std::span<std::byte> out)> read;
};
//! Of rows that are in memory, `row_bytes` each.
RowSource rows_in_memory(std::vector<std::byte> bytes, std::int64_t row_bytes);

//! Pooled residual stream of one layer for all items, as bits of `dtype`.
struct LayerRows {
    int layer = 0;  //!< 0 = embedding output, l = after block l
    DType dtype = DType::bf16;
    std::int64_t features = 0;
    RowSource chosen;
    RowSource rejected;
};

//! Residual stream of every token of a sample of items (CF contiguous ragged array).
struct TokenRows {
    int layer = 0;
    DType dtype = DType::bf16;
    std::int64_t features = 0;
    std::vector<std::int64_t> item;      //!< row of /scores
    std::vector<std::int32_t> row_size;  //!< tokens of each item
    std::vector<std::byte> values;       //!< (token, feature)
};

//! All that one cell holds; what the file says is what determines it, so equal runs give byte-equal files.
struct Cell {
    std::string model, source_lang, target_lang, pooling, head, chat_template, template_sha256, tokenizer_sha256, model_sha256,
        dtype;
    std::int64_t seed = 0;
    Json provenance;         //!< options that matter to the content, code version, input hashes; of a sweep's cell its recipe
    bool has_scores = true;  //!< false for a base model (head = "none"): ids are still written
    std::vector<std::string> id, subset, lang;
    std::vector<std::int32_t> occurrence;  //!< Item::occurrence: an item is its language, id and occurrence
    std::vector<float> chosen, rejected;   //!< margin = chosen - rejected in float32
    std::vector<std::int32_t> chosen_tokens, rejected_tokens;
    std::int64_t max_answers = 2;  //!< > 2: `response` (item, k), NaN behind the last answer, and num_correct
    std::vector<float> response;
    std::vector<std::int32_t> num_correct;
    std::map<std::string, std::vector<LayerRows>> activations;        //!< capture ("last", "mean") → layers
    std::map<std::string, std::vector<TokenRows>> token_activations;  //!< "chosen" | "rejected" → layers
    std::vector<float> final_norm;  //!< effective weight of the final norm (feature); empty when not captured
    double norm_eps = 0.0;
    std::vector<float> head_weight;  //!< reward head (feature); empty for a base model
};

//! Schema "XLRM-1", version 1 (netCDF-4 rules: dimension scales, creation order tracked, no object times; so h5py, xarray with
//! group="scores", and R read it unchanged):
//!     /            Conventions, schema_version, state="complete", model, source_lang, target_lang, seed, pooling, head,
//!     template,
//!                  template_sha256, tokenizer_sha256, model_sha256, dtype, xlrm_provenance (JSON text)
//!     /scores      item (0 … n-1), id, subset, lang, chosen_tokens, rejected_tokens, occurrence (int32: which of the data's
//!                  items of this language and id it is, 0 for the first, those that a length limit left out counted too; absent
//!                  in files from before it was kept); chosen, rejected, margin (float32) where there are scores; response (item,
//!                  answer) and num_correct where items have more than two answers
//!     /head        final_norm (feature), weight (feature), attribute norm_eps: those captured
//!     /activations/<capture>/layer_NN/chosen, rejected      (item, feature)
//!     /activations/tokens/layer_NN/<side>/values            (token, feature); row_size (item), item = row of /scores
//! Chunks lie in the file in the order of captures (by name), layers as given, chosen before rejected, and items, whatever the
//! order in which the rows were computed, so the bytes follow from the content alone.
//! Written into a temporary file beside `path` whose space is reserved first, with a few megabytes of the rows in memory; closed,
//! synced, read once for its hash, renamed. `<path minus .h5>.run.json` (host, ranks, times, Slurm ids: everything that may
//! differ between equal runs) and `.sha256` (as sha256sum writes it) come before the name, so a cell that is there under its name
//! verifies. Throws Error for arrays of unequal lengths and for scores that are not finite, naming the item; Error(io) for a full
//! disk and the like; and what a RowSource throws. Nothing is then under the name that was not there before.
void write_cell(const std::filesystem::path& path, const Cell& cell, const Json& run);

//! All of a cell but its activations. `attributes` are those of the root, xlrm_provenance as parsed JSON.
struct CellScores {
    Json attributes;
    bool has_scores = false;  //!< false for a base model: chosen and rejected are empty
    std::vector<std::string> id, subset, lang;
    std::vector<std::int32_t> occurrence;  //!< as if no item had been left out, where the file has none
    std::vector<float> chosen, rejected;
    std::vector<std::int32_t> chosen_tokens, rejected_tokens;
    std::int64_t max_answers = 2;
    std::vector<float> response;  //!< (item, max_answers) where max_answers > 2
    std::vector<std::int32_t> num_correct;
    std::vector<float> final_norm, head_weight;  //!< empty when not captured
    double norm_eps = 0.0;
};
//! Refuses a file that differs from its `.sha256` (where that lies beside it), is of another schema, or holds scores that are not
//! finite or not as many as its items have answers, by name. `hashes` remembers what was read already.
CellScores read_cell_scores(const std::filesystem::path& path, FileHashes* hashes = nullptr);

//! CellScores::attributes alone, without a look at the rest of the file.
Json read_cell_attributes(const std::filesystem::path& path);

//! (item, feature) in float32 of one dataset, a row for each item. Throws Error naming file and dataset when absent.
std::vector<float> read_cell_activations(const std::filesystem::path& path, const std::string& capture, int layer,
                                         const std::string& side, std::int64_t* features);

//! The same into memory that is used again, for many reads of one size.
struct ActivationBuffer {
    std::vector<float> values;  //!< (item, feature)
    std::vector<std::uint16_t> bits;
    std::int64_t features = 0;
};
//! `rows`: the first so many items alone; below 0: all.
void read_cell_activations(const std::filesystem::path& path, const std::string& capture, int layer, const std::string& side,
                           ActivationBuffer& buffer, std::int64_t rows = -1);

//! Captures and layers that a cell holds, tokens not among them: capture → layers, ascending.
std::map<std::string, std::vector<int>> cell_layers(const std::filesystem::path& path);

//! The token capture of one layer and side, values in float32.
struct TokenActivations {
    std::vector<std::int64_t> item;
    std::vector<std::int32_t> row_size;
    std::vector<float> values;  //!< (token, feature)
    std::int64_t features = 0;
};
TokenActivations read_cell_tokens(const std::filesystem::path& path, int layer, const std::string& side);

//! Whether `path` and its `.sha256` exist and agree. Never throws for damaged files: they do not verify.
bool cell_verifies(const std::filesystem::path& path, FileHashes* hashes = nullptr);

}  // namespace xlrm
