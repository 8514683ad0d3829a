// LLaMA-Factory's two forms, OpenAI's messages before two answers, and what xlrm_generate writes.

#include "row_forms.hpp"

namespace xlrm::forms {
namespace {

Json turn_of(const Fields& row, const Json& turn, const std::string& field) {
    if (turn.is_string()) return assistant_turn(turn.get<std::string>());
    if (!turn.is_object()) row.bad(field, std::string("is neither text nor a turn but ") + turn.type_name());
    if (turn.contains("role") && turn.contains("content")) return turn;
    if (!turn.contains("from") || !turn.contains("value")) row.bad(field, "is no turn with from and value");
    const std::string from = row.text(turn.at("from"), field + ".from");
    Json message = {{"role", from}, {"content", turn.at("value")}};
    if (from == "human") message["role"] = "user";
    if (from == "gpt") message["role"] = "assistant";
    if (from == "observation") message["role"] = "tool";
    if (from == "function_call")
        row.bad(field + ".from", "is function_call, whose calls are text here; write them as tool_calls of a message");
    return message;
}

Json turns_of(const Fields& row, const Json& list, const std::string& field) {
    if (!list.is_array()) return Json::array({turn_of(row, list, field)});
    Json turns = Json::array();
    for (const Json& turn : list) turns.push_back(turn_of(row, turn, field + "[" + std::to_string(turns.size()) + "]"));
    return turns;
}

}  // namespace

// The query follows the instruction after a line end; either may be empty.
Json alpaca(const Fields& row, const RowFormOptions&) {
    std::string text = row.any_text(row.need("instruction"), "instruction");
    std::string name;
    if (const Json* query = row.find({"input", "context"}, &name); query != nullptr) {
        const std::string more = row.any_text(*query, name);
        text += (text.empty() || more.empty() ? "" : "\n") + more;
    }
    if (text.empty()) row.bad("instruction", "is empty");
    Json own = {{"prompt", text}};
    if (const Json* history = row.find({"history"}); history != nullptr && !history->empty()) {
        Json turns = Json::array();
        for (const Json& both : *history) {
            if (!both.is_array() || both.size() != 2) row.bad("history", "is not a list of pairs of question and answer");
            turns.push_back({{"role", "user"}, {"content", both[0]}});
            turns.push_back(assistant_turn(row.any_text(both[1], "history")));
        }
        turns.push_back({{"role", "user"}, {"content", text}});
        own["prompt"] = turns;
    }
    const Json* output = row.object().contains("chosen") ? nullptr : row.find({"output"});
    if (output == nullptr) return own;
    if (!output->is_array()) {
        own["response"] = *output;
    } else if (output->size() == 2) {
        own["chosen"] = (*output)[0];
        own["rejected"] = (*output)[1];
    } else {
        row.bad("output", "is not text, nor a list of the chosen and the rejected answer");
    }
    return own;
}

Json sharegpt(const Fields& row, const RowFormOptions&) {
    const Json turns = turns_of(row, row.need("conversations"), "conversations");
    if (!row.object().contains("chosen")) return {{"messages", turns}};
    return {{"prompt", turns},
            {"chosen", turns_of(row, row.need("chosen"), "chosen")},
            {"rejected", turns_of(row, row.need("rejected"), "rejected")}};
}

Json messages(const Fields& row, const RowFormOptions&) { return {{"prompt", row.need("messages")}}; }

// A generated text, which may be empty, is the answer.
Json samples(const Fields& row, const RowFormOptions&) {
    return {{"response", Json::array({assistant_turn(row.any_text(row.need("text"), "text"))})}};
}

}  // namespace xlrm::forms
