#pragma once

#include <array>
#include <span>
#include <string_view>

// The hand-written part of the quickstart world: real words and facts in five languages. Every array of words is in the order of
// kLanguages; nothing here is generated.
namespace xlrm::world {

inline constexpr std::array<std::string_view, 5> kLanguages{"en", "es", "it", "ko", "zh"};
inline constexpr std::size_t kLanguageCount = kLanguages.size();
using Words = std::array<std::string_view, kLanguageCount>;

//! Something that can be the answer to a question: a kind, a place or a use.
struct Answer {
    std::string_view name;
    Words words;
};

//! A thing and what is true of it; the names are those of the answers, "" where nothing is stated.
struct Noun {
    std::string_view kind, place, use;
    Words words;  //!< in the form that a sentence takes ("a dog", "un perro")
};

std::span<const Answer> kinds();
std::span<const Answer> places();
std::span<const Answer> uses();
std::span<const Noun> nouns();

//! Sentences of a relation: "{}" takes a noun phrase or an answer. Korean particles that depend on the sound before them are
//! written as pairs ("{}은/는").
struct Sentences {
    std::string_view relation;
    std::array<Words, 2> questions;
    std::array<Words, 2> answers;
};
std::span<const Sentences> sentences();

//! What someone says about an answer.
extern const Words kThatIsRight, kThatIsWrong;

}  // namespace xlrm::world
