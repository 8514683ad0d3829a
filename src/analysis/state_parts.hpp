#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "state_set.hpp"
#include "xlrm/analysis/result_table.hpp"
#include "xlrm/stats/cka.hpp"

namespace xlrm {

//! One layer of one set.
struct StateInput {
    const StateSet& set;
    std::string capture;
    int layer = 0;
    std::int64_t step = 0;  //!< of a part whose layers are divided (StatePart::steps)
};

//! A part that reads activations, one layer at a time.
struct StatePart {
    std::string name;
    bool whole = false;  //!< looks at all layers of a set: one piece a set, without capture and layer
    std::vector<ResultTable> (*tables)();
    void (*add)(const StateInput&, std::vector<ResultTable>&) = nullptr;
    //! Of a part over all layers of a capture (StateInput::layer −1) that several ranks compute in pieces, in the place of `add`:
    //! how many, one of them, and the rows from all in order.
    std::int64_t (*pieces)(const StateInput&) = nullptr;
    Json (*piece)(const StateInput&, std::int64_t) = nullptr;
    void (*finish)(const StateInput&, const std::vector<Json>&, std::vector<ResultTable>&) = nullptr;
    //! Of a part whose layers take long: how many steps `add` divides one into, whose rows follow one another. None: one.
    std::int64_t (*steps)(const StateSet&) = nullptr;
};
const std::vector<StatePart>& state_parts();

//! A table's columns after those that say whose row it is: base, benchmark, model, source, seed.
std::vector<Column> of_model(std::vector<Column> columns);

//! Mean singular-value ratio f over the parallel items and its paired change from the base.
std::vector<ResultTable> ratio_tables();
void add_ratios(const StateInput& input, std::vector<ResultTable>& tables);
//! Every model against its base, a language at a time.
std::vector<ResultTable> shift_tables();
void add_shifts(const StateInput& input, std::vector<ResultTable>& tables);
//! Every model, two languages at a time.
std::vector<ResultTable> alignment_tables();
void add_alignment(const StateInput& input, std::vector<ResultTable>& tables);
//! Every model and language: norms, anisotropy, dimension.
std::vector<ResultTable> geometry_tables();
void add_geometry(const StateInput& input, std::vector<ResultTable>& tables);

//! What linear CKA takes of states, for those that are compared with many: up to kMostItems their kernel, above it centred rows.
struct CkaStates {
    //! `x`: (n, d) fp64.
    explicit CkaStates(const at::Tensor& x);
    std::optional<CkaSide> kernel;
    at::Tensor centred;
};
//! Debiased linear CKA with its jackknife error; in the feature form from chunks of 256 rows, without error (too_many_items).
EstimateWithInterval debiased_cka(const CkaStates& x, const CkaStates& y);
Estimate biased_cka(const CkaStates& x, const CkaStates& y);

//! States with what a shift takes of one side alone.
struct ShiftSide {
    //! `subset`: of each item.
    ShiftSide(at::Tensor states, const std::vector<std::size_t>& subset);
    at::Tensor states;
    bool constant = false;                    //!< then none of the others is there
    std::optional<CkaStates> pooled, within;  //!< within: minus the means of the subsets
    at::Tensor nearest;                       //!< only of more items than neighbours
};
//! Columns of one shift, behind those `before`, and their values.
std::vector<Column> shift_columns(std::vector<Column> before);
std::vector<TableValue> shift_values(const ShiftSide& base, const ShiftSide& model);
//! Adds the change of f of the base in bf16 (StateSet::floor), where there is one.
void add_ratio_floor(const StateInput& input, ResultTable& table);

//! What rounding alone moves: the base in bf16 against itself.
std::vector<ResultTable> noise_floor_tables();
void add_noise_floor(const StateInput& input, std::vector<ResultTable>& tables);
//! How alike states are, by every measure of similarity_measures.hpp.
std::vector<ResultTable> similarity_tables();
void add_similarity(const StateInput& input, std::vector<ResultTable>& tables);
//! A measure, pooled or within subsets.
std::int64_t similarity_steps(const StateSet& set);
//! What the languages' own directions hold: accuracy and alignment without them.
std::vector<ResultTable> subspace_tables();
void add_subspaces(const StateInput& input, std::vector<ResultTable>& tables);
//! The direction from rejected to chosen answers, and whether one language's serves another.
std::vector<ResultTable> preference_tables();
void add_preferences(const StateInput& input, std::vector<ResultTable>& tables);
//! Whether language and category can be read from the states.
std::vector<ResultTable> probe_tables();
void add_probes(const StateInput& input, std::vector<ResultTable>& tables);

//! The reward that the head would read at each layer, and where it forms.
std::vector<ResultTable> lens_tables();
void add_lens(const StateInput& input, std::vector<ResultTable>& tables);

//! Products on one thread while this lives, so that their bits do not depend on how many threads a rank has.
class OneThread {
public:
    OneThread();
    ~OneThread();
    OneThread(const OneThread&) = delete;
    OneThread& operator=(const OneThread&) = delete;

private:
    int before_;
};

//! Whether all rows are equal, as the states of a closing token are before the first block. What is centred is then rounding.
bool is_constant(const at::Tensor& x);

//! Rows minus the mean of their subset.
at::Tensor within_subsets(const at::Tensor& x, const std::vector<std::size_t>& subset);

}  // namespace xlrm
