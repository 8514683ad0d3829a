#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "xlrm/core/options.hpp"

namespace xlrm {

//! One option: how to show it, how to set it.
struct OptionEntry {
    std::string section, name, unit, help;
    std::function<void(const std::string&)> set;
    std::function<std::string()> show;
    std::string initial = "";  //!< default as text
    bool flag = false;
    bool given = false;
    std::string withdrawn = "";  //!< what to give instead, for an option that the program does not use

    std::string full() const { return section.empty() ? name : section + "." + name; }
};

//! A family of names with a common beginning.
struct OptionPrefix {
    struct Value {
        std::string text, where;
    };
    std::string section, prefix, unit, help;
    std::function<void(const std::string&, const std::string&)> set;
    std::map<std::string, Value> values = {};  //!< by suffix; handed to `set` once each, when all is read

    std::string full() const { return section.empty() ? prefix : section + "." + prefix; }
};

struct Options::State {
    std::string program, summary, own_section, current;
    std::vector<OptionEntry> entries;
    std::vector<OptionPrefix> prefixes;
    std::vector<std::function<void()>> checks;
    std::vector<std::string>* positional = nullptr;
    std::string positional_help, embedded_name, embedded_text;
    bool help = false, version = false, dry_run = false;
    std::string config, status_file, log_level = "info";

    //! Whether an option of `section` may be written without it.
    bool own(const std::string& section) const { return section == own_section; }
    OptionEntry* find(const std::string& name);
    OptionPrefix* find_prefix(const std::string& name, std::string* suffix);
    std::vector<std::string> names() const;
    [[noreturn]] void unknown(const std::string& where, const std::string& shown, const std::string& name,
                              const std::string& dashes) const;
    //! `where` ("sweep.cfg:4: " or "") and `dashes` ("--" or "") are for messages.
    void assign(const std::string& name, const std::string& value, const std::string& where, const std::string& dashes);
    void read_config(const std::string& text, const std::string& file);
    void set_prefixes() const;
};

}  // namespace xlrm
