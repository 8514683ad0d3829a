#include <algorithm>
#include <cstdio>
#include <limits>

#include "judge/judged_items.hpp"
#include "xlrm/core/build_info.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/eval/benchmark.hpp"
#include "xlrm/stats/intervals.hpp"
#include "xlrm/store/cell_file.hpp"

namespace xlrm {
namespace {

struct Language {
    JudgeCounts counts;
    std::int64_t right = 0;
};

std::string percent(const Share& share) {
    if (share.total == 0) return "      -";
    char text[32];
    std::snprintf(text, sizeof text, "%6.1f%%", 100.0 * share.value());
    return text;
}

std::string table_of(const std::map<std::string, Language>& languages, bool both, const std::string& why_missing) {
    std::string out = "language   items  accuracy [95 %]         even  unparsed  cut off  first slot";
    out += both ? "  orders agree  verdict in\n" : "  verdict in\n";
    for (const auto& [lang, found] : languages) {
        const JudgeCounts& counts = found.counts;
        char text[200];
        if (counts.items > 0) {
            const Interval interval = wilson_interval(found.right, counts.items);
            std::snprintf(text, sizeof text, "%-9s %6ld   %6.1f%% [%5.1f, %5.1f]  %6ld", lang.c_str(),
                          static_cast<long>(counts.items),
                          100.0 * static_cast<double>(found.right) / static_cast<double>(counts.items), 100.0 * interval.low,
                          100.0 * interval.high, static_cast<long>(counts.even));
        } else {
            std::snprintf(text, sizeof text, "%-9s %6d   %24s %6d", lang.c_str(), 0, "-", 0);
        }
        out += text + std::string("   ") + percent(counts.unparsed) + "  " + percent(counts.truncated) + "     " +
               percent(counts.first_slot);
        if (both) out += "       " + percent(counts.order_agreement);
        std::string most;
        std::int64_t times = 0;
        for (const auto& [name, count] : counts.languages)
            if (count > times) most = name, times = count;
        out += most.empty() ? "  -\n" : "  " + most + percent({times, counts.replies}) + "\n";
        if (counts.missing > 0)
            out += "          " + std::to_string(counts.missing) + " more items " + why_missing + ", and are left out\n";
    }
    return out;
}

Json protocol_of(const JudgeJob& job, const JudgedItems& items) {
    Json protocol = {{"prompt", items.prompt.name()},
                     {"prompt_version", items.prompt.version()},
                     {"prompt_sha256", items.prompt.sha256()},
                     {"form", name_of(items.prompt.form())},
                     {"parser", job.parser},
                     {"votes", job.votes}};
    if (items.prompt.form() == JudgeForm::pair) protocol["orders"] = job.orders;
    if (items.prompt.form() == JudgeForm::ranking) protocol["seed"] = items.seed;
    if (items.left_out > 0) protocol["left_out"] = items.left_out;
    return protocol;
}

void add_item(const JudgedItem& item, const std::vector<float>& scores, Cell& cell) {
    const auto split = scores.begin() + item.num_correct;
    cell.id.push_back(item.id);
    cell.subset.push_back(item.subset);
    cell.lang.push_back(item.lang);
    cell.occurrence.push_back(item.occurrence);
    cell.chosen.push_back(*std::max_element(scores.begin(), split));
    cell.rejected.push_back(*std::max_element(split, scores.end()));
    cell.chosen_tokens.push_back(0);  // a judge's prompt may hold several answers
    cell.rejected_tokens.push_back(0);
}

// All scores, where some item has more than two answers.
void add_responses(const std::vector<const JudgedItem*>& items, const std::vector<std::vector<float>>& scores, Cell& cell) {
    for (const auto& one : scores) cell.max_answers = std::max<std::int64_t>(cell.max_answers, std::ssize(one));
    if (cell.max_answers == 2) return;
    for (std::size_t i = 0; i < items.size(); ++i) {
        cell.num_correct.push_back(items[i]->num_correct);
        cell.response.insert(cell.response.end(), scores[i].begin(), scores[i].end());
        cell.response.resize((i + 1) * static_cast<std::size_t>(cell.max_answers), std::numeric_limits<float>::quiet_NaN());
    }
}

void describe_cell(const JudgedItems& items, const JudgeFacts& facts, Cell& cell) {
    cell.model = facts.model;
    for (const std::string& lang : items.langs) cell.target_lang += (cell.target_lang.empty() ? "" : "+") + lang;
    cell.pooling = "none";
    cell.head = "judge";
    cell.chat_template = facts.chat_template;
    cell.template_sha256 = facts.template_sha256;
    cell.tokenizer_sha256 = facts.tokenizer_sha256;
    cell.model_sha256 = facts.model_sha256;
    cell.dtype = facts.dtype;
}

// What the benchmark's rule makes of the cell; an even item of a judge is worth a half where an equal score of a reward model is
// worth nothing, as in RewardBench 1.
std::string benchmark_of(const JudgeJob& job, const Cell& cell) {
    const std::vector<ScoredItem> items = scored_items(cell);
    const std::string benchmark = job.benchmark == "auto" ? recognised_benchmark(items) : job.benchmark;
    if (benchmark == "plain" && job.benchmark == "auto" && job.ties == "auto") return "";
    const bool loss = default_ties(benchmark) == TiePolicy::loss;
    return format_benchmark(report_benchmark(benchmark, job.ties == "auto" && loss ? "half" : job.ties, items));
}

std::string notes_of(const JudgeJob& job, const JudgedItems& items, const std::map<std::string, Language>& languages) {
    std::string notes;
    if (items.left_out > 0)
        notes += std::to_string(items.left_out) + " rows do not have four answers of which one is right, and are left out\n";
    std::int64_t unparsed = 0, replies = 0;
    for (const auto& [lang, found] : languages) unparsed += found.counts.unparsed.count, replies += found.counts.replies;
    if (replies > 0 && unparsed == replies)
        notes += "no reply has a verdict that parser " + job.parser + " reads; is it the one that prompt " + items.prompt.name() +
                 " asks for?\n";
    return notes;
}

}  // namespace

std::optional<std::vector<float>> judged_scores(const JudgedItems& items, const JudgedItem& item, const std::string& parser,
                                                const JudgeReplies& replies, JudgeCounts& counts) {
    const auto reply_of = [&](const std::string& order) {
        const auto found = replies.find({item.lang, item.id, item.occurrence, order});
        return found == replies.end() ? std::optional<JudgeReply>() : std::optional(found->second);
    };
    if (items.prompt.form() == JudgeForm::pair) {
        const OrderedReplies both{reply_of("AB"), reply_of("BA")};
        counts.add(items.mode, both);
        const std::optional<double> preferred = preference(items.mode, both);
        if (!preferred) return {};
        return std::vector<float>{static_cast<float>(*preferred), static_cast<float>(1.0 - *preferred)};
    }
    const std::vector<std::string> orders = items.orders(item);
    std::vector<JudgeVerdict> verdicts;
    for (const std::string& order : orders) {
        const auto reply = reply_of(order);
        if (!reply) continue;
        counts.add(*reply);
        verdicts.push_back(reply->verdict);
    }
    const bool whole = verdicts.size() == orders.size();
    ++(whole ? counts.items : counts.missing);
    if (!whole) return {};
    std::vector<float> scores = items.prompt.form() == JudgeForm::ranking ? ranking_scores(verdicts.front(), orders.front())
                                                                          : rating_scores(verdicts, unrated_rule(parser));
    const auto split = scores.begin() + item.num_correct;
    counts.even += *std::max_element(scores.begin(), split) == *std::max_element(split, scores.end()) ? 1 : 0;
    return scores;
}

std::string write_judge_cell(const JudgeJob& job, const JudgedItems& items, const JudgeReplies& replies, const JudgeFacts& facts,
                             const std::function<void(Cell&)>& finish) {
    Cell cell;
    std::map<std::string, Language> languages;
    std::vector<const JudgedItem*> judged;
    std::vector<std::vector<float>> scores;
    for (const JudgedItem& item : items.items) {
        Language& language = languages[item.lang];
        auto found = judged_scores(items, item, job.parser, replies, language.counts);
        if (!found) continue;
        add_item(item, *found, cell);
        language.right += cell.chosen.back() > cell.rejected.back() ? 1 : 0;
        judged.push_back(&item);
        scores.push_back(std::move(*found));
    }
    require(!cell.id.empty(), "no item has a reply to each of its prompts, so there is nothing to write");
    add_responses(judged, scores, cell);
    describe_cell(items, facts, cell);
    Json counts = Json::object();
    for (const auto& [lang, found] : languages) counts[lang] = found.counts.as_json();
    Json judge = protocol_of(job, items);
    judge["generation"] = facts.options;
    judge["counts"] = std::move(counts);
    cell.provenance = {{"judge", std::move(judge)},
                       {"code", version()},
                       {"inputs", {{"langs", items.langs}, {"input_sha256", items.input_sha256}}}};
    if (items.prompt.form() != JudgeForm::rating) cell.provenance["verdicts"] = true;
    if (finish) finish(cell);
    write_cell(job.output, cell, facts.run);
    const bool both = items.prompt.form() == JudgeForm::pair && uses_ab(items.mode) && uses_ba(items.mode);
    return table_of(languages, both, facts.why_missing) + notes_of(job, items, languages) + benchmark_of(job, cell);
}

}  // namespace xlrm
