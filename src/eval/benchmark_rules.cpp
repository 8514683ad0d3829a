#include "benchmark_rules.hpp"

#include <algorithm>
#include <array>

#include "xlrm/core/error.hpp"

namespace xlrm {

namespace {

constexpr std::array kPriorSets = {"anthropic_helpful", "anthropic_hhh", "shp", "summarize"};
constexpr std::array kUncountedPriorSets = {"anthropic_harmless", "mtbench_human", "mtbench_gpt4", "pku_better", "pku_safer"};

// Section names and weights: rewardbench/constants.py (0.1.4); Prior Sets: analysis/get_benchmark_results.py.
std::vector<SectionRule> reward_bench_sections(double should_refuse, double should_respond) {
    return {
        {"Chat",
         2,
         {{"alpacaeval-easy", 100},
          {"alpacaeval-length", 95},
          {"alpacaeval-hard", 95},
          {"mt-bench-easy", 28},
          {"mt-bench-med", 40}}},
        {"Chat Hard",
         2,
         {{"mt-bench-hard", 37},
          {"llmbar-natural", 100},
          {"llmbar-adver-neighbor", 134},
          {"llmbar-adver-GPTInst", 92},
          {"llmbar-adver-GPTOut", 47},
          {"llmbar-adver-manual", 46}}},
        {"Safety",
         2,
         {{"refusals-dangerous", 100},
          {"refusals-offensive", 100},
          {"xstest-should-refuse", should_refuse},
          {"xstest-should-respond", should_respond},
          {"donotanswer", 136}}},
        {"Reasoning",
         2,
         {{"math-prm", 984},
          {"hep-cpp", 164},
          {"hep-go", 164},
          {"hep-java", 164},
          {"hep-js", 164},
          {"hep-python", 164},
          {"hep-rust", 164}}},
        {"Prior Sets", 1, {{"anthropic_helpful", 1}, {"anthropic_hhh", 1}, {"shp", 1}, {"summarize", 1}}, true},
    };
}

// Rows that M-RewardBench kept of each subset; math-prm up-weighted to the code's 983.
std::vector<SectionRule> multilingual_sections() {
    return {
        {"Chat",
         1,
         {{"alpacaeval-easy", 79},
          {"alpacaeval-length", 79},
          {"alpacaeval-hard", 76},
          {"mt-bench-easy", 24},
          {"mt-bench-med", 38}}},
        {"Chat Hard",
         1,
         {{"mt-bench-hard", 35},
          {"llmbar-natural", 76},
          {"llmbar-adver-neighbor", 124},
          {"llmbar-adver-GPTInst", 87},
          {"llmbar-adver-GPTOut", 42},
          {"llmbar-adver-manual", 43}}},
        {"Safety",
         1,
         {{"refusals-dangerous", 100},
          {"refusals-offensive", 100},
          {"xstest-should-refuse", 154},
          {"xstest-should-respond", 247},
          {"donotanswer", 135}}},
        {"Reasoning",
         1,
         {{"math-prm", 983},
          {"hep-cpp", 164},
          {"hep-go", 164},
          {"hep-java", 164},
          {"hep-js", 164},
          {"hep-python", 163},
          {"hep-rust", 164}}},
    };
}

}  // namespace

bool BenchmarkRule::counts(const std::string& subset) const {
    if (total == Total::items) return true;
    if (total == Total::subsets) {
        return std::any_of(subsets.begin(), subsets.end(),
                           [&](const char* counted) { return plain_subset_name(subset) == plain_subset_name(counted); });
    }
    return std::any_of(sections.begin(), sections.end(), [&](const SectionRule& section) {
        return std::any_of(section.subsets.begin(), section.subsets.end(),
                           [&](const WeightedSubset& member) { return subset == member.name; });
    });
}

bool BenchmarkRule::knows(const std::string& subset) const {
    return counts(subset) ||
           std::any_of(uncounted.begin(), uncounted.end(), [&](const char* left_out) { return subset == left_out; });
}

const std::vector<BenchmarkRule>& benchmark_rules() {
    using Total = BenchmarkRule::Total;
    static const std::vector<const char*> left_out(kUncountedPriorSets.begin(), kUncountedPriorSets.end());
    static const std::vector<BenchmarkRule> rules = {
        {"rewardbench", Total::sections, reward_bench_sections(154, 250), {}, false, left_out},
        {"rewardbench-before-2024-09-10", Total::sections, reward_bench_sections(250, 154), {}, false, left_out},
        {"rewardbench2", Total::subsets, {}, {"Factuality", "Precise IF", "Math", "Safety", "Focus", "Ties"}, true, {}},
        {"m-rewardbench", Total::sections, multilingual_sections(), {}, false, {}},
        {"mm-eval",
         Total::subsets,
         {},
         {"chat", "reasoning", "safety", "linguistics", "language_hallucination"},
         false,
         {"lang_res"}},
        {"plain", Total::items, {}, {}, false, {}},
    };
    return rules;
}

const BenchmarkRule& benchmark_rule(const std::string& name) {
    std::string known;
    for (const BenchmarkRule& rule : benchmark_rules()) {
        if (rule.name == name) return rule;
        known += (known.empty() ? "" : ", ") + rule.name;
    }
    fail("benchmark '" + name + "' is not known (" + known + ")", ExitCode::usage);
}

bool is_prior_set(const std::string& subset) {
    const auto is = [&](const char* name) { return subset == name; };
    return std::any_of(kPriorSets.begin(), kPriorSets.end(), is) ||
           std::any_of(kUncountedPriorSets.begin(), kUncountedPriorSets.end(), is);
}

std::string plain_subset_name(const std::string& subset) {
    std::string plain = subset;
    for (char& c : plain) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        if (c == ' ' || c == '-') c = '_';
    }
    return plain;
}

}  // namespace xlrm
