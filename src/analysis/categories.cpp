#include "categories.hpp"

#include <algorithm>

#include "xlrm/eval/benchmark.hpp"

namespace xlrm {

namespace {

//! The rule's scores where subset `one` has the value 1 and all others 0.
BenchmarkScores unit_scores(const std::string& rule, const std::vector<std::string>& subsets,
                            const std::vector<std::int64_t>& sizes, std::size_t one) {
    BenchmarkScores scores;
    std::int64_t all = 0;
    for (std::size_t s = 0; s < subsets.size(); ++s) {
        scores.subsets[subsets[s]] = {s == one ? 1.0 : 0.0, sizes[s]};
        all += sizes[s];
    }
    scores.items = all;
    scores.accuracy = static_cast<double>(sizes[one]) / static_cast<double>(all);
    add_sections(rule, &scores);
    return scores;
}

}  // namespace

std::vector<Category> categories_of(const std::string& rule, const std::vector<std::string>& subsets,
                                    const std::vector<std::int64_t>& sizes) {
    std::vector<Category> categories = {{"all", "all", {}, true}};
    Category average{"average", "average", std::vector<double>(subsets.size()), true};
    std::vector<Category> sections;
    for (std::size_t one = 0; one < subsets.size(); ++one) {
        const BenchmarkScores unit = unit_scores(rule, subsets, sizes, one);
        average.weights[one] = unit.total;
        for (std::size_t k = 0; k < unit.sections.size(); ++k) {
            if (sections.size() <= k)
                sections.push_back({unit.sections[k].name, "section", std::vector<double>(subsets.size()), true});
            sections[k].weights[one] = unit.sections[k].value;
        }
    }
    std::erase_if(sections, [](const Category& section) {
        return std::ranges::all_of(section.weights, [](double weight) { return weight == 0.0; });
    });
    if (sections.empty() && subsets.size() > 1) {
        for (std::size_t s = 0; s < subsets.size(); ++s) {
            Category subset{subsets[s].empty() ? "(none)" : subsets[s], "subset", std::vector<double>(subsets.size(), 0.0), true};
            subset.weights[s] = 1.0;
            sections.push_back(std::move(subset));
        }
    }
    categories.insert(categories.end(), sections.begin(), sections.end());
    if (rule == "plain") return categories;
    const bool own_ties = default_ties(rule) == TiePolicy::shared;
    for (std::size_t s = 0; s < subsets.size(); ++s) {
        std::string name = subsets[s];
        std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        if (!own_ties || name != "ties") continue;
        average.resampled = false;  // its Ties subset is scored by prompts, not items
        for (Category& category : categories)
            if (category.name == subsets[s]) category.resampled = false;
    }
    categories.push_back(std::move(average));
    return categories;
}

}  // namespace xlrm
