// Forms of several answers with a number each, and of one answer with several.

#include <algorithm>

#include "row_forms.hpp"

namespace xlrm {
namespace {

// The smallest rank is the best, the largest score.
Json rank_of_score(const Fields& row, const Json& score, const std::string& field) {
    row.number(score, field);
    return score.is_number_integer() && !score.is_number_unsigned() ? Json(-score.get<std::int64_t>())
                                                                    : Json(-score.get<double>());
}

void require_rank(const Fields& row, const RowFormOptions& options, const std::string& name) {
    if (!options.pair_by.empty() && options.pair_by != name)
        row.bad(options.pair_by, "is not what its answers are ranked by; give --pair-by " + name);
}

}  // namespace

std::optional<Json> best_and_worst(const Fields& ranking) {
    const Json& responses = ranking.need("responses");
    const Json& ranks = ranking.need("ranks");
    if (!responses.is_array() || !ranks.is_array() || responses.size() != ranks.size()) {
        ranking.bad("ranks", "is not a list of one rank for each of the 'responses'");
    }
    std::size_t best = 0;
    std::size_t worst = 0;
    for (std::size_t i = 0; i < ranks.size(); ++i) {
        ranking.number(ranks[i], "ranks[" + std::to_string(i) + "]");
        if (ranks[i].get<double>() < ranks[best].get<double>()) best = i;
        if (ranks[i].get<double>() > ranks[worst].get<double>()) worst = i;
    }
    if (best == worst) return std::nullopt;
    const auto side = [&](std::size_t i) {
        return responses[i].is_string() ? Json::array({assistant_turn(responses[i].get<std::string>())}) : responses[i];
    };
    Json pair = {{"chosen", side(best)}, {"rejected", side(worst)}};
    for (const auto& [name, value] : ranking.object().items()) {
        if (name != "responses" && name != "ranks") pair[name] = value;
    }
    return pair;
}

namespace forms {

// Answers without a score are left out: some of the set's have none.
Json ultrafeedback(const Fields& row, const RowFormOptions& options) {
    const std::string score = options.pair_by.empty() ? "overall_score" : options.pair_by;
    Json own = {
        {"prompt", row.text(row.need("instruction"), "instruction")}, {"responses", Json::array()}, {"ranks", Json::array()}};
    std::size_t index = 0;
    for (const Json& completion : row.need("completions")) {
        const std::string here = "completions[" + std::to_string(index++) + "].";
        if (!completion.contains(score) || completion.at(score).is_null()) continue;
        own["ranks"].push_back(rank_of_score(row, completion.at(score), here + score));
        own["responses"].push_back(Json::array({assistant_turn(row.any_text(completion.at("response"), here + "response"))}));
    }
    return own;
}

Json nectar(const Fields& row, const RowFormOptions& options) {
    require_rank(row, options, "rank");
    const std::string text = row.text(row.need("prompt"), "prompt");
    Json own = {{"prompt", dialogue_of(text)}, {"responses", Json::array()}, {"ranks", Json::array()}};
    Json& prompt = own["prompt"];
    if (prompt.is_null())
        prompt = text;
    else if (prompt.back()["role"] == "assistant" && prompt.back()["content"] == "")
        prompt.erase(prompt.size() - 1);
    std::size_t index = 0;
    for (const Json& answer : row.need("answers")) {
        const std::string here = "answers[" + std::to_string(index++) + "].";
        own["responses"].push_back(Json::array({assistant_turn(row.any_text(answer.at("answer"), here + "answer"))}));
        own["ranks"].push_back(answer.at("rank"));
    }
    if (row.object().contains("source") && row.object().at("source").is_array()) {
        std::string names;
        for (const Json& name : row.need("source")) names += (names.empty() ? "" : "+") + row.any_text(name, "source[]");
        own["source"] = names;
    }
    return own;
}

Json nemo_rl(const Fields& row, const RowFormOptions& options) {
    require_rank(row, options, "rank");
    Json own = {{"prompt", row.need("context")}, {"responses", Json::array()}, {"ranks", Json::array()}};
    for (const Json& completion : row.need("completions")) {
        own["responses"].push_back(completion.at("completion"));
        own["ranks"].push_back(completion.at("rank"));
    }
    return own;
}

// Prompts of several turns have NeMo's marks between them.
Json helpsteer2(const Fields& row, const RowFormOptions&) {
    static const std::string user = "\n<extra_id_1>User\n";
    static const std::string assistant = "\n<extra_id_1>Assistant\n";
    Json own = {{"labels", Json::array()},
                {"response", Json::array({assistant_turn(row.any_text(row.need("response"), "response"))})}};
    for (const char* name : {"helpfulness", "correctness", "coherence", "complexity", "verbosity"}) {
        row.use(name);
        own["labels"].push_back(row.object().at(name));  // null: not known
    }
    const std::string text = row.text(row.need("prompt"), "prompt");
    Json turns = Json::array();
    std::size_t begin = 0;
    for (bool of_user = true; begin <= text.size(); of_user = !of_user) {
        const std::string& mark = of_user ? assistant : user;
        const std::size_t end = std::min(text.find(mark, begin), text.size());
        turns.push_back({{"role", of_user ? "user" : "assistant"}, {"content", text.substr(begin, end - begin)}});
        if (end == text.size()) break;
        begin = end + mark.size();
    }
    own["prompt"] = turns.size() == 1 ? Json(text) : turns;
    return own;
}

}  // namespace forms
}  // namespace xlrm
