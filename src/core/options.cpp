#include "xlrm/core/options.hpp"

#include <algorithm>
#include <cassert>
#include <limits>

#include "option_text.hpp"
#include "options_state.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/lists.hpp"

namespace xlrm {

Options::Options(std::string program, std::string summary) : state_(std::make_unique<State>()) {
    state_->program = std::move(program);
    state_->summary = std::move(summary);
    add("help", &state_->help, "show this text");
    add("version", &state_->version, "show version, commit and build");
    add("config", &state_->config, "FILE", "configuration ([section] and name = value lines); the command line wins");
    add("dry-run", &state_->dry_run, "check everything, print what would be done, write nothing");
    add_choice("log-level", &state_->log_level, {"error", "warning", "info", "debug"}, "what is told on standard error");
    add("status-file", &state_->status_file, "FILE", "where the exit code is written (under a launcher ranks exit with 0)");
}

Options::~Options() = default;
Options::Options(Options&&) noexcept = default;
Options& Options::operator=(Options&&) noexcept = default;

Options& Options::section(const std::string& name) {
    state_->current = name;
    if (state_->own_section.empty()) state_->own_section = name;
    return *this;
}

Options& Options::push(const std::string& name, const std::string& unit, const std::string& help,
                       std::function<void(const std::string&)> set, std::function<std::string()> show) {
    OptionEntry entry{state_->current, name, unit, help, std::move(set), std::move(show)};
    entry.initial = entry.show();
    state_->entries.push_back(std::move(entry));
    return *this;
}

Options& Options::add(const std::string& name, std::string* target, const std::string& unit, const std::string& help) {
    return push(
        name, unit, help, [target](const std::string& text) { *target = text; }, [target] { return *target; });
}

Options& Options::add(const std::string& name, std::int64_t* target, const std::string& unit, const std::string& help) {
    using Limits = std::numeric_limits<std::int64_t>;
    return push(
        name, unit, help, [target](const std::string& text) { *target = parse_integer(text, Limits::min(), Limits::max()); },
        [target] { return std::to_string(*target); });
}

Options& Options::add(const std::string& name, int* target, const std::string& unit, const std::string& help) {
    using Limits = std::numeric_limits<int>;
    return push(
        name, unit, help,
        [target](const std::string& text) { *target = static_cast<int>(parse_integer(text, Limits::min(), Limits::max())); },
        [target] { return std::to_string(*target); });
}

Options& Options::add(const std::string& name, double* target, const std::string& unit, const std::string& help) {
    return push(
        name, unit, help, [target](const std::string& text) { *target = parse_real(text); },
        [target] { return show_real(*target); });
}

Options& Options::add(const std::string& name, bool* target, const std::string& help) {
    push(
        name, "", help, [target](const std::string& text) { *target = parse_flag(text); },
        [target] { return std::string(*target ? "yes" : "no"); });
    state_->entries.back().flag = true;
    return *this;
}

Options& Options::add(const std::string& name, std::vector<std::string>* target, const std::string& unit,
                      const std::string& help) {
    return push(
        name, unit, help, [target](const std::string& text) { *target = split_list(text); },
        [target] { return show_list(*target); });
}

Options& Options::add(const std::string& name, std::function<void(const std::string&)> set, std::function<std::string()> show,
                      const std::string& unit, const std::string& help) {
    return push(name, unit, help, std::move(set), std::move(show));
}

Options& Options::check(std::function<void()> holds) {
    state_->checks.push_back(std::move(holds));
    return *this;
}

Options& Options::add_choice(const std::string& name, std::string* target, const std::vector<std::string>& choices,
                             const std::string& help) {
    std::string unit;
    for (const std::string& choice : choices) unit += (unit.empty() ? "" : "|") + choice;
    const auto set = [target, choices, unit](const std::string& text) {
        if (std::find(choices.begin(), choices.end(), text) == choices.end()) {
            const std::string near = nearest_name(text, choices);
            fail("\"" + text + "\" is not one of " + unit + (near.empty() ? "" : "; did you mean " + near + "?"),
                 ExitCode::usage);
        }
        *target = text;
    };
    return push(name, unit, help, set, [target] { return *target; });
}

Options& Options::add_prefix(const std::string& prefix, std::function<void(const std::string&, const std::string&)> set,
                             const std::string& unit, const std::string& help) {
    state_->prefixes.push_back({state_->current, prefix, unit, help, std::move(set)});
    return *this;
}

Options& Options::positional(std::vector<std::string>* target, const std::string& help) {
    state_->positional = target;
    state_->positional_help = help;
    return *this;
}

Options& Options::embedded_config(const std::string& name, const std::string& text) {
    state_->embedded_name = name;
    state_->embedded_text = text;
    return *this;
}

Options& Options::withdraw(const std::string& name, const std::string& instead) {
    OptionEntry* const entry = state_->find(state_->current.empty() ? name : state_->current + "." + name);
    assert(entry != nullptr);
    entry->withdrawn = instead;
    return *this;
}

bool Options::help_asked() const { return state_->help; }
bool Options::version_asked() const { return state_->version; }
bool Options::dry_run() const { return state_->dry_run; }
std::string Options::config_path() const { return state_->config; }
std::string Options::status_file() const { return state_->status_file; }
std::string Options::log_level() const { return state_->log_level; }
const std::string& Options::program() const { return state_->program; }

bool Options::given(const std::string& full_name) const {
    const OptionEntry* entry = state_->find(full_name);
    return entry != nullptr && entry->given;
}

Json Options::effective() const {
    Json json = Json::object();
    for (const OptionEntry& entry : state_->entries) {
        if (!entry.section.empty() && entry.withdrawn.empty()) json[entry.full()] = entry.show();
    }
    for (const OptionPrefix& prefix : state_->prefixes) {
        for (const auto& [suffix, value] : prefix.values) json[prefix.full() + suffix] = value.text;
    }
    return json;
}

}  // namespace xlrm
