#include "xlrm/core/options.hpp"

#include <algorithm>
#include <boost/program_options/errors.hpp>
#include <boost/program_options/parsers.hpp>
#include <boost/program_options/value_semantic.hpp>
#include <charconv>
#include <cmath>
#include <map>
#include <sstream>

#include "ini_file.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"

namespace xlrm {

namespace po = boost::program_options;

namespace {

std::vector<std::string> split_list(const std::string& text) {
    std::vector<std::string> parts;
    std::size_t begin = 0;
    while (!text.empty() && begin <= text.size()) {
        const std::size_t end = std::min(text.find(',', begin), text.size());
        const std::size_t first = std::min(text.find_first_not_of(" \t", begin), end);
        const std::size_t last = text.find_last_not_of(" \t", end == 0 ? 0 : end - 1);
        parts.push_back(first == end ? "" : text.substr(first, last + 1 - first));
        begin = end + 1;
    }
    return parts;
}

std::string join(const std::vector<std::string>& parts) {
    std::string text;
    for (const std::string& part : parts) text += (text.empty() ? "" : ",") + part;
    return text;
}

template <class Number>
Number parse_number(const std::string& text, const char* kind) {
    Number value{};
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (status != std::errc() || end != text.data() + text.size() || text.empty()) {
        fail("\"" + text + "\" is not " + kind, ExitCode::usage);
    }
    return value;
}

std::string number_text(double value) {
    char text[32];
    const auto result = std::to_chars(text, text + sizeof text, value);
    return {text, result.ptr};
}

bool parse_flag(const std::string& text) {
    if (text == "yes" || text == "true" || text == "1" || text == "on") return true;
    if (text == "no" || text == "false" || text == "0" || text == "off") return false;
    fail("\"" + text + "\" is not yes or no", ExitCode::usage);
}

std::size_t edit_distance(const std::string& a, const std::string& b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t above = row[j];
            row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
            diagonal = above;
        }
    }
    return row[b.size()];
}

}  // namespace

std::string nearest_name(const std::string& name, const std::vector<std::string>& known) {
    std::string best;
    std::size_t best_distance = std::max<std::size_t>(name.size() / 3, 1) + 1;
    for (const std::string& candidate : known) {
        const std::size_t distance = edit_distance(name, candidate);
        if (distance < best_distance) {
            best = candidate;
            best_distance = distance;
        }
    }
    return best;
}

//! One option: how to show it, how to set it.
struct Entry {
    std::string section, name, unit, help;
    std::function<void(const std::string&)> set;
    std::function<std::string()> show;
    std::string initial;  //!< default as text
    bool flag = false;
    bool given = false;

    std::string full() const { return section.empty() ? name : section + "." + name; }
};

struct Prefix {
    std::string section, prefix, unit, help;
    std::function<void(const std::string&, const std::string&)> set;
    std::map<std::string, std::string> values;
};

struct Options::State {
    std::string program, summary, own_section, current;
    std::vector<Entry> entries;
    std::vector<Prefix> prefixes;
    std::vector<std::string>* positional = nullptr;
    std::string positional_help, embedded_name, embedded_text;
    bool help = false, version = false, dry_run = false;
    std::string config, status_file, log_level = "info";

    Entry* find(const std::string& name) {
        for (Entry& entry : entries) {
            if (entry.full() == name || (entry.section == own_section && entry.name == name)) return &entry;
        }
        return nullptr;
    }

    //! Prefix option that `name` belongs to.
    Prefix* find_prefix(const std::string& name) {
        for (Prefix& prefix : prefixes) {
            const std::string full = prefix.section + "." + prefix.prefix;
            if (name.size() > full.size() && name.compare(0, full.size(), full) == 0) return &prefix;
        }
        return nullptr;
    }

    std::vector<std::string> names() const {
        std::vector<std::string> names;
        for (const Entry& entry : entries) {
            names.push_back(entry.full());
            if (entry.section == own_section && !own_section.empty()) names.push_back(entry.name);
        }
        return names;
    }

