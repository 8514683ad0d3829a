#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "table_items.hpp"
#include "xlrm/analysis/grid.hpp"
#include "xlrm/analysis/statement.hpp"
#include "xlrm/store/cell_file.hpp"

namespace xlrm {

//! A model whose cells have activations on every target: the base (source "") first.
struct StateModel {
    std::string model, source;
    std::int64_t seed = 0;
    std::vector<std::filesystem::path> files;  //!< by target
};

//! Memory for many layers, one after another.
struct StateBuffer {
    ActivationBuffer read;
    std::vector<float> kept;
};

//! Layer activations of one base and benchmark, over the parallel items: those that every model has in every target, so that all
//! is at one n. A matrix is read when it is asked for: one layer and side of one cell.
struct StateSet {
    std::string base, benchmark;
    FileHashes* hashes = nullptr;  //!< Grid::hashes
    std::vector<std::string> targets;
    std::vector<StateModel> models;
    bool has_base = false;  //!< whether models.front() is the base
    //! The base once more in bf16 (kNoiseFloor): model number models.size() to load(). Only where every item is there too.
    std::vector<StateModel> floor;  //!< one or none
    std::vector<ItemKey> items;
    std::vector<std::size_t> subset;                  //!< of each item, in the first target
    std::vector<std::string> clusters;                //!< stem of each item's id
    std::vector<std::pair<std::string, int>> layers;  //!< (capture, layer) that all cells have
    std::vector<std::vector<std::vector<std::size_t>>>
        rows;  //!< (model, target): the row of each item in its cell; the floor's last

    const StateModel& model(std::size_t number) const { return number < models.size() ? models[number] : floor.front(); }
    //! Whether the items lie in several subsets, so that within them is another question.
    bool several_subsets() const;
    //! (item, feature) in fp64 on the CPU. `side`: "chosen" | "rejected".
    at::Tensor load(std::size_t model, std::size_t target, const std::string& capture, int layer, const std::string& side) const;
    //! The same in fp32, as stored.
    std::vector<float> load_floats(std::size_t model, std::size_t target, const std::string& capture, int layer,
                                   const std::string& side, std::int64_t* features) const;
    //! The same in `buffer`, until it is used again; its width in buffer.read.features.
    std::span<const float> load_floats(std::size_t model, std::size_t target, const std::string& capture, int layer,
                                       const std::string& side, StateBuffer& buffer) const;
};

//! Reads ids and layers alone. States what keeps a set from being complete: no activations, a model without a cell, no parallel
//! items. No models, items or layers where there is nothing to read.
StateSet read_states(const Grid& grid, const std::string& base, const std::string& benchmark, Statements* statements);

}  // namespace xlrm
