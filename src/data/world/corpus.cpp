#include "corpus.hpp"

#include <numeric>
#include <utility>

namespace xlrm::world {
namespace {

void add_line(std::string& text, std::string_view line) {
    if (!text.empty()) text += '\n';
    text += line;
}

class Writer {
public:
    Writer(const Facts& facts, const CorpusRecipe& recipe, Random& random) : facts_(facts), recipe_(recipe), random_(random) {
        for (const Fact& fact : facts.all) {
            if (topics_.empty() || topics_.back().front()->topic != fact.topic) topics_.emplace_back();
            topics_.back().push_back(&fact);
            if (!fact.held_out || recipe.correct_held_out) judged_.push_back(&fact);
        }
    }

    std::string document() {
        const double shares[] = {recipe_.parallel, recipe_.profile, recipe_.glossary, recipe_.correction};
        double draw = random_.uniform() * std::accumulate(std::begin(shares), std::end(shares), 0.0);
        std::size_t kind = 0;
        while (kind < 3 && draw >= shares[kind]) draw -= shares[kind++];
        switch (kind) {
            case 0:
                return parallel();
            case 1:
                return profile();
            case 2:
                return glossary();
            default:
                return correction();
        }
    }

private:
    template <typename T>
    const T& one_of(const std::vector<T>& values) {
        return values[random_.below(values.size())];
    }
    std::size_t language() { return random_.below(kLanguageCount); }
    // The language of a phrase in a sentence of language `frame`.
    std::size_t phrase_language(std::size_t frame, bool switching) {
        return switching && random_.uniform() < recipe_.switching ? language() : frame;
    }
    std::string question(const Fact& fact, std::size_t variant, std::size_t frame, bool switching) {
        return fill(sentences()[fact.relation].questions[variant][frame], fact.subject[phrase_language(frame, switching)]);
    }
    std::string answer(const Fact& fact, std::size_t which, std::size_t variant, std::size_t frame, bool switching) {
        return fill(sentences()[fact.relation].answers[variant][frame],
                    facts_.answers[fact.relation][which].words[phrase_language(frame, switching)]);
    }
    std::vector<std::size_t> shuffled_languages() {
        std::vector<std::size_t> order(kLanguageCount);
        std::iota(order.begin(), order.end(), std::size_t{0});
        shuffle(order, random_);
        return order;
    }

    std::string parallel() {
        const Fact& fact = one_of(facts_.all);
        std::vector<std::size_t> order = shuffled_languages();
        order.resize(2 + random_.below(kLanguageCount - 1));
        const std::size_t q = random_.below(2), a = random_.below(2);
        std::string text;
        for (const std::size_t l : order) {
            add_line(text, question(fact, q, l, false));
            add_line(text, answer(fact, fact.answer, a, l, false));
        }
        return text;
    }

    std::string profile() {
        std::vector<const Fact*> members = one_of(topics_);
        shuffle(members, random_);
        const bool switching = random_.uniform() < recipe_.switched;
        std::size_t frame = language();
        std::string text;
        for (const Fact* fact : members) {
            if (switching) frame = language();
            add_line(text, question(*fact, random_.below(2), frame, switching));
            if (switching) frame = language();
            add_line(text, answer(*fact, fact->answer, random_.below(2), frame, switching));
        }
        return text;
    }

    std::string glossary() {
        std::string text;
        if (random_.below(2) == 0) {
            const Words& words = one_of(facts_.all).subject;
            for (const std::size_t l : shuffled_languages()) {
                if (!text.empty()) text += " = ";
                text += words[l];
            }
            return text;
        }
        const Answer& kind = kinds()[random_.below(kinds().size())];
        std::vector<const Noun*> members;
        for (const Noun& noun : nouns())
            if (noun.kind == kind.name) members.push_back(&noun);
        shuffle(members, random_);
        if (members.size() > 6) members.resize(6);
        text = std::string(kind.words[language()]) + ":";
        for (const Noun* noun : members) {
            text += noun == members.front() ? " " : ", ";
            text += noun->words[language()];
        }
        return text;
    }

    std::string correction() {
        const Fact& fact = *one_of(judged_);
        const std::size_t frame = language();
        const bool switching = random_.below(2) == 1;
        const std::vector<Answer>& answers = facts_.answers[fact.relation];
        const bool right = random_.below(2) == 0;
        std::size_t said = fact.answer;
        while (!right && !clearly_wrong(answers[fact.answer], answers[said])) said = random_.below(answers.size());
        std::string text = question(fact, random_.below(2), frame, switching);
        add_line(text, answer(fact, said, random_.below(2), frame, switching));
        add_line(text, (right ? kThatIsRight : kThatIsWrong)[frame]);
        if (!right) add_line(text, answer(fact, fact.answer, random_.below(2), frame, switching));
        return text;
    }

    const Facts& facts_;
    const CorpusRecipe& recipe_;
    Random& random_;
    std::vector<std::vector<const Fact*>> topics_;
    std::vector<const Fact*> judged_;
};

}  // namespace

std::vector<std::string> make_corpus(const Facts& facts, const CorpusRecipe& recipe, Random& random) {
    Writer writer(facts, recipe, random);
    std::vector<std::string> documents;
    documents.reserve(static_cast<std::size_t>(recipe.documents));
    for (std::int64_t i = 0; i < recipe.documents; ++i) documents.push_back(writer.document());
    return documents;
}

}  // namespace xlrm::world
