#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "xlrm/comm/communicator.hpp"
#include "xlrm/data/prepare.hpp"
#include "xlrm/eval/options.hpp"
#include "xlrm/eval/rewardbench_files.hpp"
#include "xlrm/eval/row_spool.hpp"
#include "xlrm/infer/pooling.hpp"
#include "xlrm/model/decoder.hpp"
#include "xlrm/model/model_folder.hpp"
#include "xlrm/store/cell_file.hpp"
#include "xlrm/text/chat_template.hpp"
#include "xlrm/text/tokenizer.hpp"

namespace xlrm {

class ImplicitReward;
class RowsOfAll;

//! One model, loaded once, evaluated on any number of data sets. What costs little is read and checked first: configuration,
//! tokenizer and template when it is made, then the data, and the weights only when data are there to be evaluated.
class Evaluator {
public:
    //! Reads configuration, tokenizer and template of `model`. A folder with an LM head or none is a base model: its cells hold
    //! activations and no scores, unless the implicit reward is asked for. Throws Error: damaged configuration, tokenizer ids
    //! beyond the model's vocabulary, template not recognised, layers or captures that there are not.
    Evaluator(std::filesystem::path model, EvaluateOptions options);
    ~Evaluator();

    //! Collective over `group`: ranks share the texts. The rows of `data` in `langs` (as PrepareOptions::langs; empty = all), all
    //! in one cell, which `finish` gets on the group's root and may change and write. The cell's activations lie with the ranks
    //! that computed them and come while it is written: they can be read during `finish` alone, once. Throws Error, the same on
    //! every rank, for bad rows, a language that no row has, a token that the model does not have, then for damaged weights, an
    //! activation that its number format cannot hold, a scratch file that does not fit (TMPDIR), and what `finish` throws.
    //! `prepared`: a file of what the data come to (data/prepared_file.hpp), which is read in their place; "" = none.
    void evaluate(const Communicator& group, const std::vector<std::filesystem::path>& data,
                  const std::vector<std::string>& langs, const std::function<void(Cell&)>& finish,
                  const std::filesystem::path& prepared = {});

    //! Rows of one answer each (RowKind::response) with the score of each; a row that a length limit leaves out is not among
    //! them.
    struct ScoredRows {
        std::vector<Item> items;    //!< in the order of the rows
        std::vector<float> scores;  //!< on the group's root
        LanguageNames names;        //!< of all rows
    };
    //! Collective over `group`, as evaluate, but without activations. Throws Error as evaluate does; Error for a model without
    //! scores.
    ScoredRows score_rows(const Communicator& group, const std::vector<std::filesystem::path>& data,
                          const std::vector<std::string>& langs);

    //! The rows of the `items` that evaluate made of the same data, found by language, id and occurrence, read again and
    //! rendered. Throws Error(usage) for .h5 files, which do not keep texts, and Error for data that changed meanwhile.
    std::vector<ItemText> texts(const std::vector<std::filesystem::path>& data, const std::vector<std::string>& langs,
                                std::span<const ScoredItem> items) const;

    //! Collective. What evaluate would read, by language. Of the weights it checks names and shapes alone.
    std::string report(const Communicator& group, const std::vector<std::filesystem::path>& data,
                       const std::vector<std::string>& langs) const;

    //! For the run file: whether the bits of scores and states depend on no batch and no rank count, as evaluate found it; null
    //! where it was not asked (--exact no); where they do, why ("inexact").
    Json exactness() const;

    //! Which template, and what a user should know of the items that evaluate read last, a line each.
    const std::string& notes() const { return notes_; }
    const ChatTemplate& chat_template() const { return *template_; }
    //! Of the weights. REQUIRES: they were loaded.
    const std::string& model_sha256() const { return model_->sha256; }

private:
    struct Inputs;
    HeadKind head() const;
    void load();
    bool has_scores() const { return model_->head == HeadKind::reward || implicit_ != nullptr; }
    PrepareOptions prepare_options(const std::vector<std::filesystem::path>& data, const std::vector<std::string>& langs) const;
    Prepared read(const Communicator& group, const std::vector<std::filesystem::path>& data,
                  const std::vector<std::string>& langs, const std::filesystem::path& prepared = {}) const;
    void describe(const ItemSet& set, Cell* cell) const;
    Inputs begin(const Communicator& group, Prepared&& prepared);
    static Inputs share(const Communicator& group, ItemSet set);
    ScoreOptions score_options() const;
    DType stored_as(std::int64_t layer) const;
    std::vector<RowSpool::Part> captured_parts() const;
    std::vector<float> score(const Inputs& inputs, RowSpool* spool) const;
    Cell put_together(const ItemSet& set, const std::vector<float>& scores, const RowsOfAll& rows) const;
    std::filesystem::path folder_;
    EvaluateOptions options_;
    ModelConfig config_;
    Json extra_;                        //!< the folder's xlrm.json
    std::optional<LoadedModel> model_;  //!< from the first evaluation on
    std::unique_ptr<Tokenizer> tokenizer_;
    std::unique_ptr<ChatTemplate> template_;
    Pooling pooling_ = Pooling::last;
    std::vector<std::int64_t> layers_;
    std::unique_ptr<Decoder> decoder_;
    std::unique_ptr<ImplicitReward> implicit_;
    std::optional<std::string> inexactness_;  //!< what find_inexactness said
    std::string notes_;
};

//! Facts of a run that may differ between equal runs, for `<cell>.run.json`: host, ranks, threads, seconds, Slurm ids, start
//! time, device.
Json run_facts(const Communicator& group, double seconds, at::Device device);

}  // namespace xlrm
