#include "xlrm/data/prompts.hpp"

#include "raw_rows.hpp"
#include "text_encoder.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/store/occurrences.hpp"

namespace xlrm {
namespace {

Json content_of(const PreferenceRow& row) {
    const bool plain = row.prompt.size() == 1 && row.prompt.front().role == "user" && row.prompt.front().fields.is_null();
    if (plain) return row.prompt.front().content;
    Json list = Json::array();
    for (const ChatMessage& message : row.prompt) list.push_back(message.as_json());
    return list;
}

std::string rendered(const PreferenceRow& row, const ChatTemplate& chat_template) {
    const bool system = row.prompt.front().role == "system";
    if (chat_template.name == "concat" && !row.dialogues.empty() && !system) return row.dialogues.front();
    return chat_template.render(row.prompt, true, row.variables);
}

// What the tokenizer adds after any text would end a text that is to be continued.
void drop_suffix(std::vector<std::int32_t>& ids, const std::vector<std::int32_t>& suffix) {
    if (suffix.empty() || ids.size() < suffix.size()) return;
    if (std::equal(suffix.begin(), suffix.end(), ids.end() - static_cast<std::ptrdiff_t>(suffix.size())))
        ids.resize(ids.size() - suffix.size());
}

std::vector<std::int32_t> encode(const PreferenceRow& row, const Tokenizer& tokenizer, const ChatTemplate& chat_template) {
    const std::string where = "prompt '" + row.id + "' (" + row.lang + ")";
    std::vector<std::int32_t> ids;
    try {
        ids = TextEncoder(tokenizer, chat_template, where).prompt(rendered(row, chat_template));
    } catch (const Error& error) {
        if (std::string_view(error.what()).starts_with(where)) throw;
        fail(where + ": " + error.what(), error.code());
    }
    if (chat_template.name == "concat") drop_suffix(ids, tokenizer.suffix);
    if (ids.empty())
        fail(where + " has no tokens (there is nothing to continue); remove the row, or choose a template that writes BOS");
    return ids;
}

}  // namespace

EncodedPrompt encode_prompt(const std::string& id, const std::string& lang, std::int32_t occurrence,
                            const std::vector<ChatMessage>& turns, const Tokenizer& tokenizer,
                            const ChatTemplate& chat_template) {
    PreferenceRow row;
    row.id = id;
    row.lang = lang;
    row.prompt = turns;
    return {id, lang, occurrence, content_of(row), encode(row, tokenizer, chat_template)};
}

EncodedPrompts read_prompts(PrepareOptions options, const Tokenizer& tokenizer, const ChatTemplate& chat_template) {
    for (const auto& path : options.inputs) {
        require(!is_prepared(path),
                path.string() + ": prepared items do not keep the texts of their prompts; give the rows (.jsonl, .parquet)",
                ExitCode::usage);
    }
    options.kind = RowKind::prompt;
    EncodedPrompts prompts;
    Occurrences counted;
    read_rows(
        options,
        [&](std::int64_t, PreferenceRow&& row) {
            EncodedPrompt prompt{row.id, row.lang, counted.next(row.lang, row.id), content_of(row),
                                 encode(row, tokenizer, chat_template)};
            prompts.repeated += prompt.occurrence > 0 ? 1 : 0;
            prompts.all.push_back(std::move(prompt));
        },
        &prompts.notes);
    return prompts;
}

}  // namespace xlrm
