#include <algorithm>

#include "parts.hpp"
#include "xlrm/stats/holm.hpp"

namespace xlrm {

namespace {

//! What Hong et al. (NAACL 2025) print of English minus target on Multilingual RewardBench. The cells of their main table are not
//! public; these are the differences that they name.
std::string published(const TargetScores* target, const std::string& rule, const std::string& category) {
    if (!rule.ends_with("rewardbench")) return "";
    if (target == nullptr) return category == "average" ? "+3 to +4" : "";
    const bool other_script = target->target == "ko" || target->target == "zh";
    return category == "Reasoning" && other_script ? "+12 to +27" : "";
}

//! The cells of English and of the target's own model, for one category and target.
struct Cells {
    std::int64_t english = -1, own = -1;
    bool complete() const { return english >= 0 && own >= 0; }
};

class Headline {
public:
    Headline(const PartInput& input, ResultTable& table) : input_(input), table_(table) {
        for (const TargetScores& target : input.set.targets)
            if (target.target != input.english) targets_.push_back(&target);
    }

    void add_category(const std::string& name, const std::string& kind) {
        std::vector<Estimate> p;
        for (const TargetScores* target : targets_) {
            const auto category = std::ranges::find(target->categories, name, &Category::name);
            p.push_back(category == target->categories.end() ? Estimate(Undefined::missing_cell)
                                                             : category_p(*target, *category, input_.english, target->target));
        }
        const std::vector<Estimate> adjusted = holm(p);
        for (std::size_t i = 0; i < targets_.size(); ++i) add_target(*targets_[i], name, p[i], adjusted[i]);
        add_mean(name, kind);
    }

    bool has_targets() const { return !targets_.empty(); }

private:
    Cells cells_of(const std::string& target, const std::string& category) const {
        return {input_.resampled.find(input_.english, target, category), input_.resampled.find(target, target, category)};
    }

    void add_row(const std::string& category, const std::string& target, std::int64_t items, const EstimateWithInterval& english,
                 const EstimateWithInterval& own, const EstimateWithInterval& gap, const std::string& theirs, const Estimate& p,
                 const Estimate& adjusted) {
        table_.add({input_.set.base, input_.set.benchmark, category, target, items, english.value, own.value, gap, theirs, p,
                    adjusted, std::ssize(targets_)});
    }

    void add_target(const TargetScores& target, const std::string& category, const Estimate& p, const Estimate& adjusted) {
        const Cells cells = cells_of(target.target, category);
        const auto found = std::ranges::find(target.categories, category, &Category::name);
        const bool no_rule = found != target.categories.end() && !found->resampled;
        const auto missing = all_undefined(no_rule ? Undefined::no_rule : Undefined::missing_cell);
        const std::int64_t items = found == target.categories.end() ? 0 : category_items(target, *found);
        add_row(category, target.target, items, cells.english >= 0 ? input_.resampled.accuracy(cells.english) : missing,
                cells.own >= 0 ? input_.resampled.accuracy(cells.own) : missing,
                cells.complete() ? input_.resampled.difference(cells.english, cells.own) : missing,
                published(&target, target.rule, category), p, adjusted);
    }

    //! Mean over the targets that have both models.
    void add_mean(const std::string& category, const std::string&) {
        std::vector<Cells> all;
        std::int64_t items = 0;
        for (const TargetScores* target : targets_) {
            const Cells cells = cells_of(target->target, category);
            if (!cells.complete()) continue;
            all.push_back(cells);
            items += category_items(*target, *std::ranges::find(target->categories, category, &Category::name));
        }
        const auto mean = [&](double english, double own) {
            if (all.empty()) return all_undefined(Undefined::missing_cell);
            return input_.resampled.derive([&](std::span<const double> values) {
                double sum = 0.0;
                for (const Cells& cells : all)
                    sum += english * values[static_cast<std::size_t>(cells.english)] +
                           own * values[static_cast<std::size_t>(cells.own)];
                return sum / static_cast<double>(all.size());
            });
        };
        const std::string rule = targets_.front()->rule;
        add_row(category, "mean", items, mean(1.0, 0.0), mean(0.0, 1.0), mean(1.0, -1.0), published(nullptr, rule, category),
                Undefined::no_rule, Undefined::no_rule);
    }

    const PartInput& input_;
    ResultTable& table_;
    std::vector<const TargetScores*> targets_;
};

}  // namespace

std::vector<ResultTable> headline_tables() {
    return {
        {"headline",
         "The English reward model minus the target's own, by category",
         "gap: accuracy of the model trained on English minus that of the model trained on the target, on the same items of the "
         "target, "
         "in points, mean over seeds; BCa interval of the cluster bootstrap over items (translations and siblings of an item are "
         "one "
         "cluster). mean: over the targets that have both. Sections and average by the benchmark's own weights, else all items "
         "and "
         "subsets. published: Hong et al. (NAACL 2025), as far as named in the text, on Multilingual RewardBench with 3B models. "
         "p, p_holm: as in table gaps, family = the targets. It cannot show what other seeds give, and translated items inflate "
         "agreement between languages.",
         {{"base", ColumnKind::text},
          {"benchmark", ColumnKind::text},
          {"category", ColumnKind::text},
          {"target", ColumnKind::text},
          {"items", ColumnKind::count},
          {"english", ColumnKind::share},
          {"own", ColumnKind::share},
          {"gap", ColumnKind::points, false, true},
          {"published", ColumnKind::text},
          {"p", ColumnKind::p, true},
          {"p_holm", ColumnKind::p},
          {"family", ColumnKind::count, true}},
         {}}};
}

void add_headline(const PartInput& input, std::vector<ResultTable>& tables) {
    Headline headline(input, tables[0]);
    const bool has_english = std::ranges::find(input.set.sources, input.english) != input.set.sources.end();
    if (!headline.has_targets() || !has_english) return;
    // Of the first target that is not English: a benchmark's English subsets may have another rule, with the same sections.
    for (const TargetScores& target : input.set.targets) {
        if (target.target == input.english) continue;
        for (const Category& category : target.categories) headline.add_category(category.name, category.kind);
        return;
    }
}

}  // namespace xlrm
