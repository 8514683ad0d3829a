#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace xlrm {

//! A reward model by its name, "<base>.<source>.s<seed>".
struct TrainedModel {
    std::string base, source;
    std::int64_t seed = 0;
};

//! Nothing for another name.
std::optional<TrainedModel> trained_model(const std::string& name);

}  // namespace xlrm
