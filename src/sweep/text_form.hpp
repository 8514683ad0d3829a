#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "xlrm/sweep/config.hpp"
#include "xlrm/sweep/inputs.hpp"

namespace xlrm {

//! What texts become tokens with.
struct TextForm {
    std::filesystem::path folder;    //!< of the tokenizer and its templates
    bool made_here = false;          //!< whether that is the sweep's own tokenizer, which need not be there yet
    std::string tokenizer;           //!< its hash; of the sweep's own that of its recipe
    std::string name, sha256, date;  //!< of the template
};

//! As the models of a base are trained. All of these: nothing where [pretrain] gives a base a tokenizer of its own with a further
//! token, which is there with the base alone.
std::optional<TextForm> training_form(const SweepConfig& config, const SweepInputs& inputs, const Base& base);

//! As the models of a base are evaluated; nothing where [train] add-pad-token changes the tokenizer that they have.
std::optional<TextForm> trained_form(const SweepConfig& config, const SweepInputs& inputs, const Base& base);

//! As a base, or a model that is given, is evaluated itself.
std::optional<TextForm> own_form(const SweepConfig& config, const SweepInputs& inputs, const Base& base);

}  // namespace xlrm
