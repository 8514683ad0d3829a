#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "xlrm/data/prompts.hpp"
#include "xlrm/eval/generate.hpp"
#include "xlrm/infer/generation.hpp"
#include "xlrm/model/config.hpp"
#include "xlrm/store/samples_file.hpp"

namespace xlrm {

//! All that a run needs but the weights.
struct GenerationSetup {
    std::filesystem::path folder, output;
    ModelConfig config;
    std::unique_ptr<Tokenizer> tokenizer;
    std::unique_ptr<ChatTemplate> chat_template;
    GenerationOptions options;          //!< cache_bytes apart
    std::int64_t context = 0;           //!< most tokens of prompt and text
    EncodedPrompts prompts;             //!< those that leave a token for a text
    std::vector<std::string> too_long;  //!< languages of those that do not, one for each
    std::int64_t shortened = 0;         //!< prompts that leave fewer tokens than --max-new-tokens
    std::string notes;                  //!< what a user should know, a line each
    bool detects = false;

    std::vector<PromptKey> keys() const;
    //! Most new tokens of a text to prompt `index`.
    std::int64_t new_tokens(std::size_t index) const;
};

//! Gives prompts in place of those of the job's files.
using MakePrompts = std::function<EncodedPrompts(const Tokenizer& tokenizer, const ChatTemplate& chat_template)>;

//! Reads everything; the same on every rank. Throws Error, Error(usage).
GenerationSetup make_generation_setup(const GenerateJob& job, const MakePrompts& make_prompts = {});

//! What determines the samples, for the identity of a run and for its record.
Json content_of(const GenerateJob& job, const GenerationSetup& setup, const std::string& model_sha256);

}  // namespace xlrm
