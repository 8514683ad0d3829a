#pragma once

#include <map>
#include <string>
#include <vector>

#include "xlrm/eval/judge.hpp"
#include "xlrm/eval/judge_batch.hpp"
#include "xlrm/eval/judge_prompt.hpp"

namespace xlrm {

//! A pair that is judged.
struct JudgedItem {
    std::string id, lang, subset;
    std::int32_t occurrence = 0;
    std::string question, chosen, rejected;
};

//! The pairs of job.data and what is asked about them.
struct JudgedItems {
    std::vector<JudgedItem> items;
    std::vector<std::string> langs;
    Json input_sha256;
    JudgePrompt prompt;
    OrderMode mode = OrderMode::ab;

    //! Of items in order, AB before BA.
    std::vector<JudgeRequest> requests() const;
    std::vector<ChatMessage> messages(const JudgedItem& item, bool swapped) const;
};

//! Throws Error for rows that are no pairs, naming the item; Error(usage) for a prompt file of another form.
JudgedItems read_judged_items(const JudgeJob& job);

//! Whatever a judge said, by request.
using JudgeReplies = std::map<JudgeRequest, JudgeReply>;

//! What the cell of a judge needs beside its items.
struct JudgeFacts {
    std::string model, chat_template, template_sha256, tokenizer_sha256, model_sha256, dtype;
    Json options;  //!< of the generation; null for replies of others
    Json run;      //!< for the run file
};

//! Writes the cell; returns the table that is printed: by language accuracy, unparsed, cut off, first slot, agreement of orders,
//! language of the verdict.
std::string write_judge_cell(const JudgeJob& job, const JudgedItems& items, const JudgeReplies& replies, const JudgeFacts& facts);

}  // namespace xlrm
