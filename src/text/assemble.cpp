#include "assemble.hpp"

#include <algorithm>

#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

// Applies the policy to a text that is too long; false: nothing useful is left.
bool cut(EncodedItem::Text& text, std::int64_t max_length, OverLength policy) {
    const auto excess = static_cast<std::ptrdiff_t>(text.tokens.size()) - static_cast<std::ptrdiff_t>(max_length);
    if (excess <= 0) return true;
    if (policy == OverLength::drop) return false;
    if (policy == OverLength::left) {
        text.tokens.erase(text.tokens.begin(), text.tokens.begin() + excess);
        text.prompt = std::max(0, text.prompt - static_cast<std::int32_t>(excess));
        return true;
    }
    text.tokens.resize(static_cast<std::size_t>(max_length));
    return text.prompt < static_cast<std::int32_t>(max_length);
}

void add_item(ItemSet& set, const EncodedItem& item, LanguageReport& report) {
    set.items.push_back({item.id, item.lang, item.subset, static_cast<std::int64_t>(set.answers.size()),
                         static_cast<std::int32_t>(item.texts.size()), item.num_correct, item.margin, item.labels});
    for (const EncodedItem::Text& text : item.texts) {
        const auto length = static_cast<std::int32_t>(text.tokens.size());
        set.answers.push_back({static_cast<std::int64_t>(set.tokens.size()), length, text.prompt});
        set.tokens.insert(set.tokens.end(), text.tokens.begin(), text.tokens.end());
        report.lengths.push_back(length);
        report.characters += text.characters;
    }
    ++report.kept;
}

}  // namespace

Prepared assemble(std::vector<EncodedItem>&& items, const PrepareOptions& options) {
    Prepared prepared;
    for (EncodedItem& item : items) {
        LanguageReport& report = prepared.report[item.lang];
        ++report.read;
        report.tied += item.tied ? 1 : 0;
        report.empty += item.empty ? 1 : 0;
        if (item.tied && !options.keep_tied) continue;
        std::size_t longest = 0;
        for (const auto& text : item.texts) longest = std::max(longest, text.tokens.size());
        if (static_cast<std::int64_t>(longest) > options.max_length) {
            if (options.over_length == OverLength::error) {
                fail(item.where + ": item '" + item.id + "' (" + item.lang + ") has a text of " + std::to_string(longest) + " tokens, more than --max-length " +
                     std::to_string(options.max_length) + "; raise it, or choose --over-length drop, left or right");
            }
            ++report.too_long;
        }
        bool useful = true;
        for (auto& text : item.texts) useful = cut(text, options.max_length, options.over_length) && useful;
        if (useful) {
            add_item(prepared.set, item, report);
            prepared.lines.push_back(item.line);
        }
        std::vector<EncodedItem::Text>().swap(item.texts);
    }
    return prepared;
}

const char* name_of(OverLength policy) {
    switch (policy) {
        case OverLength::drop: return "drop";
        case OverLength::left: return "left";
        case OverLength::right: return "right";
        case OverLength::error: return "error";
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
