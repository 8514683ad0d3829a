#pragma once

#include <string>
#include <vector>

#include "facts.hpp"

namespace xlrm::world {

//! Shares of the kinds of document; they need not sum to one.
struct CorpusRecipe {
    std::int64_t documents = 20000;
    double parallel = 0.20;         //!< one fact, question and answer, in two to five languages
    double profile = 0.65;          //!< all facts of one noun, in one language or code-switched
    double glossary = 0.15;         //!< one word in all languages; the members of a kind in mixed languages
    double correction = 0.0;        //!< an answer, right or wrong, and what someone says about it
    double switched = 0.75;         //!< share of the profiles that are code-switched: another language for each sentence, and
    double switching = 0.7;         //!< this chance for each phrase to be of another language than its sentence
    bool correct_held_out = false;  //!< corrections of held-out facts too
};

//! Documents of the corpus, lines of one document separated by a line end.
std::vector<std::string> make_corpus(const Facts& facts, const CorpusRecipe& recipe, Random& random);

}  // namespace xlrm::world
