#include <algorithm>
#include <boost/program_options/errors.hpp>
#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>
#include <boost/program_options/value_semantic.hpp>
#include <set>

#include "ini_file.hpp"
#include "option_text.hpp"
#include "options_state.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/utf8.hpp"

namespace xlrm {

namespace po = boost::program_options;

OptionEntry* Options::State::find(const std::string& name) {
    for (OptionEntry& entry : entries) {
        if (entry.full() == name || (own(entry.section) && entry.name == name)) return &entry;
    }
    return nullptr;
}

OptionPrefix* Options::State::find_prefix(const std::string& name, std::string* suffix) {
    for (OptionPrefix& prefix : prefixes) {
        for (const std::string& begin : {prefix.full(), own(prefix.section) ? prefix.prefix : prefix.full()}) {
            if (name.size() <= begin.size() || name.compare(0, begin.size(), begin) != 0) continue;
            *suffix = name.substr(begin.size());
            return &prefix;
        }
    }
    return nullptr;
}

std::vector<std::string> Options::State::names() const {
    std::vector<std::string> names;
    for (const OptionEntry& entry : entries) {
        if (!entry.withdrawn.empty()) continue;
        names.push_back(entry.full());
        if (own(entry.section) && !entry.section.empty()) names.push_back(entry.name);
    }
    return names;
}

void Options::State::unknown(const std::string& where, const std::string& shown, const std::string& name,
                             const std::string& dashes) const {
    const std::string near = nearest_name(name, names());
    fail(where + "unknown option " + shown +
             (near.empty() ? "; " + program + " --help lists all" : "; did you mean " + dashes + near + "?"),
         ExitCode::usage);
}

void Options::State::assign(const std::string& name, const std::string& value, const std::string& where,
                            const std::string& dashes) {
    require(is_valid_utf8(name + value),
            where + dashes + replace_invalid_utf8(name) + ": its value \"" + replace_invalid_utf8(value) +
                "\" is not UTF-8 text (results record their options as such); rename what it names",
            ExitCode::usage);
    std::string suffix;
    OptionEntry* const entry = find(name);
    OptionPrefix* const prefix = entry == nullptr ? find_prefix(name, &suffix) : nullptr;
    if (entry == nullptr && prefix == nullptr) unknown(where, dashes + name, name, dashes);
    if (prefix != nullptr) {
        prefix->values[suffix] = {value, where + dashes + name};
        return;
    }
    if (!entry->withdrawn.empty()) {
        fail(where + dashes + name + " is not an option of " + program + ": " + entry->withdrawn, ExitCode::usage);
    }
    try {
        entry->set(value);
    } catch (const Error& error) {
        fail(where + dashes + name + ": " + error.what(), ExitCode::usage);
    }
    entry->given = true;
}

void Options::State::read_config(const std::string& text, const std::string& file) {
    std::set<std::string> seen;
    for (const IniLine& line : parse_ini(text, file)) {
        const std::string where = file + ":" + std::to_string(line.number) + ": ";
        const std::string name = line.section.empty() ? line.name : line.section + "." + line.name;
        if (name == "config" || name == "help" || name == "version") {
            fail(where + "\"" + name + "\" belongs on the command line", ExitCode::usage);
        }
        const OptionEntry* const entry = find(name);  // `lr` and `[train] lr` are the same name
        if (entry != nullptr && !seen.insert(entry->full()).second)
            fail(where + "\"" + line.name + "\" is given twice", ExitCode::usage);
        assign(name, line.value, where, "");
    }
}

void Options::State::set_prefixes() const {
    for (const OptionPrefix& prefix : prefixes) {
        for (const auto& [suffix, value] : prefix.values) {
            try {
                prefix.set(suffix, value.text);
            } catch (const Error& error) {
                fail(value.where + ": " + error.what(), ExitCode::usage);
            }
        }
    }
}

namespace {

struct Arguments {
    std::vector<std::pair<std::string, std::string>> options;
    std::vector<std::string> words;
};

//! "--name" of an argument without its dashes and value; empty for a word.
std::string argument_name(const std::string& argument) {
    return argument.rfind("--", 0) == 0 ? argument.substr(2, argument.find('=') - 2) : "";
}

std::string without_dashes(const std::string& text) { return text.substr(std::min(text.find_first_not_of('-'), text.size())); }

//! The arguments as Boost reads them rightly: a flag's value made explicit, so that the word behind it stays a word (`--smoke
//! status OUT`); an empty value (`--langs=`) as an argument of its own; the name of another option refused as a value.
std::vector<std::string> prepare_arguments(int argc, const char* const* argv,
                                           const std::function<const OptionEntry*(const std::string&)>& find) {
    std::vector<std::string> prepared;
    for (int i = 1; i < argc; ++i) {
        std::string argument = argv[i];
        const std::string next = i + 1 < argc ? argv[i + 1] : "";
        const bool alone = argument.find('=') == std::string::npos;
        const OptionEntry* const entry = find(argument_name(argument));
        if (entry != nullptr && entry->flag && alone && !is_flag_value(next))
            argument += "=yes";
        else if (entry != nullptr && alone && find(argument_name(next)) != nullptr)
            fail(argument + " needs a value", ExitCode::usage);
        const bool empty_value = entry != nullptr && argument.back() == '=' && argument.find('=') + 1 == argument.size();
        prepared.push_back(empty_value ? argument.substr(0, argument.size() - 1) : argument);
        if (empty_value) prepared.emplace_back();
    }
    return prepared;
}

//! Boost's parser with guessing off: `--sweep.sour` is not `--sweep.sources`. Throws Boost's errors.
Arguments split_arguments(const std::vector<std::string>& arguments, const po::options_description& known) {
    using Style = po::command_line_style::style_t;
    const auto parsed = po::command_line_parser(arguments)
                            .options(known)
                            .style(Style::allow_long | Style::long_allow_next | Style::long_allow_adjacent)
                            .run();
    Arguments result;
    for (const po::option& option : parsed.options) {
        if (option.string_key.empty())
            result.words.insert(result.words.end(), option.value.begin(), option.value.end());
        else
            result.options.emplace_back(option.string_key, option.value.empty() ? "" : option.value[0]);
    }
    return result;
}

}  // namespace

void Options::parse(int argc, const char* const* argv) {
    State& s = *state_;
    const std::vector<std::string> arguments =
        prepare_arguments(argc, argv, [&s](const std::string& name) { return s.find(name); });
    std::vector<std::string> names = s.names();
    std::string suffix;
    for (const std::string& argument : arguments) {
        const std::string name = argument_name(argument);
        if (s.find_prefix(name, &suffix) != nullptr && std::find(names.begin(), names.end(), name) == names.end())
            names.push_back(name);
    }
    po::options_description known;
    for (const OptionEntry& entry : s.entries) {
        if (entry.withdrawn.empty()) continue;
        names.push_back(entry.full());  // known to the parser, refused by assign
        if (s.own(entry.section)) names.push_back(entry.name);
    }
    for (const std::string& name : names) known.add_options()(name.c_str(), po::value<std::string>());
    Arguments given;
    try {
        given = split_arguments(arguments, known);
    } catch (const po::unknown_option& error) {
        const std::string bare = without_dashes(error.get_option_name());
        s.unknown("", "--" + bare, bare, "--");
    } catch (const po::error& error) {
        fail("command line: " + std::string(error.what()), ExitCode::usage);
    }
    for (const std::string& word : given.words) {
        if (word.size() > 1 && word[0] == '-') s.unknown("", word, without_dashes(word), "--");
    }
    for (const auto& [name, value] : given.options) {
        if (name == "config") s.config = value;
    }
    if (!s.config.empty())
        s.read_config(read_file(s.config), s.config);
    else if (!s.embedded_text.empty())
        s.read_config(s.embedded_text, s.embedded_name);
    for (const auto& [name, value] : given.options) s.assign(name, value, "", "--");
    s.set_prefixes();
    if (!given.words.empty() && s.positional == nullptr) {
        fail("command line: \"" + given.words[0] + "\" is not an option; options begin with --", ExitCode::usage);
    }
    if (s.positional != nullptr) *s.positional = given.words;
    if (s.help || s.version) return;
    for (const auto& holds : s.checks) holds();
}

}  // namespace xlrm
