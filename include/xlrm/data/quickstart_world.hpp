#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "xlrm/data/preference_row.hpp"

namespace xlrm {

//! A small synthetic world in en, es, it, ko and zh on which the whole chain can be tried without any download: things with a
//! kind, a place and a use. The words and the facts are real; the texts are made from sentence patterns.
//!
//! The corpus states every fact in every language, so that a model pretrained on it knows them; it plants the alignment of the
//! languages by putting translations into one document, by phrases of one language in sentences of another, and by glossaries. A
//! preference item asks for a fact and offers the true answer and one that is true of something else. About a third of the
//! nouns are in no training item; the test items are theirs. Within a relation each answer is as often wrong as right, so that
//! neither words of an answer nor words of a question seen in training tell which one is true.
struct World {
    std::vector<std::string> languages;
    std::vector<std::string> corpus;         //!< documents in all languages, shuffled; lines separated by a line end
    std::vector<PreferenceRow> train, test;  //!< the same ids in every language; `subset` is the relation
};

enum class WorldSize {
    smoke,  //!< for tests: seconds
    full,   //!< the quickstart: more than 500 test items a language
};

//! The same seed and size give the same world on every machine.
World make_world(std::uint64_t seed, WorldSize size);

//! Writes corpus.jsonl (`{text, lang, synthetic}` rows, lang "mul"), train.jsonl and test.jsonl (preference rows with `synthetic`
//! true) into `folder`, each atomically. Throws Error(io).
void write_world(const World& world, const std::filesystem::path& folder);

}  // namespace xlrm
