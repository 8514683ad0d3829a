#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "xlrm/comm/communicator.hpp"
#include "xlrm/core/options.hpp"
#include "xlrm/core/output_lock.hpp"
#include "xlrm/data/prepare.hpp"

namespace xlrm {

//! xlrm_prepare: options, and what it does with them.
struct PrepareJob {
    std::vector<std::string> input;
    std::string model, output;
    std::vector<std::string> langs;
    RowFormOptions forms;
    std::string rows = "auto";  //!< auto | preference | document | response | ranking | regression
    std::string chat_template = "auto", template_date = kTemplateDate;
    std::int64_t max_length = 2048;
    std::string over_length = "drop";
    std::string ties = "drop";  //!< pairs of equal answers: drop | keep
    std::string split, part, default_lang = "en";
    bool concatenate = false;
    std::int64_t seed = 0;
    std::string train_sentencepiece;  //!< folder to write; "" = none
    std::int64_t vocab_size = 8000;
    double character_coverage = 0.9995;

    void describe(Options& options);
    //! Collective. Trains the sentencepiece model if asked, then prepares with --model (with the new one where no model is
    //! given but an output is). One file for each part of --split unless --part names one: `pairs.h5` becomes
    //! `pairs.train.h5`. Returns the report for rank 0 to print. All that is written is locked from the beginning
    //! (core/output_lock.hpp). `dry_run`: the same work, and nothing written. Throws Error.
    std::string run(const Communicator& comm, bool dry_run) const;

private:
    PrepareOptions prepare_options() const;
    //! The file of each part; "" where nothing is written.
    std::vector<std::filesystem::path> files(const std::vector<std::string>& parts) const;
    std::vector<OutputLock> lock_outputs(const std::vector<std::string>& parts) const;
    void train(const Communicator& comm, const PrepareOptions& options, const std::filesystem::path& folder) const;
    std::string prepare_part(const Communicator& comm, const PrepareOptions& options, const Tokenizer& tokenizer,
                             const ChatTemplate& chat, const std::filesystem::path& file, bool dry_run) const;
};

}  // namespace xlrm
