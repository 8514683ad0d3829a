#pragma once

#include <string>
#include <vector>

namespace xlrm {

struct WeightedSubset {
    const char* name;
    double weight;
};

struct SectionRule {
    const char* name;
    double weight;  //!< in the total
    std::vector<WeightedSubset> subsets;
    bool optional = false;  //!< told only where the data have it
};

//! How subsets make up a benchmark's total.
struct BenchmarkRule {
    enum class Total { sections, subsets, items };
    std::string name;
    Total total = Total::items;
    std::vector<SectionRule> sections;
    std::vector<const char*> subsets;    //!< of a benchmark without sections: those that its total counts
    bool scores_ties = false;            //!< the subset Ties has a score of its own
    std::vector<const char*> uncounted;  //!< published with it, and in no total

    bool counts(const std::string& subset) const;
    bool knows(const std::string& subset) const;
};

const std::vector<BenchmarkRule>& benchmark_rules();
//! Throws Error(usage) naming those there are.
const BenchmarkRule& benchmark_rule(const std::string& name);

//! A subset of allenai/pref-test-sets.
bool is_prior_set(const std::string& subset);

//! "Language Hallucination", "language-hallucination" → "language_hallucination".
std::string plain_subset_name(const std::string& subset);

}  // namespace xlrm
