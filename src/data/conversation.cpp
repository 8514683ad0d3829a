#include <algorithm>

#include "xlrm/core/error.hpp"
#include "xlrm/data/preference_row.hpp"

namespace xlrm {

RowAnswer plain_answer(std::string text) { return {{{"assistant", std::move(text)}}}; }

std::vector<ChatMessage> PreferenceRow::conversation(std::size_t index) const {
    const std::vector<ChatMessage>& turns = answers[index].turns;
    std::vector<ChatMessage> all;
    all.reserve(prompt.size() + turns.size());
    all.insert(all.end(), prompt.begin(), prompt.end());
    all.insert(all.end(), turns.begin(), turns.end());
    return all;
}

std::vector<ChatMessage> PreferenceRow::context(std::size_t index) const {
    std::vector<ChatMessage> all = conversation(index);
    all.pop_back();
    return all;
}

std::optional<std::string> render_common(const PreferenceRow& row, const ChatTemplate& chat_template,
                                         bool add_generation_prompt) {
    if (row.prompt.empty()) return std::nullopt;
    try {
        return chat_template.render(row.prompt, add_generation_prompt, row.variables);
    } catch (const Error&) {
        // A system message alone, say: what the texts need is rendered with their own turns.
        if (std::ranges::any_of(row.answers, [](const RowAnswer& answer) { return answer.turns.size() > 1; }))
            return std::nullopt;
        throw;
    }
}

}  // namespace xlrm
