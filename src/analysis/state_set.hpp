#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "table_items.hpp"
#include "xlrm/analysis/grid.hpp"
#include "xlrm/analysis/statement.hpp"
#include "xlrm/stats/gram_pairs.hpp"
#include "xlrm/store/cell_file.hpp"

namespace xlrm {

//! A model whose cells have activations on every target: the base (source "") first.
struct StateModel {
    std::string model, source;
    std::int64_t seed = 0;
    std::vector<std::filesystem::path> files;  //!< by target
};

//! Matrices of the layer that was read last, up to 256 MB, so that its parts do not read them again.
struct KeptStates {
    std::tuple<std::string, std::string, std::string, int> layer;                    //!< base, benchmark, capture, layer
    std::map<std::tuple<std::size_t, std::size_t, std::string>, at::Tensor> states;  //!< by (model, target, side)
    std::int64_t bytes = 0;
    //! Of all items' chosen answers, by cell file, capture and layer, up to 64 MB: a stripe of Gram matrices then reads its own
    //! rows alone.
    std::map<std::tuple<std::filesystem::path, std::string, int>, ColumnMeans> means;
    std::size_t mean_values = 0;
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

    std::shared_ptr<KeptStates> kept = std::make_shared<KeptStates>();  //!< may be shared with other sets

    const StateModel& model(std::size_t number) const { return number < models.size() ? models[number] : floor.front(); }
    //! Ascending.
    std::vector<int> layers_of(const std::string& capture) const;
    //! Whether the items lie in several subsets, so that within them is another question.
    bool several_subsets() const;
    //! (item, feature) in fp64 on the CPU, not to be written to: the next call may give the same. `side`: "chosen" | "rejected".
    at::Tensor load(std::size_t model, std::size_t target, const std::string& capture, int layer, const std::string& side) const;
    //! The same in fp32, as stored.
    std::vector<float> load_floats(std::size_t model, std::size_t target, const std::string& capture, int layer,
                                   const std::string& side, std::int64_t* features) const;
    //! The same in `buffer`, until it is used again; its width in buffer.read.features. `items`: of the first so many; below 0:
    //! all.
    std::span<const float> load_floats(std::size_t model, std::size_t target, const std::string& capture, int layer,
                                       const std::string& side, StateBuffer& buffer, std::int64_t items = -1) const;
};

//! Reads ids and layers alone. States what keeps a set from being complete: no activations, a model without a cell, no parallel
//! items. No models, items or layers where there is nothing to read.
StateSet read_states(const Grid& grid, const std::string& base, const std::string& benchmark, Statements* statements);

}  // namespace xlrm
