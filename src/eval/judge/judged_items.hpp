#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "xlrm/eval/judge.hpp"
#include "xlrm/eval/judge_batch.hpp"
#include "xlrm/eval/judge_prompt.hpp"
#include "xlrm/store/cell_file.hpp"

namespace xlrm {

//! What is judged of a row.
struct JudgedItem {
    std::string id, lang, subset;
    std::int32_t occurrence = 0;
    std::string question;
    std::vector<std::string> answers;  //!< the right ones first
    std::int32_t num_correct = 1;
};

//! The items of job.data and what is asked about them.
struct JudgedItems {
    std::vector<JudgedItem> items;
    std::vector<std::string> langs;
    Json input_sha256;
    JudgePrompt prompt;
    OrderMode mode = OrderMode::ab;  //!< of pairs
    std::uint64_t seed = 0;          //!< of the places in rankings
    std::int64_t left_out = 0;       //!< rows that a ranking cannot show

    //! JudgeRequest::order of each prompt about an item, in order.
    std::vector<std::string> orders(const JudgedItem& item) const;
    //! Of items in order.
    std::vector<JudgeRequest> requests() const;
    std::vector<ChatMessage> messages(const JudgedItem& item, const std::string& order) const;
};

//! Throws Error for rows that the prompt's form cannot judge, naming the item; Error(usage) for a parser without a rule for it.
JudgedItems read_judged_items(const JudgeJob& job);

//! Whatever a judge said, by request.
using JudgeReplies = std::map<JudgeRequest, JudgeReply>;

//! Scores of an item's answers (the right ones first), its replies counted; nothing where a reply is missing.
std::optional<std::vector<float>> judged_scores(const JudgedItems& items, const JudgedItem& item, const std::string& parser,
                                                const JudgeReplies& replies, JudgeCounts& counts);

//! What the cell of a judge needs beside its items.
struct JudgeFacts {
    std::string model, chat_template, template_sha256, tokenizer_sha256, model_sha256, dtype;
    std::string why_missing;  //!< of items without a reply: "have no reply"
    Json options;             //!< of the generation; null for replies of others
    Json run;                 //!< for the run file
};

//! Writes the cell, which `finish` gets before (if it is there); returns the table that is printed: by language accuracy,
//! unparsed, cut off, first slot, agreement of orders, language of the verdict; and what the benchmark's rule makes of it.
std::string write_judge_cell(const JudgeJob& job, const JudgedItems& items, const JudgeReplies& replies, const JudgeFacts& facts,
                             const std::function<void(Cell&)>& finish);

}  // namespace xlrm
