#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "xlrm/comm/communicator.hpp"
#include "xlrm/eval/options.hpp"
#include "xlrm/eval/rewardbench_files.hpp"
#include "xlrm/model/decoder.hpp"
#include "xlrm/model/model_folder.hpp"
#include "xlrm/model/pooling.hpp"
#include "xlrm/store/cell_file.hpp"
#include "xlrm/text/chat_template.hpp"
#include "xlrm/text/prepare.hpp"
#include "xlrm/text/tokenizer.hpp"

namespace xlrm {

class ImplicitReward;

//! One model, loaded once, evaluated on any number of data sets.
class Evaluator {
public:
    //! Loads weights, tokenizer and template of `model`. A folder with an LM head or none is a base model: its cells hold activations and
    //! no scores, unless the implicit reward is asked for. Throws Error: damaged folder, tokenizer ids beyond the model's vocabulary, template not recognised.
    Evaluator(std::filesystem::path model, EvaluateOptions options);
    ~Evaluator();

    //! Collective over `group`: ranks share the texts. The rows of `data` in `langs` (canonical; empty = all), all in one cell: whole on
    //! the group's root, empty elsewhere. Throws Error, the same on every rank, for bad rows and a language that no row has.
    //! `lines`: where each item was read (Prepared::lines), on every rank.
    Cell evaluate(const Communicator& group, const std::vector<std::filesystem::path>& data, const std::vector<std::string>& langs,
                  std::vector<std::int64_t>* lines = nullptr);

    //! The rows behind the items that evaluate told `lines` of, read again and rendered. Throws Error(usage) for items of .h5 files, whose
    //! texts are not kept.
    std::vector<ItemText> texts(const std::vector<std::filesystem::path>& data, const std::vector<std::string>& langs,
                                const std::vector<std::int64_t>& lines) const;

    //! Collective. What evaluate would read, by language.
    std::map<std::string, LanguageReport> report(const Communicator& group, const std::vector<std::filesystem::path>& data,
                                                 const std::vector<std::string>& langs) const;

    //! For the run file: whether the bits of scores and states depend on no batch and no rank count, as evaluate found it; null where it was
    //! not asked (--exact no); where they do, why ("inexact").
    Json exactness() const;

    const LoadedModel& model() const { return model_; }
    bool has_scores() const { return model_.head == HeadKind::reward || implicit_ != nullptr; }

private:
    struct Inputs;
    PrepareOptions prepare_options(const std::vector<std::filesystem::path>& data, const std::vector<std::string>& langs) const;
    Prepared read(const Communicator& group, const std::vector<std::filesystem::path>& data, const std::vector<std::string>& langs) const;
    void describe(const ItemSet& set, const std::vector<std::string>& langs, Cell* cell) const;
    static Inputs share(const Communicator& group, ItemSet set);
    std::filesystem::path folder_;
    EvaluateOptions options_;
    LoadedModel model_;
    std::unique_ptr<Tokenizer> tokenizer_;
    std::unique_ptr<ChatTemplate> template_;
    Pooling pooling_ = Pooling::last;
    std::vector<std::int64_t> layers_;
    std::unique_ptr<Decoder> decoder_;
    std::unique_ptr<ImplicitReward> implicit_;
    std::optional<std::string> inexactness_;  //!< what find_inexactness said
};

//! Facts of a run that may differ between equal runs, for `<cell>.run.json`: host, ranks, threads, seconds, Slurm ids, start time.
Json run_facts(const Communicator& group, double seconds);

}  // namespace xlrm
