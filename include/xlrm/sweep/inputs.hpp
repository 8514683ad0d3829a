#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "xlrm/core/file_hashes.hpp"
#include "xlrm/core/json.hpp"
#include "xlrm/data/preference_row.hpp"
#include "xlrm/sweep/config.hpp"

namespace xlrm {

//! Rows that one option names ("data.train", "data.eval.dev", "pretrain.data", "tokenizer.data"), and what is taken of them.
struct RowDemand {
    std::string option;
    std::vector<std::filesystem::path> files;  //!< absolute
    RowKind kind = RowKind::preference;
    std::string split, part;                           //!< part "" = all rows
    std::vector<std::vector<std::string>> selections;  //!< languages that are taken together (sorted_languages); {} = all
    std::string default_lang = "en";                   //!< of rows that name none
    RowFormOptions forms = {};
};

//! What those rows are.
struct InputRows {
    struct Volume {
        std::int64_t rows = 0;
        double bytes = 0.0;  //!< of the texts of all answers, each with its prompt
    };
    RowDemand demand;
    std::map<std::string, Volume> languages;  //!< as all rows of the files together name them (LanguageNames)
    std::vector<std::string> missing;         //!< languages of the selections that no row has
    //! Selection ("en+ko"; "" = all) → SHA-256 of its rows in order, whatever files hold them. A prepared file of
    //! documents counts as a whole.
    std::map<std::string, std::string> sha256;
    std::vector<std::string> files_sha256;  //!< in the order of the files
    bool selectable = true;                 //!< whether prepared rows of the selections can be told apart (can_select)
    RowNotes notes;                         //!< of what was read; empty where the rows are remembered
    std::int64_t repeated = 0;              //!< rows with an id that an earlier row of their language has
};

//! "data.eval.dev" → "[data] eval.dev".
std::string shown_option(const std::string& option);

//! Languages as a user names them ("kor_Hang", "pt-BR") as PrepareOptions::langs, sorted, each once.
std::vector<std::string> sorted_languages(const std::vector<std::string>& langs);

//! "en+ko".
std::string selection_name(const std::vector<std::string>& langs);

//! Reads the rows. Items that are prepared already (.h5) count as rows of their language; of documents the file as a whole.
//! Throws Error naming file, line and field; for a file without rows, and for items of another kind.
InputRows read_input_rows(const RowDemand& demand, FileHashes& hashes);

//! The hashes that `inputs` of a plan has for the same rows, when its files are the same today: then nothing need be read.
//! Without volumes.
std::optional<InputRows> remembered_input_rows(const Json& inputs, const RowDemand& demand, FileHashes& hashes);

//! All that a sweep reads.
struct SweepInputs {
    std::map<std::string, InputRows> rows;  //!< by option
    std::map<std::string, Json> bases;      //!< name of a base or model that is given → base_recipe

    //! For plan.json: {option: {"given": [path as configured], "files": [{"path", "sha256"}], "kind", "split", "part",
    //! "default_lang", "forms", "rows_sha256": {selection: hash}}, "bases": {name: {"given", "folder", "recipe"}}, and with
    //! judges "judge": {"prompt", "sha256"}}.
    Json to_json(const SweepConfig& config, FileHashes& hashes) const;
};

//! What a model folder is, by content: hashes of its weights (with config.json) and of its tokenizer's files (its templates are
//! among them), and what its xlrm.json says of template and pooling. Throws Error for a folder that cannot be used.
Json base_recipe(const std::filesystem::path& folder, FileHashes& hashes);

//! What differs today from `inputs` of a plan, a sentence each: rows that have changed, bases that have. Files that cannot be
//! read any more are not compared.
std::vector<std::string> changed_inputs(const Json& inputs, FileHashes& hashes);

}  // namespace xlrm
