#include "xlrm/text/stream_decoder.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace xlrm {
namespace {

constexpr std::string_view kReplacement = "\uFFFD";
// A character has at most four bytes, so four ids hold one unless tokens are empty.
constexpr std::size_t kLongestStart = 4;

}  // namespace

StreamDecoder::StreamDecoder(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {
    for (unsigned byte = 0; byte < 256; ++byte) {
        std::array<char, 8> name{};
        std::snprintf(name.data(), name.size(), "<0x%02X>", byte);
        if (const auto id = tokenizer.id_of(name.data())) byte_ids_.push_back(*id);
    }
    std::ranges::sort(byte_ids_);
}

bool StreamDecoder::is_byte(std::int32_t id) const { return std::ranges::binary_search(byte_ids_, id); }

std::size_t StreamDecoder::complete() const {
    std::size_t end = text_.size();
    while (end > settled_ && std::string_view(text_).substr(0, end).ends_with(kReplacement)) end -= kReplacement.size();
    return end;
}

void StreamDecoder::push(std::int32_t id) {
    ids_.push_back(id);
    window_.push_back(id);
    std::string text = tokenizer_.decode(window_);
    if (!text.starts_with(known_)) {
        window_ = ids_;
        known_.clear();
        base_ = 0;
        text = tokenizer_.decode(window_);
    }
    text_.resize(base_);
    text_.append(text, known_.size());
    if (is_byte(id) || text_.ends_with(kReplacement)) return;
    settled_ = text_.size();
    choose_window();
}

// The shortest end of the window whose own text is whole and not empty; none is as well, but costs more at the next id.
void StreamDecoder::choose_window() {
    for (std::size_t size = 1; size <= std::min(kLongestStart, window_.size()); ++size) {
        const std::vector<std::int32_t> end(window_.end() - static_cast<std::ptrdiff_t>(size), window_.end());
        std::string text = tokenizer_.decode(end);
        if (text.empty() || text.ends_with(kReplacement)) continue;
        window_ = end;
        known_ = std::move(text);
        base_ = text_.size();
        return;
    }
}

}  // namespace xlrm
