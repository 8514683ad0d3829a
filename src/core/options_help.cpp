#include <algorithm>

#include "options_state.hpp"

namespace xlrm {

namespace {

constexpr std::size_t kHelpColumn = 34;

std::string help_line(const std::string& name, const std::string& unit, const std::string& help, const std::string& initial) {
    std::string line = "  --" + name + (unit.empty() ? "" : " " + unit);
    const auto characters =
        static_cast<std::size_t>(std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xC0) != 0x80; }));  // UTF-8
    if (characters < kHelpColumn)
        line.append(kHelpColumn - characters, ' ');
    else
        line += "\n" + std::string(kHelpColumn, ' ');
    return line + " " + help + (initial.empty() ? "" : " [" + initial + "]") + "\n";
}

}  // namespace

std::string Options::help() const {
    const State& s = *state_;
    std::string text =
        s.summary + "\n\nUsage: " + s.program + " [options]" + (s.positional != nullptr ? " " + s.positional_help : "") + "\n";
    std::string section = "\n";  // no section's name
    const auto head = [&](const std::string& next) {
        if (next == section) return;
        section = next;
        text += section.empty()  ? "\nGeneral\n"
                : s.own(section) ? "\nOptions [" + section + "]\n"
                                 : "\nSection [" + section + "]\n";
    };
    for (const OptionEntry& entry : s.entries) {
        if (!entry.withdrawn.empty()) continue;
        head(entry.section);
        text += help_line(s.own(section) ? entry.name : entry.full(), entry.unit, entry.help, entry.initial);
    }
    for (const OptionPrefix& prefix : s.prefixes) {
        head(prefix.section);
        text += help_line((s.own(section) ? prefix.prefix : prefix.full()) + "NAME", prefix.unit, prefix.help, "");
    }
    return text +
           "\nThe values in brackets are the defaults. Lists are comma-separated. In a configuration file a name stands under "
           "its [section].\n";
}

}  // namespace xlrm
