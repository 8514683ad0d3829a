#include "xlrm/infer/exactness.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "xlrm/comm/together.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/model/exactness.hpp"

namespace xlrm {

std::string find_inexactness(const Communicator& group, const Decoder& decoder, std::int64_t token_budget) {
    ExactnessCheck found;
    together(group, [&] { found = check_exactness(decoder, token_budget); });
    const std::string problem = group.agree(found.problem);
    if (!problem.empty()) return problem;
    const auto bits = static_cast<std::int64_t>(found.fingerprint & std::numeric_limits<std::int64_t>::max());
    if (group.max(bits) == -group.max(-bits)) return "";
    return "the ranks' processors give different bits (they are not of one kind)";
}

void require_exact(const Decoder& decoder, const ItemSet& set, const ScoreOptions& options) {
    ScoreOptions plain = options;
    plain.layers.clear();
    const auto values = [&](std::span<const std::int64_t> answers) {
        const ScoreResult found = score_texts(decoder, set, answers, plain);
        return plain.log_probs ? found.log_probs : std::vector<double>(found.scores.begin(), found.scores.end());
    };
    std::vector<std::int64_t> answers(std::min<std::size_t>(set.answers.size(), 16));
    std::iota(answers.begin(), answers.end(), 0);
    const std::vector<double> together = values(answers);
    const std::vector<double> backwards = values(std::vector<std::int64_t>(answers.rbegin(), answers.rend()));
    for (std::size_t i = 0; i < together.size(); ++i) {
        const double alone = values(std::span(answers).subspan(i, 1)).at(0);
        if (alone != together[i] || alone != backwards[together.size() - 1 - i]) {
            fail("--exact yes: on this machine the score of text " + std::to_string(i) + " depends on the batch (" +
                 std::to_string(alone) + " alone, " + std::to_string(together[i]) +
                 " with others); run with --exact no, where scores "
                 "agree within 5e-6·max(1, |score|)");
        }
    }
}

}  // namespace xlrm
