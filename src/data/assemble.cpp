#include "assemble.hpp"

#include <algorithm>

#include "xlrm/core/error.hpp"
#include "xlrm/store/occurrences.hpp"

namespace xlrm {
namespace {

// Applies the policy to a text that is too long; false: nothing useful is left.
bool cut(EncodedItem::Text& text, std::int64_t max_length, OverLength policy) {
    const auto excess = static_cast<std::ptrdiff_t>(text.tokens.size()) - static_cast<std::ptrdiff_t>(max_length);
    if (excess <= 0) return true;
    if (policy == OverLength::drop) return false;
    if (policy == OverLength::left) {
        text.tokens.erase(text.tokens.begin(), text.tokens.begin() + excess);
        const std::int32_t completion = std::max(0, text.prompt - text.lead - static_cast<std::int32_t>(excess));
        text.prompt = std::max(0, text.prompt - static_cast<std::int32_t>(excess));
        text.lead = text.prompt - completion;
        return true;
    }
    text.tokens.resize(static_cast<std::size_t>(max_length));
    return std::max(text.prompt, text.prompt - text.lead) < static_cast<std::int32_t>(max_length);
}

// Ranks are compared as such, whatever the texts.
bool tied(const EncodedItem& item) {
    return item.labels.empty() && item.texts.size() == 2 && item.texts[0].tokens == item.texts[1].tokens;
}

void add_item(ItemSet& set, const EncodedItem& item, std::int32_t occurrence, bool same, LanguageReport& report) {
    set.items.push_back({item.id, item.lang, item.subset, static_cast<std::int64_t>(set.answers.size()),
                         static_cast<std::int32_t>(item.texts.size()), item.num_correct, item.margin, item.labels, occurrence});
    for (const EncodedItem::Text& text : item.texts) {
        const auto length = static_cast<std::int32_t>(text.tokens.size());
        set.answers.push_back({static_cast<std::int64_t>(set.tokens.size()), length, text.prompt, text.lead});
        set.tokens.insert(set.tokens.end(), text.tokens.begin(), text.tokens.end());
        report.lengths.push_back(length);
        report.characters += text.characters;
        report.tied_characters += same ? text.characters : 0;
    }
    ++report.kept;
}

}  // namespace

void count_repeated(const ItemSet& set, std::map<std::string, LanguageReport>& report) {
    std::vector<std::pair<std::string_view, std::string_view>> ids;
    ids.reserve(set.items.size());
    for (const Item& item : set.items) ids.emplace_back(item.lang, item.id);
    std::ranges::sort(ids);
    for (auto at = ids.begin(); at != ids.end();) {
        const auto end = std::upper_bound(at, ids.end(), *at);
        if (end - at > 1) ++report[std::string(at->first)].repeated;
        at = end;
    }
}

Prepared assemble(std::vector<EncodedItem>&& items, const PrepareOptions& options) {
    Prepared prepared;
    Occurrences counted;
    for (EncodedItem& item : items) {
        const std::int32_t occurrence =
            item.occurrence < 0 ? counted.next(item.lang, item.id) : counted.next(item.lang, item.id, item.occurrence);
        LanguageReport& report = prepared.report[item.lang];
        ++report.read;
        report.empty += item.empty ? 1 : 0;
        for (const std::string& field : item.unread) ++report.unread[field];
        std::size_t longest = 0;
        for (const auto& text : item.texts) {
            if (text.tokens.empty())
                fail(item.where + ": item '" + item.id + "' (" + item.lang +
                     ") has a text without any token (nothing could be scored); is it the right --template?");
            longest = std::max(longest, text.tokens.size());
        }
        if (static_cast<std::int64_t>(longest) > options.max_length) {
            if (options.over_length == OverLength::error) {
                fail(item.where + ": item '" + item.id + "' (" + item.lang + ") has a text of " + std::to_string(longest) +
                     " tokens, more than --max-length " + std::to_string(options.max_length) +
                     "; raise it, or choose --over-length drop, left or right");
            }
            ++report.too_long;
        }
        bool useful = true;
        for (auto& text : item.texts) useful = cut(text, options.max_length, options.over_length) && useful;
        const bool same = useful && tied(item);
        report.tied += same ? 1 : 0;
        if (useful && (!same || options.keep_tied)) add_item(prepared.set, item, occurrence, same, report);
        std::vector<EncodedItem::Text>().swap(item.texts);
    }
    count_repeated(prepared.set, prepared.report);
    return prepared;
}

const char* name_of(OverLength policy) {
    switch (policy) {
        case OverLength::drop:
            return "drop";
        case OverLength::left:
            return "left";
        case OverLength::right:
            return "right";
        case OverLength::error:
            return "error";
    }
    return "";
}

OverLength parse_over_length(const std::string& name) {
    for (const OverLength policy : {OverLength::drop, OverLength::left, OverLength::right, OverLength::error}) {
        if (name == name_of(policy)) return policy;
    }
    fail("over-length policy '" + name + "' is not known (drop, left, right, error)", ExitCode::usage);
}

}  // namespace xlrm
