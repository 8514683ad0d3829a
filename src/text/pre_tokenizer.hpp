#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "regex.hpp"

namespace xlrm {

//! Text → words, as the `pre_tokenizer` of a byte-level tokenizer.json does it: Split, Digits and a Sequence of them, and one
//! ByteLevel at the end. Words are raw bytes; mapping them to the byte alphabet is the model's affair.
class PreTokenizer {
public:
    //! Throws Error naming `where` and the feature that is not supported.
    PreTokenizer(const nlohmann::json& json, const std::string& where);

    //! Working memory of one thread, reused between calls.
    struct Scratch {
        std::shared_ptr<Regex::Scratch> regex = Regex::make_scratch();
        std::vector<std::string_view> words, next;
        std::deque<std::string> prefixed;  //!< owns words to which a space was added
    };
    //! The words of `text` are in scratch.words until the next call; they point into `text` and `scratch`.
    void split(std::string_view text, Scratch& scratch) const;

private:
    enum class Behaviour { isolated, removed };
    struct Stage {
        Regex regex;
        Behaviour behaviour;
        bool invert;
    };
    void add(const nlohmann::json& json, const std::string& where);
    static void apply(const Stage& stage, std::string_view text, Scratch& scratch);
    std::vector<Stage> stages_;       // in order; ByteLevel's own expression is the last
    std::size_t before_prefix_ = 0;   // stages before the ByteLevel that adds the space
    bool add_prefix_space_ = false;
    bool closed_ = false;             // a ByteLevel was seen
};

}  // namespace xlrm
