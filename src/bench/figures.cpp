#include "figures.hpp"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cstdio>
#include <numeric>

namespace xlrm {

Figure& BenchRow::figure(const std::string& figure_name, const std::string& unit) {
    for (Figure& known : figures)
        if (known.name == figure_name) return known;
    figures.push_back({figure_name, unit, {}});
    return figures.back();
}

void compare_with_first(const std::vector<BenchRow>& rows, BenchRow& row, const std::vector<std::string>& names) {
    const auto found = std::ranges::find(rows, row.what, &BenchRow::what);
    BenchRow first = found == rows.end() ? row : *found;
    for (const std::string& name : names)
        row.figure(name + ", to the first", "x").samples = {median(row.figure(name, "").samples) /
                                                            median(first.figure(name, "").samples)};
}

double median(std::vector<double> values) {
    assert(!values.empty());
    std::ranges::sort(values);
    const std::size_t half = values.size() / 2;
    return values.size() % 2 == 1 ? values[half] : 0.5 * (values[half - 1] + values[half]);
}

std::string table_of(const std::vector<BenchRow>& rows) {
    char line[240];
    std::snprintf(line, sizeof line, "%-9s %-22s %-5s %-22s %12s %12s %12s  %s\n", "what", "case", "dtype", "figure", "median",
                  "min", "max", "unit");
    std::string out = line;
    for (const BenchRow& row : rows) {
        for (const Figure& figure : row.figures) {
            if (figure.samples.empty()) continue;
            const auto [low, high] = std::ranges::minmax(figure.samples);
            std::snprintf(line, sizeof line, "%-9s %-22s %-5s %-22s %12.5g %12.5g %12.5g  %s\n", row.what.c_str(),
                          row.name.c_str(), row.dtype.c_str(), figure.name.c_str(), median(figure.samples), low, high,
                          figure.unit.c_str());
            out += line;
        }
    }
    return out;
}

Json json_of(const std::vector<BenchRow>& rows) {
    Json out = Json::array();
    for (const BenchRow& row : rows) {
        Json figures = Json::object();
        for (const Figure& figure : row.figures) {
            if (figure.samples.empty()) continue;
            const auto [low, high] = std::ranges::minmax(figure.samples);
            const double mean =
                std::accumulate(figure.samples.begin(), figure.samples.end(), 0.0) / static_cast<double>(figure.samples.size());
            figures[figure.name] = {{"unit", figure.unit}, {"median", median(figure.samples)}, {"min", low}, {"max", high},
                                    {"mean", mean},        {"samples", figure.samples}};
        }
        out.push_back({{"what", row.what}, {"case", row.name}, {"dtype", row.dtype}, {"figures", figures}});
    }
    return out;
}

double timed(const Communicator& world, const std::function<void()>& work) {
    world.barrier();
    const auto start = std::chrono::steady_clock::now();
    work();
    return world.max(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
}

}  // namespace xlrm
