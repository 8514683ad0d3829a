#pragma once

#include <compare>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "xlrm/core/json.hpp"
#include "xlrm/eval/judge_orders.hpp"
#include "xlrm/text/chat_template.hpp"

namespace xlrm {

//! One prompt to a judge: an item in one order.
struct JudgeRequest {
    std::string lang, id;
    std::int32_t occurrence = 0;
    //! "AB", "BA"; a ranking: the letters of the answers as shown ("BACD"); a rating: which of the item's answers, from "1".
    std::string order = "AB";
    auto operator<=>(const JudgeRequest&) const = default;
};
//! "ko|AB|0|x-17": the `custom_id` of a request in a batch.
std::string custom_id(const JudgeRequest& request);
//! Throws Error naming `where` for a text that custom_id cannot give.
JudgeRequest parse_custom_id(const std::string& text, const std::string& where);

//! A line of OpenAI's batch input (POST /v1/chat/completions), without the line end: `model` and `options` (temperature,
//! max_tokens …) are put into its body as they are.
std::string batch_line(const JudgeRequest& request, const std::string& model, const std::vector<ChatMessage>& messages,
                       const Json& options);

//! A reply of a judge that ran elsewhere.
struct ImportedReply {
    JudgeReply reply;
    std::string text;  //!< raw, "" where only the verdict is known
};

//! What an import found.
struct ImportedReplies {
    std::map<JudgeRequest, ImportedReply> replies;
    //! Requests without a reply; ids that had more than one (the first counts); ids that no request has. In the order of
    //! requests, and of the files.
    std::vector<std::string> missing, repeated, unknown;
    //! Requests whose reply was an error of the service, with what it says: no text, so no verdict.
    std::vector<std::string> failed;
    //! "3 replies are missing: ko|AB|0|x-1, …", one line each for missing, repeated, unknown and failed, the first 5 named.
    std::vector<std::string> report() const;
};

//! Reads replies from JSON lines, plain or gzip, of either form:
//! - rows {id, lang, order, text} or {id, lang, order, verdict}: also `occurrence` (default 0), `finish_reason` ("length" = cut
//! off).
//!   `order` may be left out where all requests are AB. `text` is read by `parser`; `verdict` is "A", "B", "tie" or "none" (see
//!   parse_verdict_name), or a rating as a text or a whole number. A row with both must not contradict itself.
//! - lines of OpenAI's batch output {custom_id, response: {status_code, body}, error}.
//! Throws Error naming file, line and field for a row of neither form.
ImportedReplies import_replies(const std::vector<std::filesystem::path>& files, const std::vector<JudgeRequest>& requests,
                               const JudgeParser& parser, JudgeForm form);

}  // namespace xlrm
