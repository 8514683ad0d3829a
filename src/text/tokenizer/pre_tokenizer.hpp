#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "regex.hpp"

namespace xlrm {

//! Text → words, as the `pre_tokenizer` of a tokenizer.json does it: Split (every behaviour), ByteLevel, Metaspace, Digits,
//! Punctuation, Whitespace, WhitespaceSplit, BertPreTokenizer, CharDelimiterSplit, and a Sequence of them.
class PreTokenizer {
public:
    //! `json` may be null: the text is one word. With `raw_bytes` a ByteLevel at the end, if it is the only one, leaves words as
    //! raw bytes. Throws Error naming `where` and the feature that is not supported.
    PreTokenizer(const nlohmann::json& json, const std::string& where, bool raw_bytes);
    bool gives_raw_bytes() const { return gives_raw_bytes_; }

    //! Working memory of one thread, reused between calls.
    struct Scratch {
        std::shared_ptr<Regex::Scratch> regex = Regex::make_scratch();
        std::vector<std::string_view> words, next;
        bool first_begins = false;      //!< words[0] stands at the begin of the whole text
        std::deque<std::string> owned;  //!< of words that are not in the text
        std::vector<Regex::Part> parts;
    };
    //! The words of `text` are in scratch.words until the next call; they point into `text` and `scratch`. `at_begin`: the text
    //! stands at the begin of the whole.
    void split(std::string_view text, bool at_begin, Scratch& scratch) const;

private:
    enum class Behaviour { isolated, removed, contiguous, with_previous, with_next };
    struct Split {
        Regex regex;
        Behaviour behaviour;
        bool invert;
        void apply(Scratch& scratch) const;
        void cut(std::string_view text, Scratch& scratch) const;
    };
    struct PrefixSpace {
        void apply(Scratch& scratch) const;
    };
    struct ByteAlphabet {
        void apply(Scratch& scratch) const;
    };
    struct Metaspace {
        enum class Prepend { always, first, never };
        std::string replacement;
        Prepend prepend;
        bool split;
        void apply(Scratch& scratch) const;
        void cut(std::string_view word, Scratch& scratch) const;
    };
    using Stage = std::variant<Split, PrefixSpace, ByteAlphabet, Metaspace>;
    static Behaviour behaviour_named(const std::string& name, const std::string& where);
    void add(const nlohmann::json& json, const std::string& where);
    void add_split(const std::string& expression, Behaviour behaviour, bool invert, const std::string& where);
    void add_metaspace(const nlohmann::json& json, const std::string& where);
    std::vector<Stage> stages_;
    bool gives_raw_bytes_ = false;
};

}  // namespace xlrm
