#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "xlrm/core/json.hpp"

namespace xlrm {

//! The options of one program: name, default and help in one place, over Boost.Program_options.
//!
//!     Options options("xlrm_evaluate", "Scores and activations of one model on one data set.");
//!     options.section("evaluate")                                    // `--lr` and `--evaluate.lr` mean the same
//!            .add("data", &o.data, "FILE,…", "preference rows: .jsonl, .jsonl.gz, .h5")
//!            .add("token-budget", &o.token_budget, "TOKENS", "tokens a micro-batch");
//!
//! The initial value of the target is the default and is shown by --help. Every program also has --help, --version,
//! --config FILE, --dry-run, --log-level, --status-file FILE.
//! A configuration file has `[section]` lines, `name = value`, and comments that begin with # at the start of a line (a #
//! inside a value belongs to it). The command line wins over the file. Unknown names, a value that does not parse, a
//! name given twice in the file: Error(usage) naming file and line or the argument, and the nearest known name.
//! Abbreviations are not accepted. Integers are signed.
class Options {
public:
    Options(std::string program, std::string summary);
    ~Options();
    Options(Options&&) noexcept;
    Options& operator=(Options&&) noexcept;

    //! Names added afterwards belong to this section. The first section given is the program's own.
    Options& section(const std::string& name);
    Options& add(const std::string& name, std::string* target, const std::string& unit, const std::string& help);
    Options& add(const std::string& name, std::int64_t* target, const std::string& unit, const std::string& help);
    Options& add(const std::string& name, int* target, const std::string& unit, const std::string& help);
    Options& add(const std::string& name, double* target, const std::string& unit, const std::string& help);
    //! A flag: `--name` or `--name yes|no`; another word behind it is not its value.
    Options& add(const std::string& name, bool* target, const std::string& help);
    //! Comma-separated list without empty entries; an empty text is the empty list.
    Options& add(const std::string& name, std::vector<std::string>* target, const std::string& unit, const std::string& help);
    //! One of `choices`; anything else is Error(usage) listing them.
    Options& add_choice(const std::string& name, std::string* target, const std::vector<std::string>& choices,
                        const std::string& help);
    //! A value of another type: `set` reads it, throwing Error(usage) for what it cannot be; `show` gives it back as text.
    Options& add(const std::string& name, std::function<void(const std::string&)> set, std::function<std::string()> show,
                 const std::string& unit, const std::string& help);
    //! Something that must hold before the program begins, and needs no more than options and environment. It runs at the end of
    //! parse(), unless --help or --version was asked for, and throws Error(usage).
    Options& check(std::function<void()> holds);
    //! Takes back an option of the current section that this program does not use: it is neither listed nor in effective(), and
    //! giving it is Error(usage) that says `instead`, what to write in its place.
    Options& withdraw(const std::string& name, const std::string& instead);
    //! Any name of the current section that begins with `prefix` (`eval.` in `[data] eval.xnli = …`); set(suffix, value)
    //! is called once for each suffix, after everything has been read.
    Options& add_prefix(const std::string& prefix, std::function<void(const std::string&, const std::string&)> set,
                        const std::string& unit, const std::string& help);
    //! Positional arguments, in order (`run`, `status OUT`).
    Options& positional(std::vector<std::string>* target, const std::string& help);
    //! A configuration text used when neither the command line nor --config names a file ("quickstart").
    Options& embedded_config(const std::string& name, const std::string& text);

    //! Parses; fills the targets: first the configuration (--config, or else the embedded one), then the arguments.
    //! Throws Error(usage); Error(io) where the file cannot be read.
    void parse(int argc, const char* const* argv);

    bool help_asked() const;
    bool version_asked() const;
    bool dry_run() const;
    std::string config_path() const;
    std::string status_file() const;
    std::string log_level() const;
    std::string help() const;
    const std::string& program() const;
    //! Whether the user gave this option (section.name), on the command line or in the file.
    bool given(const std::string& full_name) const;
    //! Every option with its effective value, for the provenance of outputs: {"train.lr": "1e-4", …}.
    Json effective() const;

private:
    struct State;
    Options& push(const std::string& name, const std::string& unit, const std::string& help,
                  std::function<void(const std::string&)> set, std::function<std::string()> show);
    std::unique_ptr<State> state_;
};

//! The known name that is nearest to `name` by edit distance (at most a third of its length away), or "".
std::string nearest_name(const std::string& name, const std::vector<std::string>& known);

}  // namespace xlrm
