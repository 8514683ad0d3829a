#include "pairs.hpp"

#include <cassert>
#include <string>
#include <utility>

namespace xlrm::world {
namespace {

// Row of one item in one language.
PreferenceRow row(const std::string& id, std::size_t language, std::string_view subset, std::string prompt, std::string chosen,
                  std::string rejected) {
    PreferenceRow result;
    result.id = id;
    result.lang = kLanguages[language];
    result.subset = subset;
    result.prompt = {{"user", std::move(prompt)}};
    result.answers = {plain_answer(std::move(chosen)), plain_answer(std::move(rejected))};
    return result;
}

// For each fact the answer of another one that is clearly wrong for it; a permutation, so answers keep their frequencies.
std::vector<std::size_t> wrong_answers(const std::vector<const Fact*>& facts, const std::vector<Answer>& answers,
                                       Random& random) {
    std::vector<std::size_t> wrong;
    for (const Fact* fact : facts) wrong.push_back(fact->answer);
    const auto fits = [&](std::size_t i, std::size_t answer) {
        return clearly_wrong(answers[facts[i]->answer], answers[answer]);
    };
    shuffle(wrong, random);
    for (int round = 0; round < 10000; ++round) {
        bool all = true;
        for (std::size_t i = 0; i < wrong.size(); ++i) {
            if (fits(i, wrong[i])) continue;
            all = false;
            const std::size_t j = random.below(wrong.size());
            if (fits(i, wrong[j]) && (fits(j, wrong[i]) || !fits(j, wrong[j]))) std::swap(wrong[i], wrong[j]);
        }
        if (all) return wrong;
    }
    assert(false);  // a relation in which one answer holds for most subjects
    return wrong;
}

}  // namespace

std::vector<PreferenceRow> fact_pairs(const Facts& facts, bool held_out, int variants, Random& random) {
    std::vector<PreferenceRow> rows;
    for (std::size_t relation = 0; relation < facts.answers.size(); ++relation) {
        std::vector<const Fact*> members;
        for (const Fact& fact : facts.all)
            if (fact.relation == relation && fact.held_out == held_out) members.push_back(&fact);
        const Sentences& said = sentences()[relation];
        const std::vector<Answer>& answers = facts.answers[relation];
        for (int variant = 0; variant < variants; ++variant) {
            const std::vector<std::size_t> wrong = wrong_answers(members, answers, random);
            const auto question = static_cast<std::size_t>(variant % 2), answer = static_cast<std::size_t>(variant / 2 % 2);
            for (std::size_t i = 0; i < members.size(); ++i)
                for (std::size_t l = 0; l < kLanguageCount; ++l)
                    rows.push_back(row(members[i]->id + "-n" + std::to_string(variant), l, said.relation,
                                       fill(said.questions[question][l], members[i]->subject[l]),
                                       fill(said.answers[answer][l], answers[members[i]->answer].words[l]),
                                       fill(said.answers[answer][l], answers[wrong[i]].words[l])));
        }
    }
    return rows;
}

}  // namespace xlrm::world
