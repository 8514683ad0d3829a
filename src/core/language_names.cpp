#include <algorithm>
#include <set>

#include "xlrm/core/language.hpp"

namespace xlrm {

bool LanguageNames::has_region(const LanguageTag& tag) const {
    return std::ranges::any_of(rows_, [&](const auto& entry) {
        const LanguageTag other = parse_language(entry.first);
        return other.code == tag.code && other.region == tag.region;
    });
}

std::string LanguageNames::of(std::string_view name) const {
    const LanguageTag tag = parse_language(name);
    if (tag.region.empty()) return tag.code;
    const bool others = std::ranges::any_of(rows_, [&](const auto& entry) {
        const LanguageTag other = parse_language(entry.first);
        return other.code == tag.code && !other.region.empty() && other.region != tag.region;
    });
    return others ? tag.full() : tag.code;
}

bool LanguageNames::means(std::string_view wanted, std::string_view name) const {
    const LanguageTag asked = parse_language(wanted);
    const LanguageTag tag = parse_language(name);
    if (asked.code != tag.code) return false;
    if (asked.region.empty() || asked.region == tag.region) return true;
    return tag.region.empty() && !has_region(asked);
}

std::vector<std::string> LanguageNames::languages() const {
    std::set<std::string> all;
    for (const auto& [name, rows] : rows_) all.insert(of(name));
    return {all.begin(), all.end()};
}

std::vector<std::string> LanguageNames::merged() const {
    std::map<std::string, std::vector<std::string>> names;
    for (const auto& [name, rows] : rows_) {
        names[of(name)].push_back(name + " (" + std::to_string(rows) + (rows == 1 ? " row)" : " rows)"));
    }
    std::vector<std::string> notes;
    for (const auto& [language, list] : names) {
        if (list.size() < 2) continue;
        std::string text;
        for (std::size_t i = 0; i < list.size(); ++i) text += (i == 0 ? "" : i + 1 < list.size() ? ", " : " and ") + list[i];
        notes.push_back(text + (list.size() == 2 ? " are both" : " are all") + " read as '" + language + "'");
    }
    return notes;
}

}  // namespace xlrm
