#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "lexicon.hpp"
#include "xlrm/core/random.hpp"

namespace xlrm::world {

//! One true statement: an answer of a relation's closed set belongs to a subject.
struct Fact {
    std::string id;            //!< "kind-dog"
    std::size_t relation = 0;  //!< in sentences()
    std::size_t topic = 0;     //!< facts of one noun share it
    Words subject{};
    std::size_t answer = 0;  //!< in Facts::answers[relation]
    bool held_out = false;   //!< in test pairs only, with every other fact of its topic
};

struct Facts {
    std::vector<std::vector<Answer>> answers;  //!< of each relation
    std::vector<Fact> all;
};

//! Every fact of the lexicon; about `held_out_share` of the nouns of each kind are held out.
Facts make_facts(Random& random, double held_out_share);

//! Whether `wrong` may stand as a false answer where `right` is true: another one, and not nearly the same.
bool clearly_wrong(const Answer& right, const Answer& wrong);

//! The sentence with `phrase` in place of "{}", Korean particle pairs resolved by the sound before them.
std::string fill(std::string_view sentence, std::string_view phrase);

template <typename T>
void shuffle(std::vector<T>& values, Random& random) {
    for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[random.below(i)]);
}

}  // namespace xlrm::world
