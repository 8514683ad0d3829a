#pragma once

#include <string>
#include <vector>

#include "xlrm/sweep/config.hpp"
#include "xlrm/sweep/folder.hpp"
#include "xlrm/sweep/inputs.hpp"
#include "xlrm/sweep/plan.hpp"

namespace xlrm {

//! A recipe is what determines an output, without where anything lies: hashes of the rows it is made of, options that matter to
//! its content, the hash of the recipe of the model that it needs, and the version of the arithmetic (`numerics`, kept by hand:
//! raised when the same recipe gives other results than before, which tests/jobs/golden_bits_test.py finds; not the commit). It
//! is planned in plan.json, and recorded in the output itself:
//!     world        {world, seed}                                       in world/recipe.json
//!     tokenizer    {rows_sha256, vocab_size, shape}                    in tokenizer/recipe.json
//!     models/B     {options, rows_sha256, tokenizer, …}                in training.json, under `recipe`; of a base made here
//!     models/M     {options, rows_sha256, base, eval_data_sha256}      in training.json, under `recipe`
//!     floors/F     {target: {rows_sha256, train_sha256, langs}}        in the file, under `recipe` of each target
//!     prepared/P   {files_sha256, langs, tokenizer, template, limits}  in the attribute `attributes`, under `recipe`
//!     cells/M/C    {options, rows_sha256, model}                       in the attribute xlrm_provenance, under `recipe`;
//!                  of a judge also {prompt}, the hash of its prompt file
//! What was really used (weights, tokenizer, template, input files by hash) is recorded beside it, as for any model and cell.

//! Raise it when equal recipes no longer give equal results.
inline constexpr int kNumerics = 1;

//! What recipes are written from.
struct RecipeBook {
    const SweepConfig& config;
    const SweepFolder& folder;
    const SweepInputs& inputs;
    const Plan& plan;

    //! Hash of the rows of an option in languages that are taken together.
    std::string rows(const std::string& option, const std::vector<std::string>& langs) const;
    //! Hash that stands for what lies in `output`: of its recipe, which must be written already.
    std::string needed(const std::string& output) const;
    //! Hash that stands for a base or a model that is given, or for the base or model that is made here under that name.
    std::string model(const std::string& name) const;
    //! Adds hashes of the evaluation data of a training to its recipe.
    void add_eval_data(Json& recipe, const TrainOptions& train) const;
};

//! Fills plan.inputs and plan.recipes.
void add_recipes(Plan& plan, const SweepConfig& config, const SweepFolder& folder, const SweepInputs& inputs);

//! Hash that stands for a recipe in those that need its output.
std::string recipe_sha256(const Json& recipe);

//! content_of without the names of files and folders, languages sorted.
Json recipe_options(const TrainOptions& train);

//! {"world", "seed"}.
Json world_recipe(const SweepConfig& config);

}  // namespace xlrm
