#include "facts.hpp"

#include <algorithm>
#include <cassert>
#include <map>
#include <utility>

namespace xlrm::world {
namespace {

enum Relation : std::size_t { kind_relation, place_relation, use_relation, relation_count };

// English word as part of an id: no article, no spaces.
std::string slug(std::string_view word) {
    for (const std::string_view article : {"a ", "an ", "to "})
        if (word.starts_with(article)) word.remove_prefix(article.size());
    std::string result(word);
    std::replace(result.begin(), result.end(), ' ', '_');
    return result;
}

std::size_t index_of(const std::vector<Answer>& answers, std::string_view name) {
    const auto found = std::find_if(answers.begin(), answers.end(), [&](const Answer& answer) { return answer.name == name; });
    assert(found != answers.end());
    return static_cast<std::size_t>(found - answers.begin());
}

// The first `share` of the indices in shuffled order are true.
std::vector<bool> draw(std::size_t count, double share, Random& random) {
    std::vector<std::size_t> order(count);
    for (std::size_t i = 0; i < count; ++i) order[i] = i;
    shuffle(order, random);
    std::vector<bool> drawn(count, false);
    const auto take = static_cast<std::size_t>(share * static_cast<double>(count) + 0.5);
    for (std::size_t i = 0; i < take; ++i) drawn[order[i]] = true;
    return drawn;
}

std::vector<bool> held_out_nouns(Random& random, double share) {
    std::map<std::string_view, std::vector<std::size_t>> by_kind;
    for (std::size_t i = 0; i < nouns().size(); ++i) by_kind[nouns()[i].kind].push_back(i);
    std::vector<bool> held_out(nouns().size(), false);
    for (const auto& [kind, members] : by_kind) {
        const std::vector<bool> drawn = draw(members.size(), share, random);
        for (std::size_t i = 0; i < members.size(); ++i) held_out[members[i]] = drawn[i];
    }
    return held_out;
}

// Code point that ends just before `end`, 0 at the beginning.
char32_t last_code_point(std::string_view text) {
    std::size_t begin = text.size();
    while (begin > 0 && (static_cast<unsigned char>(text[--begin]) & 0xC0U) == 0x80U) {
    }
    char32_t point = 0;
    for (std::size_t i = begin; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (i > begin)
            point = (point << 6U) | (byte & 0x3FU);
        else
            point = byte < 0x80U ? byte : byte < 0xE0U ? byte & 0x1FU : byte < 0xF0U ? byte & 0x0FU : byte & 0x07U;
    }
    return point;
}

}  // namespace

Facts make_facts(Random& random, double held_out_share) {
    Facts facts;
    facts.answers.resize(relation_count);
    facts.answers[kind_relation].assign(kinds().begin(), kinds().end());
    facts.answers[place_relation].assign(places().begin(), places().end());
    facts.answers[use_relation].assign(uses().begin(), uses().end());
    assert(sentences().size() == relation_count);

    const std::vector<bool> nouns_out = held_out_nouns(random, held_out_share);
    for (std::size_t i = 0; i < nouns().size(); ++i) {
        const Noun& noun = nouns()[i];
        const std::pair<Relation, std::string_view> stated[] = {
            {kind_relation, noun.kind}, {place_relation, noun.place}, {use_relation, noun.use}};
        for (const auto& [relation, name] : stated)
            if (!name.empty())
                facts.all.push_back({std::string(sentences()[relation].relation) + "-" + slug(noun.words[0]), relation, i,
                                     noun.words, index_of(facts.answers[relation], name), nouns_out[i]});
    }
    return facts;
}

bool clearly_wrong(const Answer& right, const Answer& wrong) {
    static constexpr std::pair<std::string_view, std::string_view> kClose[] = {
        {"forest", "jungle"}, {"farm", "garden"}, {"eat", "cook"}, {"fruit", "vegetable"}};
    for (const auto& [a, b] : kClose)
        if ((right.name == a && wrong.name == b) || (right.name == b && wrong.name == a)) return false;
    return right.name != wrong.name;
}

std::string fill(std::string_view sentence, std::string_view phrase) {
    const std::size_t slot = sentence.find("{}");
    assert(slot != std::string_view::npos);
    std::string_view tail = sentence.substr(slot + 2);
    std::string result(sentence.substr(0, slot));
    result += phrase;
    // Behind a Hangul syllable with a final consonant the first form, otherwise, and behind other scripts, the second.
    const char32_t last = last_code_point(phrase);
    const bool closed = last >= 0xAC00 && last <= 0xD7A3 && (last - 0xAC00) % 28 != 0;
    static constexpr std::pair<std::string_view, std::string_view> kParticles[] = {
        {"은", "는"}, {"을", "를"}, {"이라고", "라고"}};
    for (const auto& [behind_consonant, behind_vowel] : kParticles) {
        const std::string pair = std::string(behind_consonant) + "/" + std::string(behind_vowel);
        if (!tail.starts_with(pair)) continue;
        result += closed ? behind_consonant : behind_vowel;
        tail.remove_prefix(pair.size());
        break;
    }
    result += tail;
    return result;
}

}  // namespace xlrm::world
