#include <algorithm>
#include <cstdio>
#include <numeric>

#include "xlrm/data/prepare.hpp"

namespace xlrm {
namespace {

// Lower empirical quantile of sorted values.
std::int32_t quantile(const std::vector<std::int32_t>& sorted, double share) {
    const auto last = static_cast<double>(sorted.size() - 1);
    return sorted[static_cast<std::size_t>(share * last)];
}

std::string line_of(const std::string& lang, const LanguageReport& report) {
    char text[256];
    std::snprintf(text, sizeof text, "%-14s %8lld %8lld %8lld %6lld", lang.c_str(), static_cast<long long>(report.read),
                  static_cast<long long>(report.kept), static_cast<long long>(report.too_long),
                  static_cast<long long>(report.tied));
    std::string line = text;
    if (report.lengths.empty()) return line + "\n";
    std::vector<std::int32_t> sorted = report.lengths;
    std::sort(sorted.begin(), sorted.end());
    const std::int64_t tokens = std::accumulate(sorted.begin(), sorted.end(), std::int64_t{0});
    std::snprintf(text, sizeof text, " %11lld %6d %6d %6d %6d", static_cast<long long>(tokens), quantile(sorted, 0.05),
                  quantile(sorted, 0.5), quantile(sorted, 0.95), sorted.back());
    line += text;
    if (report.characters > 0) {
        std::snprintf(text, sizeof text, " %9.3f", static_cast<double>(tokens) / static_cast<double>(report.characters));
        line += text;
    }
    return line + "\n";
}

}  // namespace

std::string format_notes(const std::map<std::string, LanguageReport>& report) {
    std::string notes;
    for (const auto& [lang, counts] : report) {
        if (counts.empty > 0) notes += lang + ": " + std::to_string(counts.empty) + " items with an empty answer\n";
        for (const auto& [field, items] : counts.unread) {
            notes += lang + ": the template does not read " + field + " (" + std::to_string(items) +
                     (items == 1 ? " item)\n" : " items)\n");
        }
        if (counts.repeated == 0) continue;
        notes += lang + ": " + std::to_string(counts.repeated) + (counts.repeated == 1 ? " id occurs" : " ids occur") +
                 " more than once (an item is its id and occurrence)\n";
    }
    return notes;
}

std::string format_report(const std::map<std::string, LanguageReport>& report) {
    std::string table = "language           read     kept too long   tied      tokens     5%    50%    95%    max tokens/ch\n";
    LanguageReport all;
    for (const auto& [lang, counts] : report) {
        table += line_of(lang, counts);
        all.read += counts.read;
        all.kept += counts.kept;
        all.too_long += counts.too_long;
        all.tied += counts.tied;
        all.characters += counts.characters;
        all.lengths.insert(all.lengths.end(), counts.lengths.begin(), counts.lengths.end());
    }
    if (report.size() > 1) table += line_of("all", all);
    return table + format_notes(report);
}

std::string format_report(const std::map<std::string, LanguageReport>& report, const RowNotes& notes) {
    std::string text = notes.form_line();
    text += (text.empty() ? "" : "\n") + format_report(report);
    for (const std::string& line : notes.lines()) text += line + "\n";
    return text;
}

}  // namespace xlrm
