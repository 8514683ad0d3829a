#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "xlrm/analysis/analyze.hpp"
#include "xlrm/core/options.hpp"
#include "xlrm/eval/judge.hpp"
#include "xlrm/eval/options.hpp"
#include "xlrm/train/options.hpp"

namespace xlrm {

//! A training set of the grid: one language, or several together ("all=en+es+ko").
struct Source {
    std::string name;
    std::vector<std::string> langs;  //!< as PrepareOptions::langs: "ko", "pt-br"
};

//! A base model: a folder ("llama=models/Llama-3.2-1B" or just the path), or, with an empty folder, the one that [pretrain]
//! makes.
struct Base {
    std::string name;
    std::filesystem::path folder;
};

//! Shape of a base model that is made from nothing ([model]).
struct ModelShape {
    std::string family = "llama";
    std::int64_t hidden = 128, layers = 4, heads = 4, kv_heads = 2, intermediate = 352, max_positions = 2048;
};

//! The whole configuration of a sweep, sections [sweep] [data] [tokenizer] [model] [pretrain] [train] [evaluate] [judge]
//! [analyze].
struct SweepConfig {
    std::vector<std::string> bases = {"base"}, sources, targets, seeds = {"1"};
    std::vector<std::string> models;  //!< that are given ready: name=folder
    int ranks_per_cell = 1;
    int pretrain_ranks = 0;    //!< ranks that make the base; 0 = ranks_per_cell
    bool noise_floor = false;  //!< each base evaluated in bf16 too
    std::string output;        //!< default xlrm-out/<config name>
    at::Device device = at::kCPU;
    bool smoke = false;  //!< the embedded world, at a size of seconds unless a configuration says otherwise

    std::string data_root = ".";  //!< relative paths below are taken from here
    std::string world;            //!< "full" | "smoke": data of the quickstart world, written into the output folder
    std::int64_t world_seed = 1;
    std::vector<std::string> train_files, langs;
    std::map<std::string, std::vector<std::string>> benchmarks;  //!< name → files
    RowFormOptions forms;                                        //!< of [data] train and eval
    std::string split;  //!< "train=0.6,test=0.4": training takes part `train`, evaluation part `test`

    std::vector<std::string> tokenizer_langs;  //!< languages of those rows; empty: all
    std::vector<std::string> tokenizer_data;   //!< {text} rows; empty: the base brings its tokenizer
    std::int64_t vocab_size = 8000;
    ModelShape shape;
    TrainOptions pretrain, train;
    EvaluateOptions evaluate;
    std::vector<std::string> judges;  //!< names of `models` that judge answers in place of scoring them
    JudgeJob judge;                   //!< how: describe_judging's options
    AnalyzeOptions analyze;           //!< without the folder
    std::string analysis = "yes";     //!< "no": the cells are not analysed
    std::string report = "yes";       //!< "no": no report is drawn of the analysis

    std::vector<Base> base_list() const;
    //! Models that are given ready; each has a folder.
    std::vector<Base> model_list() const;
    bool is_judge(const std::string& model) const;
    std::vector<Source> source_list() const;
    //! Names of the targets; default: [data] langs. A language is named by its code; where the configuration names two regions of
    //! one code, each by code and region (LanguageNames).
    std::vector<std::string> target_list() const;
    //! What is asked of the rows for a target of that name, as PrepareOptions::langs.
    std::string target_language(const std::string& target) const;
    std::vector<std::int64_t> seed_list() const;
    //! `file` below data_root unless absolute.
    std::filesystem::path data_path(const std::string& file) const;
    std::vector<std::filesystem::path> data_paths(const std::vector<std::string>& files) const;
    bool makes_base() const;

    //! Throws Error(usage) naming option and value: an empty grid, a name outside [A-Za-z0-9._-], ranks below 1, a base without
    //! folder and without [pretrain], two entries of one name.
    void check() const;
};

//! Registers all sections; `sweep` is the program's own.
void describe(Options& options, SweepConfig& config);

//! After parsing: --smoke, and the default output folder, xlrm-out/<configuration's name>.
void complete(SweepConfig& config, const Options& options);

//! The configuration that `xlrm_sweep` runs without arguments, and the one of `xlrm_sweep --smoke`: a world and a model of
//! seconds.
const std::string& quickstart_config();
const std::string& smoke_config();
//! Embeds the one of them that the command line asks for.
void embed_config(Options& options, int argc, const char* const* argv);

}  // namespace xlrm
