#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "xlrm/text/tokenizer.hpp"

namespace xlrm {

//! Text of ids that come one at a time: after every push, text() is Tokenizer::decode of all ids so far, byte for byte, without
//! decoding all of them again. Ids that end within a multi-byte character end in U+FFFD until the character is whole.
//!
//! Only a window of the last ids is decoded. It begins with ids whose own text is whole characters, so that what a decoder does
//! at the beginning of a text (the space of a first word) and with runs of byte tokens (one invalid byte spoils the run) is the
//! same for the window as for all ids; where the window's text does not continue that of the ids before it, all are decoded.
//! Not followed: a `decoder` of tokenizer.json that replaces text across tokens (Replace after Fuse; no published one does).
class StreamDecoder {
public:
    //! `tokenizer` must outlive the object.
    explicit StreamDecoder(const Tokenizer& tokenizer);
    //! Throws Error as Tokenizer::decode does.
    void push(std::int32_t id);
    const std::string& text() const { return text_; }
    //! Bytes of text() that stay as they are whatever ids follow.
    std::size_t settled() const { return settled_; }
    //! Bytes of text() before a character at its end that may be incomplete.
    std::size_t complete() const;

private:
    bool is_byte(std::int32_t id) const;
    void choose_window();
    const Tokenizer& tokenizer_;
    std::vector<std::int32_t> byte_ids_;  // sorted; of "<0x00>" … "<0xFF>"
    std::vector<std::int32_t> ids_, window_;
    std::string known_;     // text of the window's first ids, which is in text_ already
    std::size_t base_ = 0;  // bytes of text_ before what the window adds
    std::size_t settled_ = 0;
    std::string text_;
};

}  // namespace xlrm
