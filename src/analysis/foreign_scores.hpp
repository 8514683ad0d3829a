#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace xlrm {

//! Scores of one model that another tool wrote, an entry an item.
struct ForeignScores {
    std::string form;           //!< what the file is: "RewardBench scores"
    std::string model;          //!< as it names it; "" where it does not
    std::string chat_template;  //!< likewise
    bool verdicts = false;      //!< it has who won alone: scores are 1 and 0, ½ and ½ for a tie
    std::vector<std::string> id, subset;
    std::vector<std::string> lang;            //!< of each item; empty where the file names none
    std::vector<std::vector<double>> scores;  //!< of the item's answers, the right ones first
    std::vector<std::int32_t> num_correct;
};

//! Reads one of these:
//!     eval-set-scores/<org>/<model>.json of RewardBench (run_rm.py, rewardbench 0.1.4): an object of columns id, subset,
//!         scores_chosen, scores_rejected, results; where there are no scores (custom classifiers, judges) results alone
//!     the same of RewardBench 2 (run_v2.py): columns id, subset, scores (a list an item), num_correct
//!     <model>_outputs.jsonl of the program rewardbench: rows with scores_chosen and scores_rejected, and the data's columns
//!     <model>-<lang>-all.jsonl of M-RewardBench (and rewardbench --save_all): rows {chosen, rejected}; ids are the rows' numbers
//!         from 0
//!     <model>-<lang>.json of M-RewardBench's judges: an object with scores.results; ids likewise
//! Files of accuracies (eval-set/…, the program's <model>.json) hold no item and are refused by name. Throws Error naming file,
//! field, and row: columns of other lengths, scores that are no finite numbers, verdicts other than 0, ½ and 1.
ForeignScores read_foreign_scores(const std::filesystem::path& path);

}  // namespace xlrm
