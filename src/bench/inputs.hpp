#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "xlrm/bench/bench.hpp"
#include "xlrm/model/decoder.hpp"
#include "xlrm/model/model_folder.hpp"
#include "xlrm/store/items.hpp"

namespace xlrm {

//! Lengths of synthetic items.
struct RowShape {
    std::string name;
    std::int64_t prompt = 0, answer = 0;
    std::int32_t answers = 2;
    bool varied = true;  //!< lengths drawn about these (log-normal, sigma 0.35), else exactly these
};
//! The shapes that the options ask for; none with --data.
std::vector<RowShape> row_shapes(const BenchOptions& bench);

//! Items of random tokens below `vocab`: the same on every rank.
ItemSet synthetic_items(const RowShape& shape, std::int64_t items, std::int64_t vocab, std::int64_t seed);

//! Collective. --data, tokenised; the first `pairs` of its rows where that is above 0.
ItemSet read_pairs(const Communicator& world, const BenchOptions& bench);

std::filesystem::path tokenizer_folder(const BenchOptions& bench);

//! Weights that score, in `dtype`. Stays where it is.
struct BenchModel {
    ModelConfig config;
    Parameters parameters;
};
//! Collective.
std::unique_ptr<BenchModel> scoring_model(const Communicator& world, const BenchOptions& bench, const ModelConfig& config,
                                          at::ScalarType dtype);

//! Configuration of --model, or of --size.
ModelConfig bench_config(const BenchOptions& bench);

std::vector<std::string> dtypes_of(const BenchOptions& bench);
at::ScalarType scalar_of(const std::string& dtype);

}  // namespace xlrm
