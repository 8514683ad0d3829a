#include "row_forms.hpp"

#include <algorithm>

namespace xlrm {
namespace {

bool has_prompt(const Json& row) {
    return std::ranges::any_of(kPromptNames,
                               [&](const char* name) { return std::string_view(name) != "input" && has_all(row, {name}); });
}

bool has_any(const Json& row, std::initializer_list<const char*> columns) {
    return std::ranges::any_of(columns, [&](const char* column) { return has_all(row, {column}); });
}

bool is_pku(const Json& row) {
    return has_all(row, {"response_0", "response_1"}) && has_any(row, {"better_response_id", "safer_response_id"});
}
bool is_offsetbias(const Json& row) { return has_all(row, {"instruction", "output_1", "output_2", "label"}); }
bool is_shp(const Json& row) { return has_all(row, {"history", "human_ref_A", "human_ref_B", "labels"}); }
bool is_helpsteer2_preference(const Json& row) {
    return has_all(row, {"prompt", "response_1", "response_2", "preference_strength"});
}
bool is_helpsteer3(const Json& row) { return has_all(row, {"context", "response1", "response2", "overall_preference"}); }
bool is_arena(const Json& row) { return has_all(row, {"conversation_a", "conversation_b", "winner"}); }
// A label may be null: it is masked.
bool is_helpsteer2(const Json& row) {
    return has_all(row, {"prompt", "response"}) &&
           std::ranges::all_of(
               std::initializer_list<const char*>{"helpfulness", "correctness", "coherence", "complexity", "verbosity"},
               [&](const char* name) { return row.contains(name); });
}
bool is_ultrafeedback(const Json& row) { return has_all(row, {"instruction"}) && is_list_with(row, "completions", {"response"}); }
bool is_nectar(const Json& row) { return has_all(row, {"prompt"}) && is_list_with(row, "answers", {"answer", "rank"}); }
bool is_nemo_rl(const Json& row) { return has_all(row, {"context"}) && is_list_with(row, "completions", {"completion", "rank"}); }
bool is_sharegpt(const Json& row) {
    return !has_prompt(row) &&
           (is_list_with(row, "conversations", {"from", "value"}) || is_list_with(row, "conversations", {"role", "content"}));
}
bool is_alpaca(const Json& row) {
    return has_all(row, {"instruction"}) && !has_prompt(row) &&
           has_any(row, {"chosen", "rejected", "output", "response", "completion", "responses", "labels"});
}
bool is_messages(const Json& row) {
    return is_list_with(row, "messages", {"role"}) && has_all(row, {"chosen", "rejected"}) && !has_prompt(row) &&
           !row.contains("input") && !row.at("chosen").is_array();
}

bool is_sample(const Json& row) { return has_all(row, {"prompt", "sample", "text", "finish_reason"}); }

// Columns of which one says what the row is; the others may be named beside a published form.
constexpr std::initializer_list<const char*> kContent = {"prompt", "chosen", "rejected", "response", "responses",
                                                         "ranks",  "labels", "messages", "text"};

}  // namespace

const std::vector<RowForm>& row_forms() {
    static const std::vector<RowForm> table = {
        {"pku-safe-rlhf", RowKind::preference, "prompt, response_0, response_1, better_response_id", is_pku,
         forms::pku_safe_rlhf},
        {"offsetbias", RowKind::preference, "instruction, output_1, output_2, label", is_offsetbias, forms::offsetbias},
        {"shp", RowKind::preference, "history, human_ref_A, human_ref_B, labels", is_shp, forms::shp},
        {"helpsteer2-preference", RowKind::preference, "prompt, response_1, response_2, preference_strength",
         is_helpsteer2_preference, forms::helpsteer2_preference},
        {"helpsteer3", RowKind::preference, "context, response1, response2, overall_preference", is_helpsteer3,
         forms::helpsteer3},
        {"chatbot-arena", RowKind::preference, "conversation_a, conversation_b, winner", is_arena, forms::chatbot_arena},
        {"helpsteer2", RowKind::regression, "prompt, response, helpfulness, correctness, coherence, complexity, verbosity",
         is_helpsteer2, forms::helpsteer2},
        {"ultrafeedback", RowKind::ranking, "instruction, completions", is_ultrafeedback, forms::ultrafeedback},
        {"nectar", RowKind::ranking, "prompt, answers", is_nectar, forms::nectar},
        {"nemo-rl", RowKind::preference, "context, completions", is_nemo_rl, forms::nemo_rl},
        {"sharegpt", std::nullopt, "conversations, chosen, rejected", is_sharegpt, forms::sharegpt},
        {"alpaca", std::nullopt, "instruction, input, chosen, rejected", is_alpaca, forms::alpaca},
        {"messages", RowKind::preference, "messages, chosen, rejected", is_messages, forms::messages},
        {"samples", RowKind::response, "prompt, sample, text, finish_reason", is_sample, forms::samples},
    };
    return table;
}

const RowForm* form_of(const Json& row, const RowFormOptions& options) {
    if (!row.is_object()) return nullptr;
    for (const char* own : kContent) {
        const std::optional<std::string> column = options.column(own);
        if (column && !column->empty() && row.contains(*column)) return nullptr;
    }
    const auto found = std::ranges::find_if(row_forms(), [&](const RowForm& form) { return form.fits(row); });
    return found == row_forms().end() ? nullptr : &*found;
}

std::vector<std::string> parts_of(const std::string& columns) {
    std::vector<std::string> parts;
    for (std::size_t at = 0; at <= columns.size();) {
        const std::size_t end = std::min(columns.find('+', at), columns.size());
        parts.push_back(columns.substr(at, end - at));
        at = end + 1;
    }
    return parts;
}

Json with_columns(const Json& row, const RowFormOptions& options, const std::string& where) {
    const auto mapping = options.mapping();
    if (mapping.empty() || !row.is_object()) return row;
    Json own = row;
    for (const auto& [name, columns] : mapping) {
        const std::vector<std::string> parts = parts_of(columns);
        const auto has = [&](const std::string& part) { return row.contains(part); };
        if (columns.empty()) own.erase(name);
        if (std::ranges::none_of(parts, has)) continue;
        if (const auto missing = std::ranges::find_if_not(parts, has); missing != parts.end()) {
            fail(where + ": field '" + *missing + "' is missing, and --columns puts it beside others into '" + name + "'");
        }
        if (name == "prompt") {
            for (const char* other : {"question", "input", "instruction"}) own.erase(other);
        }
        for (const std::string& part : parts) {
            if (!mapping.contains(part)) own.erase(part);
        }
        own[name] = parts.size() == 1 ? row.at(columns) : Json::array();
        for (std::size_t i = 0; parts.size() > 1 && i < parts.size(); ++i) own[name].push_back(row.at(parts[i]));
    }
    return own;
}

std::string no_known_form(const Json& row) {
    std::string text = "is missing, and the row is of no known form: it has the columns ";
    bool first = true;
    for (const auto& [name, value] : row.items()) {
        text += (first ? "" : ", ") + name;
        first = false;
    }
    if (first) text = "is missing, and the row has no columns";
    text +=
        "; known are preference (prompt, chosen, rejected), ranking (prompt, responses, ranks), regression (prompt, response, "
        "labels), "
        "response (prompt, response), document (text)";
    for (const RowForm& form : row_forms()) text += std::string(", ") + form.name + " (" + form.columns + ")";
    return text + "; name others by --columns, for example --columns prompt=question,chosen=better";
}

bool has_all(const Json& row, std::initializer_list<const char*> columns) {
    return std::ranges::all_of(columns, [&](const char* column) {
        const auto found = row.find(column);
        return found != row.end() && !found->is_null();
    });
}

bool is_list_with(const Json& row, const char* column, std::initializer_list<const char*> fields) {
    const auto list = row.find(column);
    return list != row.end() && list->is_array() && std::ranges::all_of(*list, [&](const Json& entry) {
               return entry.is_object() && std::ranges::all_of(fields, [&](const char* field) { return entry.contains(field); });
           });
}

Json assistant_turn(const std::string& text) { return {{"role", "assistant"}, {"content", text}}; }

}  // namespace xlrm
