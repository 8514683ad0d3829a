// A row as it was published → a row of xlrm's own columns.

#include <algorithm>

#include "row_forms.hpp"

namespace xlrm {
namespace {

// Columns without which there is no row of a kind; any of them.
std::initializer_list<const char*> key_columns(RowKind kind) {
    static constexpr std::initializer_list<const char*> kPreference = {"chosen", "rejected"}, kRanking = {"responses", "ranks"},
                                                        kRegression = {"labels", "response", "completion"},
                                                        kResponse = {"response", "completion", "messages"},
                                                        kPrompt = {"prompt", "question", "input", "messages"};
    if (kind == RowKind::preference) return kPreference;
    if (kind == RowKind::ranking) return kRanking;
    if (kind == RowKind::prompt) return kPrompt;
    return kind == RowKind::regression ? kRegression : kResponse;
}

bool has_key(const Json& row, RowKind kind) {
    return std::ranges::any_of(key_columns(kind), [&](const char* column) { return row.contains(column); });
}

std::optional<RowKind> own_kind(const Json& row) {
    if (row.contains("chosen")) return RowKind::preference;
    if (row.contains("responses")) return RowKind::ranking;
    if (row.contains("labels")) return RowKind::regression;
    if (has_key(row, RowKind::response)) return RowKind::response;
    return std::nullopt;
}

// What is wrong with a row that has no column of the kind that is asked for.
[[noreturn]] void refuse(const Fields& row, RowKind kind, const RowForm* form) {
    const std::string key = *key_columns(kind).begin();
    const std::optional<RowKind> own = own_kind(row.object());
    if (form == nullptr && !own) row.bad(key, no_known_form(row.object()));
    const RowKind found = form != nullptr && form->kind ? *form->kind : own.value_or(RowKind::document);
    std::string text = std::string("is missing: this is a ") + name_of(found) + " row";
    if (form != nullptr) text += std::string(" (form ") + form->name + ")";
    text += std::string(", and ") + name_of(kind) + " rows are asked for";
    if (kind == RowKind::preference && found != RowKind::response) text += "; --pair-by makes pairs of rated and ranked answers";
    row.bad(key, text);
}

// The columns that the form gives, and those of the row that it did not use.
Json completed(Json&& own, const Fields& published) {
    for (const auto& [name, value] : published.object().items()) {
        if (!own.contains(name) && !published.used().contains(name)) own[name] = value;
    }
    return std::move(own);
}

}  // namespace

RowKind natural_kind(const Json& row, const std::string& where, const RowFormOptions& options) {
    if (!row.is_object()) return RowKind::document;
    const Json named = with_columns(row, options, where);
    const Fields published(named, where);
    const RowForm* form = form_of(named, options);
    RowKind kind = RowKind::document;
    if (form != nullptr && form->kind)
        kind = *form->kind;
    else
        kind = own_kind(form != nullptr ? completed(form->read(published, options), published) : named).value_or(kind);
    const bool pairs =
        !options.pair_by.empty() && (kind == RowKind::ranking || has_all(named, {"response", options.pair_by.c_str()}));
    return pairs ? RowKind::preference : kind;
}

OwnRow own_row(const Json& row, RowKind kind, const std::string& where, const RowFormOptions& options, RowNotes* notes) {
    OwnRow own;
    if (!options.columns.empty()) own.made = with_columns(row, options, where);
    const auto current = [&]() -> const Json& { return own.made.is_null() ? row : own.made; };
    const RowForm* form = kind == RowKind::document ? nullptr : form_of(current(), options);
    own.form = name_of(own_kind(current()).value_or(kind));
    if (form != nullptr) {
        const Fields published(current(), where);
        Json made = completed(form->read(published, options), published);
        own.used = published.used();
        own.form = form->name;
        own.made = std::move(made);
    }
    if (const auto named = current().find(kFormColumn); named != current().end() && named->is_string())
        own.form = named->get<std::string>();
    if (kind == RowKind::document || has_key(current(), kind)) return own;
    // A verdict on two answers is a ranking of them; other rankings become pairs where that is asked for.
    const Fields ranking(current(), where);
    const bool verdict = form != nullptr && form->kind == kind;
    if (kind != RowKind::preference || !has_all(current(), {"responses", "ranks"}) || (options.pair_by.empty() && !verdict))
        refuse(ranking, kind, form);
    if (!verdict && notes != nullptr) notes->served.insert("pair-by");
    const std::size_t answers = ranking.need("responses").size();
    std::optional<Json> pair = best_and_worst(ranking);
    if (!pair && notes != nullptr)
        ++notes->left_out[answers < 2 ? "prompts with one answer alone" : "answers of which none is better"];
    own.used.insert({"responses", "ranks"});
    own.left_out = !pair;
    if (pair) own.made = std::move(*pair);
    return own;
}

}  // namespace xlrm
