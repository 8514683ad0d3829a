#include <cstdio>

#include "xlrm/eval/benchmark.hpp"

namespace xlrm {

namespace {

std::string line(const char* what, const std::string& name, double value, const std::string& note) {
    char text[256];
    std::snprintf(text, sizeof text, "  %-8s %-26s %6.2f %%  ", what, name.c_str(), 100.0 * value);
    return text + note + "\n";
}

std::string format_language(const std::string& lang, const BenchmarkScores& scores) {
    std::string text = lang + ": " + std::to_string(scores.items) + " items\n";
    for (const auto& [name, subset] : scores.subsets) {
        if (!name.empty()) text += line("subset", name, subset.value, std::to_string(subset.items) + " items");
    }
    for (const SectionScore& section : scores.sections)
        text += line("section", section.name, section.value, section.present ? "" : "(no items)");
    text += line("total", "", scores.total, "");
    text += line("accuracy", "", scores.accuracy, "of all items");
    if (scores.uncounted.empty()) return text;
    text += "  not in the total:";
    for (const std::string& name : scores.uncounted) text += " " + (name.empty() ? "(no subset)" : name);
    return text + "\n";
}

}  // namespace

double BenchmarkReport::mean() const {
    double sum = 0.0;
    for (const auto& [lang, scores] : languages) sum += scores.total;
    return languages.empty() ? 0.0 : sum / static_cast<double>(languages.size());
}

BenchmarkReport report_benchmark(const std::string& benchmark, const std::string& ties, std::span<const ScoredItem> items) {
    BenchmarkReport report;
    report.benchmark = benchmark == "auto" ? recognised_benchmark(items) : benchmark;
    report.ties = ties == "auto" ? default_ties(report.benchmark) : parse_tie_policy(ties);
    std::map<std::string, std::vector<ScoredItem>> languages;
    for (const ScoredItem& item : items) languages[item.lang].push_back(item);
    for (const auto& [lang, members] : languages)
        report.languages[lang] = score_benchmark(report.benchmark, report.ties, members);
    return report;
}

std::string format_benchmark(const BenchmarkReport& report) {
    std::string text = "benchmark " + report.benchmark + ", ties " + name_of(report.ties) + "\n";
    for (const auto& [lang, scores] : report.languages) text += format_language(lang, scores);
    if (report.languages.size() > 1) text += line("mean", "of the languages' totals", report.mean(), "");
    return text;
}

Json benchmark_json(const BenchmarkReport& report) {
    Json json = {{"benchmark", report.benchmark}, {"ties", name_of(report.ties)}, {"languages", Json::object()}};
    for (const auto& [lang, scores] : report.languages) {
        Json& entry = json["languages"][lang] = {{"items", scores.items}, {"accuracy", scores.accuracy}, {"total", scores.total}};
        entry["subsets"] = entry["sections"] = Json::object();
        for (const auto& [name, subset] : scores.subsets)
            entry["subsets"][name] = {{"value", subset.value}, {"items", subset.items}};
        for (const SectionScore& section : scores.sections)
            entry["sections"][section.name] = section.present ? Json(section.value) : Json();
        entry["not_in_total"] = scores.uncounted;
    }
    json["mean"] = report.mean();
    return json;
}

}  // namespace xlrm
