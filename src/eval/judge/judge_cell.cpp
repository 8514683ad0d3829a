#include <cstdio>

#include "judge/judged_items.hpp"
#include "xlrm/core/build_info.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/stats/intervals.hpp"
#include "xlrm/store/cell_file.hpp"

namespace xlrm {
namespace {

struct Language {
    JudgeCounts counts;
    std::int64_t right = 0, even = 0;
};

std::string percent(const Share& share) {
    if (share.total == 0) return "      -";
    char text[32];
    std::snprintf(text, sizeof text, "%6.1f%%", 100.0 * share.value());
    return text;
}

std::string table_of(const std::map<std::string, Language>& languages, bool both) {
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
                          100.0 * interval.high, static_cast<long>(found.even));
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
            out += "          " + std::to_string(counts.missing) + " more items have no reply and are left out\n";
    }
    return out;
}

Json protocol_of(const JudgeJob& job, const JudgedItems& items) {
    return {{"prompt", items.prompt.name()},
            {"prompt_version", items.prompt.version()},
            {"prompt_sha256", items.prompt.sha256()},
            {"parser", job.parser},
            {"orders", job.orders},
            {"votes", job.votes}};
}

}  // namespace

std::string write_judge_cell(const JudgeJob& job, const JudgedItems& items, const JudgeReplies& replies,
                             const JudgeFacts& facts) {
    Cell cell;
    std::map<std::string, Language> languages;
    const auto reply_of = [&](const JudgedItem& item, const char* order) {
        const auto found = replies.find({item.lang, item.id, item.occurrence, order});
        return found == replies.end() ? std::optional<JudgeReply>() : std::optional(found->second);
    };
    for (const JudgedItem& item : items.items) {
        const OrderedReplies both{reply_of(item, "AB"), reply_of(item, "BA")};
        Language& language = languages[item.lang];
        language.counts.add(items.mode, both);
        const std::optional<double> preferred = preference(items.mode, both);
        if (!preferred) continue;
        language.right += *preferred > 0.5 ? 1 : 0;
        language.even += *preferred == 0.5 ? 1 : 0;
        cell.id.push_back(item.id);
        cell.subset.push_back(item.subset);
        cell.lang.push_back(item.lang);
        cell.occurrence.push_back(item.occurrence);
        cell.chosen.push_back(static_cast<float>(*preferred));
        cell.rejected.push_back(static_cast<float>(1.0 - *preferred));
        cell.chosen_tokens.push_back(0);  // a judge's prompt holds both answers
        cell.rejected_tokens.push_back(0);
    }
    require(!cell.id.empty(), "no item has a reply in every order of --orders " + job.orders + ", so there is nothing to write");
    cell.model = facts.model;
    for (const std::string& lang : items.langs) cell.target_lang += (cell.target_lang.empty() ? "" : "+") + lang;
    cell.pooling = "none";
    cell.head = "judge";
    cell.chat_template = facts.chat_template;
    cell.template_sha256 = facts.template_sha256;
    cell.tokenizer_sha256 = facts.tokenizer_sha256;
    cell.model_sha256 = facts.model_sha256;
    cell.dtype = facts.dtype;
    Json counts = Json::object();
    for (const auto& [lang, found] : languages) counts[lang] = found.counts.as_json();
    Json judge = protocol_of(job, items);
    judge["generation"] = facts.options;
    judge["counts"] = std::move(counts);
    cell.provenance = {{"judge", std::move(judge)},
                       {"code", version()},
                       {"inputs", {{"langs", items.langs}, {"input_sha256", items.input_sha256}}}};
    write_cell(job.output, cell, facts.run);
    return table_of(languages, uses_ab(items.mode) && uses_ba(items.mode));
}

}  // namespace xlrm
