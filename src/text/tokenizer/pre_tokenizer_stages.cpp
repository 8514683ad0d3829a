#include <algorithm>

#include "byte_level.hpp"
#include "pre_tokenizer.hpp"

namespace xlrm {

void PreTokenizer::Split::apply(Scratch& scratch) const {
    if (scratch.words.empty()) return;
    const char* begin = scratch.words.front().data();
    scratch.next.clear();
    for (const std::string_view word : scratch.words) cut(word, scratch);
    scratch.words.swap(scratch.next);
    if (scratch.words.empty() || scratch.words.front().data() != begin) scratch.first_begins = false;
}

// Parts that a behaviour joins become one word; with_next goes from the end, as the reference does.
void PreTokenizer::Split::cut(std::string_view text, Scratch& scratch) const {
    if (behaviour == Behaviour::isolated) return regex.cut(text, *scratch.regex, scratch.next);
    auto& parts = scratch.parts;
    regex.parts(text, *scratch.regex, parts);
    const auto emit = [&](std::size_t begin, std::size_t end) {
        if (begin < end) scratch.next.push_back(text.substr(begin, end - begin));
    };
    if (behaviour == Behaviour::removed) {
        for (const Regex::Part& part : parts) {
            if (part.match == invert) emit(part.begin, part.end);
        }
        return;
    }
    const std::size_t first = scratch.next.size();
    const bool backwards = behaviour == Behaviour::with_next;
    bool previous = false;
    std::size_t begin = 0;
    std::size_t end = 0;
    bool open = false;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const Regex::Part& part = parts[backwards ? parts.size() - 1 - i : i];
        const bool match = part.match != invert;
        const bool joins = open && (behaviour == Behaviour::contiguous ? match == previous : match && !previous);
        if (open && !joins) emit(begin, end);
        if (!joins || backwards) begin = part.begin;
        if (!joins || !backwards) end = part.end;
        open = true;
        previous = match;
    }
    if (open) emit(begin, end);
    if (backwards) std::reverse(scratch.next.begin() + static_cast<std::ptrdiff_t>(first), scratch.next.end());
}

void PreTokenizer::PrefixSpace::apply(Scratch& scratch) const {
    for (std::string_view& word : scratch.words) {
        if (word.front() != ' ') word = scratch.owned.emplace_back(std::string(1, ' ').append(word));
    }
}

void PreTokenizer::ByteAlphabet::apply(Scratch& scratch) const {
    std::size_t bytes = 0;
    for (const std::string_view word : scratch.words) bytes += word.size();
    std::string& text = scratch.owned.emplace_back();
    text.reserve(2 * bytes);  // words point into it, so it never moves
    for (std::string_view& word : scratch.words) {
        const std::size_t begin = text.size();
        for (const char c : word) text += byte_characters()[static_cast<unsigned char>(c)];
        word = std::string_view(text).substr(begin);
    }
}

void PreTokenizer::Metaspace::apply(Scratch& scratch) const {
    scratch.next.clear();
    for (std::size_t i = 0; i < scratch.words.size(); ++i) {
        std::string& word = scratch.owned.emplace_back();
        for (const char c : scratch.words[i]) {
            if (c == ' ')
                word += replacement;
            else
                word += c;
        }
        const bool wanted = prepend == Prepend::always || (prepend == Prepend::first && i == 0 && scratch.first_begins);
        if (wanted && !word.starts_with(replacement)) word.insert(0, replacement);
        if (split)
            cut(word, scratch);
        else
            scratch.next.push_back(word);
    }
    scratch.words.swap(scratch.next);
}

// Before each replacement character: "a__b" is "a", "_", "_b".
void PreTokenizer::Metaspace::cut(std::string_view word, Scratch& scratch) const {
    std::size_t begin = 0;
    for (std::size_t at = word.find(replacement, 1); at != std::string_view::npos;
         at = word.find(replacement, at + replacement.size())) {
        scratch.next.push_back(word.substr(begin, at - begin));
        begin = at;
    }
    scratch.next.push_back(word.substr(begin));
}

}  // namespace xlrm
