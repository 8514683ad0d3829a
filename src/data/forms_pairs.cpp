// Forms of two answers and a verdict. A verdict that is a draw gives equal ranks: no pair comes of it.

#include "row_forms.hpp"

namespace xlrm::forms {
namespace {

Json two_answers(const Fields& row, const char* first, const char* second) {
    return Json::array({Json::array({assistant_turn(row.any_text(row.need(first), first))}),
                        Json::array({assistant_turn(row.any_text(row.need(second), second))})});
}

// A whole number between the bounds.
std::int64_t verdict(const Fields& row, const char* column, std::int64_t low, std::int64_t high) {
    row.need(column);
    const std::int64_t value = *row.count(column);
    if (value < low || value > high) {
        row.bad(column, "is " + std::to_string(value) + ", and the form has " + std::to_string(low) + " to " +
                            std::to_string(high) + " there");
    }
    return value;
}

Json ranks(bool first_is_better) { return first_is_better ? Json({0, 1}) : Json({1, 0}); }

}  // namespace

Json pku_safe_rlhf(const Fields& row, const RowFormOptions& options) {
    const bool first = verdict(row, options.prefer == "safer" ? "safer_response_id" : "better_response_id", 0, 1) == 0;
    return {{"responses", two_answers(row, "response_0", "response_1")}, {"ranks", ranks(first)}};
}

Json offsetbias(const Fields& row, const RowFormOptions&) {
    const bool first = verdict(row, "label", 1, 2) == 1;
    return {{"prompt", row.text(row.need("instruction"), "instruction")},
            {"responses", two_answers(row, "output_1", "output_2")},
            {"ranks", ranks(first)}};
}

Json shp(const Fields& row, const RowFormOptions&) {
    const bool first = verdict(row, "labels", 0, 1) == 1;
    return {{"prompt", row.text(row.need("history"), "history")},
            {"responses", two_answers(row, "human_ref_A", "human_ref_B")},
            {"ranks", ranks(first)}};
}

// Below zero the first answer is preferred.
Json helpsteer2_preference(const Fields& row, const RowFormOptions&) {
    const std::int64_t strength = verdict(row, "preference_strength", -3, 3);
    return {{"responses", two_answers(row, "response_1", "response_2")}, {"ranks", {strength, 0}}};
}

Json helpsteer3(const Fields& row, const RowFormOptions&) {
    const std::int64_t strength = verdict(row, "overall_preference", -3, 3);
    Json own = {
        {"prompt", row.need("context")}, {"responses", two_answers(row, "response1", "response2")}, {"ranks", {strength, 0}}};
    // The language of rows about code is that of the code.
    const std::string domain = row.label({"domain"});
    if (!domain.empty()) own["subset"] = domain;
    if (domain == "code") own["language"] = nullptr;
    return own;
}

Json chatbot_arena(const Fields& row, const RowFormOptions&) {
    const std::string winner = row.text(row.need("winner"), "winner");
    Json own = {{"responses", {row.need("conversation_a"), row.need("conversation_b")}}};
    if (winner == "model_a" || winner == "model_b")
        own["ranks"] = ranks(winner == "model_a");
    else if (winner.starts_with("tie"))
        own["ranks"] = {0, 0};
    else
        row.bad("winner", "is '" + winner + "', and the form has model_a, model_b or tie there");
    return own;
}

}  // namespace xlrm::forms
