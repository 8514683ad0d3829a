#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "xlrm/core/json.hpp"

namespace xlrm {

//! A prompt of a run: which item it is.
struct PromptKey {
    std::string id, lang;
    std::int32_t occurrence = 0;
    auto operator<=>(const PromptKey&) const = default;
};

//! One line of samples.jsonl: a generated text. Fields of the JSON object, in this order:
//!     id occurrence lang prompt sample seed text tokens logprob finish_reason detected_lang, then `more`'s
struct Sample {
    PromptKey prompt_key;              //!< id, occurrence, lang
    Json prompt;                       //!< as the input has it: a string, or a list of {role, content}
    std::int32_t sample = 0;           //!< which of the prompt's samples, from 0
    std::uint64_t seed = 0;            //!< of the run
    std::string text;                  //!< what precedes the stop id or stop string
    std::vector<std::int32_t> tokens;  //!< all ids that were generated, a stop id and those of a stop string among them
    double logprob = 0.0;              //!< natural logarithm: Σ over `tokens`, in the model's own distribution (temperature 1)
    std::string finish_reason;         //!< "stop", "length" or "stop_string"
    std::string detected_lang;         //!< code of the language that the text is in; "unsure"; "" = not looked for, then left out
    Json more;                         //!< what else the line has (`scores` of a labelled file …); null = nothing
};
std::string sample_line(const Sample& sample);  //!< without the line end; the same bytes for equal samples
//! Throws Error naming `where` and the field.
Sample parse_sample(std::string_view line, const std::string& where);

//! Reads samples.jsonl, plain or gzip, in the order of the file. Throws Error naming file, line and field, also for a sample that
//! is there twice (same id, lang, occurrence and sample).
void for_each_sample(const std::filesystem::path& path, const std::function<void(std::int64_t line, Sample&& sample)>& sample);

//! Writes samples.jsonl, in whatever order the texts are finished, by one process or several, across kills.
//!
//! Finished samples are appended to `<output>.part<n>`, one file a process n, whose first line holds the run's identity. A run
//! that starts again reads all parts, drops a last line that was torn by a kill, and has() says what need not be made again.
//! finish() writes the samples in canonical order (prompts as given, then sample) to a temporary file and renames it to `output`,
//! so equal runs give equal bytes whatever finished first; then the parts are removed.
class SampleWriter {
public:
    //! `identity`: a hash of all that determines the samples (model, prompts, options, seed). `prompts` must differ from one
    //! another. All processes must have read the parts before one adds to its own. Throws Error where parts are of another run
    //! (their identity, or a prompt that is unknown), or two hold different bytes for one sample; Error(io).
    SampleWriter(std::filesystem::path output, std::string identity, std::vector<PromptKey> prompts,
                 std::int32_t samples_per_prompt, int process = 0);

    bool has(std::size_t prompt, std::int32_t sample) const { return places_[index(prompt, sample)].length > 0; }
    std::int64_t count() const { return count_; }      //!< samples that parts hold
    std::int64_t dropped() const { return dropped_; }  //!< torn lines that parts held at the start

    //! On disk when it returns, with one write for all of `samples`. Throws Error(io); Error for a sample of an unknown prompt.
    void add(std::span<const Sample> samples);

    //! Reads the parts again and writes `output`. By one process, once all have added what is theirs. Throws Error naming how
    //! many samples are missing, and the first of them; Error(io).
    void finish();

private:
    struct Place {
        std::size_t part = 0;
        std::int64_t begin = 0, length = 0;  // length 0 = not there
    };
    std::size_t index(std::size_t prompt, std::int32_t sample) const;
    std::size_t place_of(const Sample& sample, const std::string& where) const;
    std::filesystem::path part_path() const;
    void read_parts();
    void read_part(const std::filesystem::path& path);
    void note(const std::filesystem::path& path, const std::string& line, std::int64_t begin);
    std::string line_at(const Place& place) const;
    std::string header() const;

    std::filesystem::path output_;
    std::string identity_;
    std::vector<PromptKey> prompts_;
    std::map<PromptKey, std::size_t> by_key_;
    std::int32_t samples_per_prompt_;
    int process_;
    std::vector<std::filesystem::path> parts_;
    std::vector<Place> places_;
    std::int64_t count_ = 0, dropped_ = 0;
};

}  // namespace xlrm
