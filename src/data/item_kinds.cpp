#include "item_kinds.hpp"

#include <algorithm>
#include <cmath>

#include "xlrm/core/error.hpp"
#include "xlrm/store/items_file.hpp"

namespace xlrm {
namespace {

const char* objective_of(RowKind kind) {
    switch (kind) {
        case RowKind::document:
            return "lm";
        case RowKind::response:
            return "sft";
        case RowKind::ranking:
            return "ranking";
        case RowKind::regression:
            return "regression";
        case RowKind::preference:
            return "bt or dpo";
        case RowKind::prompt:
            break;
    }
    return "";
}

//! What is wrong with an item as one of its kind; "" where nothing is. `judged`: its answers are to be told right from wrong.
std::string problem_of(const Item& item, const ItemSet& set, RowKind kind, bool judged) {
    const auto count = std::to_string(item.answers);
    const bool several = kind == RowKind::preference || kind == RowKind::ranking;
    if (several && item.answers < 2) return "has " + count + " answer where two or more are compared";
    if (!several && item.answers != 1) return "has " + count + " answers where one is expected";
    if ((kind == RowKind::preference || judged) && (item.num_correct < 1 || item.num_correct >= item.answers))
        return "has " + std::to_string(item.num_correct) + " right answers of " + count + ", so there is nothing to compare";
    const auto prompt = set.answers[static_cast<std::size_t>(item.first_answer)].prompt;
    if (kind == RowKind::document && prompt != 0) return "has a prompt, which a document has not";
    const auto labels = static_cast<std::int64_t>(item.labels.size());
    const std::int64_t expected = kind == RowKind::ranking      ? item.answers
                                  : kind == RowKind::regression ? std::max<std::int64_t>(labels, 1)
                                                                : 0;
    if (labels != expected) return "has " + std::to_string(labels) + " labels";
    for (const float label : item.labels) {
        if (std::isinf(label) || (kind == RowKind::ranking && std::isnan(label))) return "has a label that is no number";
    }
    if (kind == RowKind::ranking && !std::ranges::is_sorted(item.labels)) return "has ranks that do not ascend";
    return "";
}

//! What the file says it holds; "" where it says nothing.
std::string stored_kind(const Json& attributes) {
    if (!attributes.is_object() || !attributes.contains("kind")) return "";
    const Json& kind = attributes.at("kind");
    return kind.is_string() ? kind.get<std::string>() : kind.dump();
}

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& held, RowKind wanted) {
    const bool trains_alone = held != name_of(RowKind::preference);
    fail(path.string() + ": it was prepared from rows of the kind " + held + ", and " + name_of(wanted) +
         " rows are needed here (its answers would be taken for what they are not); give rows of that kind" +
         (trains_alone ? ", or use these with xlrm_train --objective " + std::string(objective_of(parse_row_kind(held))) : ""));
}

}  // namespace

RowKind prepared_kind(const std::filesystem::path& path) {
    const std::string kind = stored_kind(read_item_attributes(path));
    return kind.empty() ? RowKind::preference : parse_row_kind(kind);
}

void require_kind(const ItemSet& set, const PrepareOptions& options, const std::filesystem::path& path) {
    const std::string held = stored_kind(set.attributes);
    const bool ranked = options.rankings_too && held == name_of(RowKind::ranking);
    const RowKind kind = ranked ? RowKind::ranking : options.kind;
    if (!held.empty() && held != name_of(kind)) refuse(path, held, kind);
    for (const Item& item : set.items) {
        const std::string problem = problem_of(item, set, kind, options.rankings_too);
        if (problem.empty()) continue;
        fail(path.string() + ": item '" + item.id + "' " + problem + " (the file's rows should be of the kind " + name_of(kind) +
             "); prepare the data again");
    }
}

}  // namespace xlrm
