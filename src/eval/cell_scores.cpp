#include "cell_scores.hpp"

#include <algorithm>
#include <limits>

#include "xlrm/core/error.hpp"

namespace xlrm {

void pick_sides(const ItemSet& set, const std::vector<float>& scores, std::vector<std::int64_t>* chosen,
                std::vector<std::int64_t>* rejected) {
    const auto best = [&](std::int64_t first, std::int64_t last) {
        std::int64_t pick = first;
        for (std::int64_t a = first + 1; a < last && !scores.empty(); ++a) {
            if (scores[static_cast<std::size_t>(a)] > scores[static_cast<std::size_t>(pick)]) pick = a;
        }
        return pick;
    };
    for (const Item& item : set.items) {
        if (item.num_correct < 1 || item.num_correct >= item.answers) {
            fail("item '" + item.id + "' has " + std::to_string(item.num_correct) + " right answers of " +
                 std::to_string(item.answers) + " (an evaluation compares right ones with wrong ones); leave it out");
        }
        const std::int64_t split = item.first_answer + item.num_correct;
        chosen->push_back(best(item.first_answer, split));
        rejected->push_back(best(split, item.first_answer + item.answers));
    }
}

void fill_scores(const ItemSet& set, const std::vector<float>& scores, const std::vector<std::int64_t>& chosen,
                 const std::vector<std::int64_t>& rejected, Cell* cell) {
    cell->has_scores = !scores.empty() || set.items.empty();
    for (const Item& item : set.items) cell->max_answers = std::max<std::int64_t>(cell->max_answers, item.answers);
    for (std::size_t i = 0; i < set.items.size(); ++i) {
        const Item& item = set.items[i];
        cell->id.push_back(item.id);
        cell->subset.push_back(item.subset);
        cell->lang.push_back(item.lang);
        cell->occurrence.push_back(item.occurrence);
        cell->chosen_tokens.push_back(set.answers[static_cast<std::size_t>(chosen[i])].length);
        cell->rejected_tokens.push_back(set.answers[static_cast<std::size_t>(rejected[i])].length);
        if (scores.empty()) continue;
        cell->chosen.push_back(scores[static_cast<std::size_t>(chosen[i])]);
        cell->rejected.push_back(scores[static_cast<std::size_t>(rejected[i])]);
        if (cell->max_answers == 2) continue;
        cell->num_correct.push_back(item.num_correct);
        for (std::int64_t k = 0; k < cell->max_answers; ++k) {
            cell->response.push_back(k < item.answers ? scores[static_cast<std::size_t>(item.first_answer + k)]
                                                      : std::numeric_limits<float>::quiet_NaN());
        }
    }
}

}  // namespace xlrm
