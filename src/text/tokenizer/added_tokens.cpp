#include "added_tokens.hpp"

#include <algorithm>

#include "unicode.hpp"
#include "xlrm/core/utf8.hpp"

namespace xlrm {
namespace {

bool inside_word(std::string_view text, std::size_t begin, std::size_t end) {
    std::size_t before = begin;
    std::size_t behind = end;
    return (begin > 0 && is_word_character(previous_code_point(text, before))) ||
           (end < text.size() && is_word_character(next_code_point(text, behind)));
}

std::size_t white_space_before(std::string_view text, std::size_t begin, std::size_t limit) {
    for (std::size_t at = begin; at > limit && is_white_space(previous_code_point(text, at));) begin = at;
    return begin;
}

std::size_t white_space_behind(std::string_view text, std::size_t end) {
    for (std::size_t at = end; at < text.size() && is_white_space(next_code_point(text, at));) end = at;
    return end;
}

}  // namespace

void AddedTokenFinder::add(const AddedToken& token, const std::string& text) {
    if (text.empty()) return;
    first_[static_cast<unsigned char>(text.front())] = true;
    std::size_t node = 0;
    for (const char c : text) {
        auto& children = nodes_[node].children;
        const auto found = std::find_if(children.begin(), children.end(), [c](const auto& child) { return child.first == c; });
        if (found != children.end()) {
            node = static_cast<std::size_t>(found->second);
            continue;
        }
        children.emplace_back(c, static_cast<std::int32_t>(nodes_.size()));
        node = nodes_.size();
        nodes_.emplace_back();
    }
    if (nodes_[node].token < 0) nodes_[node].token = static_cast<std::int32_t>(tokens_.size());
    tokens_.push_back(token);
}

std::int32_t AddedTokenFinder::longest(std::string_view text, std::size_t at, std::size_t& end) const {
    std::int32_t token = -1;
    std::size_t node = 0;
    for (std::size_t i = at; i < text.size(); ++i) {
        const auto& children = nodes_[node].children;
        const auto found =
            std::find_if(children.begin(), children.end(), [&](const auto& child) { return child.first == text[i]; });
        if (found == children.end()) break;
        node = static_cast<std::size_t>(found->second);
        if (nodes_[node].token >= 0) {
            token = nodes_[node].token;
            end = i + 1;
        }
    }
    return token;
}

void AddedTokenFinder::split(std::string_view text, std::vector<Piece>& pieces) const {
    pieces.clear();
    std::size_t done = 0;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = 0;
        const std::int32_t index = first_[static_cast<unsigned char>(text[at])] ? longest(text, at, end) : -1;
        if (index < 0) {
            ++at;
            continue;
        }
        const AddedToken& token = tokens_[static_cast<std::size_t>(index)];
        std::size_t begin = at;
        at = end;
        if (token.is_text || (token.single_word && inside_word(text, begin, end))) continue;
        // White space that an earlier token has taken stays with it.
        if (token.lstrip) begin = std::max(done, white_space_before(text, begin, 0));
        if (token.rstrip) end = white_space_behind(text, end);
        if (done < begin) pieces.push_back({-1, text.substr(done, begin - done)});
        pieces.push_back({token.id, text.substr(begin, end - begin)});
        done = end;
    }
    if (done < text.size()) pieces.push_back({-1, text.substr(done)});
}

}  // namespace xlrm
