#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "xlrm/align/scored_samples.hpp"
#include "xlrm/analysis/result_table.hpp"
#include "xlrm/comm/communicator.hpp"
#include "xlrm/core/options.hpp"

namespace xlrm {

//! What xlrm_align best-of-n is asked for.
struct BestOfNOptions {
    std::vector<std::string> samples;  //!< files (scored_samples.hpp)
    std::vector<std::string> proxies;  //!< names of scores that choose
    std::string gold = "gold";         //!< name of the score that judges
    std::string output;
    std::int64_t least = 1;  //!< prompts with fewer samples are left out
    double level = 0.95;
};
void describe(Options& options, BestOfNOptions& job);

//! Prompts with what the scores of the proxies, in this order, and behind them the gold score, are.
struct BestOfNInput {
    std::vector<ScoredPrompt> prompts;
    std::vector<std::string> proxies;
    std::string gold;
    double level = 0.95;
};

//! Two tables. `best_of_n`: by language (and `all`, where there are several), proxy and n = 1 … the fewest samples that a prompt
//! has: the expected gold score of the answer that the proxy prefers among n (best_of_n of stats), what that is above n = 1, the
//! proxy's own score of it, and the gold score's own choice. `best_of_n_differences`: the first proxy less each other one, prompt
//! by prompt. Values are means over prompts; intervals are those of clustered_mean at `level`, translations and siblings of a
//! prompt (item_stem) being one cluster. REQUIRES: prompts, each with a sample.
std::vector<ResultTable> best_of_n_tables(const BestOfNInput& input);

//! Collective; the root works. Writes OUTPUT/<table>.csv, .md and .tex and best_of_n.json (options, inputs by hash, counts), and
//! prints the tables at n = 1, 2, 4, … and the last. Throws Error(usage) naming the option.
void run_best_of_n(const Communicator& world, const BestOfNOptions& job);

//! Collective. What --dry-run prints: prompts and samples by language, n, the output. Writes nothing.
std::string best_of_n_report(const Communicator& world, const BestOfNOptions& job);

}  // namespace xlrm
