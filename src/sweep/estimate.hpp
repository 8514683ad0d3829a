#pragma once

#include <map>
#include <string>

#include "xlrm/sweep/config.hpp"
#include "xlrm/sweep/inputs.hpp"

namespace xlrm {

//! What estimates of work go by.
struct BaseSize {
    double parameters = 0.0;
    double stored_bytes_a_text = 0.0;  //!< activations of one text
};

struct EstimateBook {
    const SweepConfig& config;
    const SweepInputs& inputs;
    std::map<std::string, BaseSize> sizes;  //!< of bases and models that are given, by name

    const BaseSize& size(const std::string& base) const { return sizes.at(base); }
    //! Of the rows that `lang` means: a code's regions together.
    InputRows::Volume volume(const std::string& option, const std::string& lang) const;
    //! FLOPs of one forward pass over the texts of these rows.
    double pass_flops(const BaseSize& size, const std::string& option, const std::string& lang) const;
};

}  // namespace xlrm
