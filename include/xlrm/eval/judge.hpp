#pragma once

#include <string>
#include <vector>

#include "xlrm/comm/communicator.hpp"
#include "xlrm/eval/generate.hpp"
#include "xlrm/eval/judge_orders.hpp"

namespace xlrm {

//! What xlrm_judge is asked for: pairs of answers, of which a language model says which is better.
struct JudgeJob {
    std::string verb = "run";                //!< run | export | import
    std::vector<std::string> data, langs;    //!< preference rows of two answers
    std::string prompt, parser = "strict";   //!< file (judge_prompt.hpp); rule (judge_parser.hpp)
    std::string orders = "both-consistent";  //!< AB | BA | both-consistent | both-average
    std::int64_t votes = 1;                  //!< judgements of each prompt, of which the majority counts
    std::string output;                      //!< cell; of export the requests
    std::string judge;                       //!< export, import: the service's name of the model
    std::vector<std::string> verdicts;       //!< import: files
    std::string request_options;             //!< export: JSON for the body of a request
    GenerateJob generate;                    //!< model, template, sampling, batch; its prompts and samples are set here
};
void describe(Options& options, JudgeJob& job);

//! Throws Error(usage) for an option that was given though it changes nothing with the others as they are.
void check_given(const Options& options, const JudgeJob& job);

//! Collective. `run`: generates the verdicts, which stay beside the cell as `<cell minus .h5>.replies.jsonl` (samples_file.hpp; a
//! sample's id is custom_id of its request), and writes the cell: an item's score of the chosen answer is the preference
//! (judge_orders.hpp), that of the rejected one the rest to 1, so ties are equal scores. Its provenance, member `judge`, has the
//! protocol (prompt file's name, version and hash; parser; orders; votes) and for each language what JudgeCounts counts. Goes on
//! after a stop like xlrm_generate. `export`: the requests in OpenAI's batch format. `import`: the same cell from replies that
//! others made. Items without a reply are counted and left out of the cell.
JobEnd run_judge(const Communicator& world, const JudgeJob& job);

//! Collective. What --dry-run prints.
std::string judge_report(const Communicator& world, const JudgeJob& job);

}  // namespace xlrm
