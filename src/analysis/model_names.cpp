#include "model_names.hpp"

#include <charconv>

namespace xlrm {

std::optional<TrainedModel> trained_model(const std::string& name) {
    const std::size_t last = name.rfind('.');
    if (last == std::string::npos || last == 0 || last + 2 > name.size() || name[last + 1] != 's') return {};
    const std::size_t before = name.rfind('.', last - 1);
    if (before == std::string::npos || before == 0 || before + 1 == last) return {};
    TrainedModel model{name.substr(0, before), name.substr(before + 1, last - before - 1), 0};
    const char* end = name.data() + name.size();
    const auto [stop, error] = std::from_chars(name.data() + last + 2, end, model.seed);
    if (error != std::errc() || stop != end || model.seed < 0) return {};
    return model;
}

}  // namespace xlrm