    //! Names of prefix options (`data.eval.xnli`) on the command line: they must be registered before parsing.
    std::vector<std::string> prefixed_arguments(int argc, const char* const* argv) {
        std::vector<std::string> names;
        for (int i = 1; i < argc; ++i) {
            const std::string argument = argv[i];
            if (argument.rfind("--", 0) != 0) continue;
            const std::string name = argument.substr(2, argument.find('=') - 2);
            if (find_prefix(name) != nullptr && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
        }
        return names;
    }

    [[noreturn]] void unknown(const std::string& where, const std::string& name, const std::string& dashes) const {
        const std::string near = nearest_name(name, names());
        fail(where + "unknown option " + dashes + name + (near.empty() ? "; " + program + " --help lists all" : "; did you mean " + dashes + near + "?"),
             ExitCode::usage);
    }

    void assign(const std::string& name, const std::string& value, const std::string& where, const std::string& dashes) {
        try {
            if (Entry* entry = find(name)) {
                entry->set(value);
                entry->given = true;
            } else if (Prefix* prefix = find_prefix(name)) {
                const std::string suffix = name.substr(prefix->section.size() + 1 + prefix->prefix.size());
                prefix->set(suffix, value);
                prefix->values[suffix] = value;
            } else {
                unknown(where, name, dashes);
            }
        } catch (const Error& error) {
            if (std::string(error.what()).find("unknown option") != std::string::npos) throw;
            fail(where + dashes + name + ": " + error.what(), ExitCode::usage);
        }
    }

    void read_config(const std::string& text, const std::string& file) {
        for (const IniLine& line : parse_ini(text, file)) {
            const std::string where = file + ":" + std::to_string(line.number) + ": ";
            const std::string name = line.section.empty() ? line.name : line.section + "." + line.name;
            assign(name, line.value, where, "");
        }
    }

    Options& push(Options& self, Entry entry) {
        entry.section = current;
        entry.initial = entry.show();
        entries.push_back(std::move(entry));
        return self;
    }
};

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

Options& Options::add(const std::string& name, std::string* target, const std::string& unit, const std::string& help) {
    return state_->push(*this, {"", name, unit, help, [target](const std::string& text) { *target = text; }, [target] { return *target; }, ""});
}

Options& Options::add(const std::string& name, std::int64_t* target, const std::string& unit, const std::string& help) {
    return state_->push(*this, {"", name, unit, help,
                                [target](const std::string& text) { *target = parse_number<std::int64_t>(text, "a whole number"); },
                                [target] { return std::to_string(*target); }, ""});
}

Options& Options::add(const std::string& name, int* target, const std::string& unit, const std::string& help) {
    return state_->push(*this, {"", name, unit, help, [target](const std::string& text) { *target = parse_number<int>(text, "a whole number"); },
                                [target] { return std::to_string(*target); }, ""});
}

Options& Options::add(const std::string& name, double* target, const std::string& unit, const std::string& help) {
    return state_->push(*this, {"", name, unit, help,
                                [target](const std::string& text) {
                                    const double value = parse_number<double>(text, "a number");
                                    require(std::isfinite(value), "\"" + text + "\" is not a finite number", ExitCode::usage);
                                    *target = value;
                                },
                                [target] { return number_text(*target); }, ""});
}

Options& Options::add(const std::string& name, bool* target, const std::string& help) {
    Entry entry{"", name, "", help, [target](const std::string& text) { *target = parse_flag(text); },
                [target] { return std::string(*target ? "yes" : "no"); }, ""};
    entry.flag = true;
    return state_->push(*this, std::move(entry));
}

Options& Options::add(const std::string& name, std::vector<std::string>* target, const std::string& unit, const std::string& help) {
    return state_->push(*this, {"", name, unit, help, [target](const std::string& text) { *target = split_list(text); },
                                [target] { return join(*target); }, ""});
}

Options& Options::add_choice(const std::string& name, std::string* target, const std::vector<std::string>& choices, const std::string& help) {
    std::string unit;
    for (const std::string& choice : choices) unit += (unit.empty() ? "" : "|") + choice;
    const auto set = [target, choices, unit](const std::string& text) {
        if (std::find(choices.begin(), choices.end(), text) == choices.end()) {
            const std::string near = nearest_name(text, choices);
            fail("\"" + text + "\" is not one of " + unit + (near.empty() ? "" : "; did you mean " + near + "?"), ExitCode::usage);
        }
        *target = text;
    };
    return state_->push(*this, {"", name, unit, help, set, [target] { return *target; }, ""});
}

Options& Options::add_prefix(const std::string& prefix, std::function<void(const std::string&, const std::string&)> set, const std::string& unit,
                             const std::string& help) {
    state_->prefixes.push_back({state_->current, prefix, unit, help, std::move(set), {}});
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

void Options::parse(int argc, const char* const* argv) {
    po::options_description description;
    for (const Entry& entry : state_->entries) {
        po::typed_value<std::string>* value = po::value<std::string>();
        if (entry.flag) value->implicit_value("yes", "");
        description.add_options()(entry.full().c_str(), value);
        if (entry.section == state_->own_section && !entry.section.empty()) {
            po::typed_value<std::string>* again = po::value<std::string>();
            if (entry.flag) again->implicit_value("yes", "");
            description.add_options()(entry.name.c_str(), again);
        }
    }
    for (const std::string& name : state_->prefixed_arguments(argc, argv)) description.add_options()(name.c_str(), po::value<std::string>());
    std::vector<std::pair<std::string, std::string>> given;
    std::vector<std::string> words;
    try {
        using Style = po::command_line_style::style_t;  // no guessing: --sweep.sour is not --sweep.sources
        const auto parsed = po::command_line_parser(argc, argv).options(description)
                                .style(Style::allow_long | Style::long_allow_next | Style::long_allow_adjacent).positional({}).run();
        for (const po::option& option : parsed.options) {
            if (option.string_key.empty()) words.insert(words.end(), option.value.begin(), option.value.end());
            else given.emplace_back(option.string_key, option.value.empty() ? "yes" : option.value[0]);
        }
    } catch (const po::unknown_option& error) {
        const std::string name = error.get_option_name();
        state_->unknown("", name.substr(std::min(name.find_first_not_of('-'), name.size())), "--");
    } catch (const po::error& error) {
        fail("command line: " + std::string(error.what()), ExitCode::usage);
    }
    for (const std::string& word : words) {
        if (word.size() > 1 && word[0] == '-') state_->unknown("", word.substr(1), "-");
    }
    for (const auto& [name, value] : given) {
        if (name == "config") state_->config = value;
    }
    if (!state_->config.empty()) state_->read_config(read_file(state_->config), state_->config);
    else if (!state_->embedded_text.empty()) state_->read_config(state_->embedded_text, state_->embedded_name);
    for (const auto& [name, value] : given) state_->assign(name, value, "", "--");
    if (!words.empty() && state_->positional == nullptr) {
        fail("command line: \"" + words[0] + "\" is not an option; options begin with --", ExitCode::usage);
    }
    if (state_->positional != nullptr) *state_->positional = words;
}

bool Options::help_asked() const { return state_->help; }
bool Options::version_asked() const { return state_->version; }
bool Options::dry_run() const { return state_->dry_run; }
std::string Options::config_path() const { return state_->config; }
std::string Options::status_file() const { return state_->status_file; }
std::string Options::log_level() const { return state_->log_level; }
const std::string& Options::program() const { return state_->program; }

std::string Options::help() const {
    std::ostringstream out;
    out << state_->summary << "\n\nUsage: " << state_->program << " [options]"
        << (state_->positional != nullptr ? " " + state_->positional_help : "") << "\n";
    const auto show = [&](const std::string& name, const std::string& unit, const std::string& help, const std::string& initial) {
        std::string left = "  --" + name + (unit.empty() ? "" : " " + unit);
        if (left.size() < 34) left.resize(34, ' ');
        else left += "\n" + std::string(34, ' ');
        out << left << " " << help << (initial.empty() ? "" : " [" + initial + "]") << "\n";
    };
    std::string section = "\n";  // no section's name
    for (const Entry& entry : state_->entries) {
        if (entry.section != section) {
            section = entry.section;
            out << "\n" << (section.empty() ? "General" : section == state_->own_section ? "Options [" + section + "]" : "Section [" + section + "]") << "\n";
        }
        show(section == state_->own_section ? entry.name : entry.full(), entry.unit, entry.help, entry.initial);
    }
    for (const Prefix& prefix : state_->prefixes) show(prefix.section + "." + prefix.prefix + "NAME", prefix.unit, prefix.help, "");
    out << "\nThe values in brackets are the defaults. Lists are comma-separated. In a configuration file a name stands under its [section].\n";
    return out.str();
}

bool Options::given(const std::string& full_name) const {
    const Entry* entry = state_->find(full_name);
    return entry != nullptr && entry->given;
}

Json Options::effective() const {
    Json json = Json::object();
    for (const Entry& entry : state_->entries) {
        if (!entry.section.empty()) json[entry.full()] = entry.show();
    }
    for (const Prefix& prefix : state_->prefixes) {
        for (const auto& [suffix, value] : prefix.values) json[prefix.section + "." + prefix.prefix + suffix] = value;
    }
    return json;
}

}  // namespace xlrm
