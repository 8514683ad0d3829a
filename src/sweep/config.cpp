#include "xlrm/sweep/config.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include "xlrm/core/error.hpp"
#include "xlrm/core/language.hpp"

namespace xlrm {

namespace {

std::vector<std::string> split_text(const std::string& text, char separator) {
    std::vector<std::string> parts;
    std::size_t begin = 0;
    while (begin <= text.size()) {
        const std::size_t end = std::min(text.find(separator, begin), text.size());
        parts.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

//! "name=rest" → {name, rest}; without "=" → {"", text}.
std::pair<std::string, std::string> named(const std::string& text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos) return {"", text};
    return {text.substr(0, equals), text.substr(equals + 1)};
}

void require_name(const std::string& option, const std::string& name) {
    const bool good = !name.empty() && name.size() <= 128 && name[0] != '.' &&
                      std::all_of(name.begin(), name.end(), [](char c) {
                          return std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
                      });
    if (!good) {
        fail(option + ": \"" + name + "\" cannot name a folder (allowed: letters, digits, . _ -, not beginning with a dot); write name=value",
             ExitCode::usage);
    }
}

template <class List, class Name>
void require_distinct(const std::string& option, const List& list, Name name) {
    std::set<std::string> seen;
    for (const auto& entry : list) {
        require_name(option, name(entry));
        if (!seen.insert(name(entry)).second) fail(option + ": \"" + name(entry) + "\" is given twice", ExitCode::usage);
    }
    if (list.empty()) fail(option + ": nothing is given, so there is nothing to do", ExitCode::usage);
}

}  // namespace

bool SweepConfig::makes_base() const { return !tokenizer_data.empty() || !world.empty(); }

std::vector<Base> SweepConfig::base_list() const {
    std::vector<Base> list;
    for (const std::string& text : bases) {
        auto [name, folder] = named(text);
        if (!name.empty()) {
            list.push_back({name, data_path(folder)});
        } else if (makes_base() && text.find('/') == std::string::npos) {
            list.push_back({text, {}});
        } else {
            std::filesystem::path path = data_path(folder);
            list.push_back({path.filename().empty() ? path.parent_path().filename().string() : path.filename().string(), path});
        }
    }
    return list;
}

std::vector<Source> SweepConfig::source_list() const {
    std::vector<Source> list;
    for (const std::string& text : sources.empty() ? langs : sources) {
        auto [name, rest] = named(text);
        Source source;
        for (const std::string& lang : split_text(rest, '+')) source.langs.push_back(canonical_language(lang));
        if (name.empty()) {
            for (const std::string& lang : source.langs) name += (name.empty() ? "" : "-") + lang;
        }
        source.name = name;
        list.push_back(std::move(source));
    }
    return list;
}

std::vector<std::string> SweepConfig::target_list() const {
    std::vector<std::string> list;
    for (const std::string& lang : targets.empty() ? langs : targets) list.push_back(canonical_language(lang));
    return list;
}

std::vector<std::int64_t> SweepConfig::seed_list() const {
    std::vector<std::int64_t> list;
    for (const std::string& text : seeds) {
        std::int64_t seed = 0;
        const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), seed);
        if (status != std::errc() || end != text.data() + text.size() || seed < 0) {
            fail("--seeds: \"" + text + "\" is not a number of 0 or more", ExitCode::usage);
        }
        list.push_back(seed);
    }
    return list;
}

std::filesystem::path SweepConfig::data_path(const std::string& file) const {
    const std::filesystem::path path(file);
    return path.is_absolute() || data_root == "." ? path : std::filesystem::path(data_root) / path;
}

std::vector<std::filesystem::path> SweepConfig::data_paths(const std::vector<std::string>& files) const {
    std::vector<std::filesystem::path> paths;
    for (const std::string& file : files) paths.push_back(data_path(file));
    return paths;
}

void SweepConfig::check() const {
    require_distinct("--bases", base_list(), [](const Base& b) { return b.name; });
    require_distinct("--sources", source_list(), [](const Source& s) { return s.name; });
    require_distinct("--targets", target_list(), [](const std::string& t) { return t; });
    require_distinct("--seeds", seed_list(), [](std::int64_t s) { return std::to_string(s); });
    for (const auto& [name, files] : benchmarks) require_name("[data] eval." + name, name);
    if (world.empty() && train_files.empty()) fail("[data] train: no training rows are given", ExitCode::usage);
    if (world.empty() && benchmarks.empty()) {
        fail("[data] eval.<benchmark>: no rows to evaluate on are given (write for example eval.dev = dev.jsonl)", ExitCode::usage);
    }
    if (ranks_per_cell < 1) fail("--ranks-per-cell: must be 1 or more", ExitCode::usage);
    if (pretrain_ranks < 0) fail("--pretrain-ranks: must be 0 or more", ExitCode::usage);
    if (!world.empty() && world != "full" && world != "smoke") fail("[data] world: full or smoke, not \"" + world + "\"", ExitCode::usage);
    for (const Base& base : base_list()) {
        if (base.folder.empty() && world.empty() && pretrain.data.empty()) {
            fail("--bases: \"" + base.name + "\" is to be made here, but [pretrain] data names no text", ExitCode::usage);
        }
    }
}

void complete(SweepConfig& config, const Options& options) {
    if (config.smoke) config.world = "smoke";
    if (!config.output.empty()) return;
    const std::string name = std::filesystem::path(options.config_path()).stem().string();
    config.output = "xlrm-out/" + (name.empty() ? std::string(config.smoke ? "smoke" : "quickstart") : name);
}

void describe(Options& options, SweepConfig& c) {
    options.section("sweep")
        .add("bases", &c.bases, "NAME=DIR,…", "base models; a name without DIR is the one that [pretrain] makes")
        .add("sources", &c.sources, "LANG,…", "languages trained on; name=en+es trains on several together; default: [data] langs")
        .add("targets", &c.targets, "LANG,…", "languages evaluated; default: [data] langs")
        .add("seeds", &c.seeds, "N,…", "one model for each base, source and seed")
        .add("ranks-per-cell", &c.ranks_per_cell, "RANKS", "ranks that work on one cell together")
        .add("pretrain-ranks", &c.pretrain_ranks, "RANKS", "ranks that make the base together; 0: as ranks-per-cell")
        .add("output", &c.output, "DIR", "sweep folder; default xlrm-out/<configuration's name>")
        .add("smoke", &c.smoke, "the embedded world at a size of seconds, to test an installation");
    options.section("data")
        .add("root", &c.data_root, "DIR", "relative paths of the configuration are taken from here")
        .add("world", &c.world, "full|smoke", "data of the synthetic quickstart world instead of files")
        .add("world-seed", &c.world_seed, "N", "seed of that world")
        .add("train", &c.train_files, "FILE,…", "preference rows to train on")
        .add("langs", &c.langs, "LANG,…", "languages of the grid")
        .add("split", &c.split, "train=SHARE,test=SHARE", "divide rows by a hash of their id: training takes part train, evaluation test")
        .add_prefix("eval.", [&c](const std::string& name, const std::string& value) { c.benchmarks[name] = split_text(value, ','); },
                    "FILE,…", "eval.<benchmark>: preference rows to evaluate on");
    options.section("tokenizer")
        .add("data", &c.tokenizer_data, "FILE,…", "{text} rows to train a unigram sentencepiece model on, for a base made here")
        .add("langs", &c.tokenizer_langs, "LANG,…", "languages of those rows that are used; default: all")
        .add("vocab-size", &c.vocab_size, "PIECES", "its size");
    options.section("model")
        .add_choice("family", &c.shape.family, {"llama", "qwen2"}, "family of a base made here")
        .add("hidden", &c.shape.hidden, "N", "width of the residual stream")
        .add("layers", &c.shape.layers, "N", "blocks")
        .add("heads", &c.shape.heads, "N", "attention heads")
        .add("kv-heads", &c.shape.kv_heads, "N", "key and value heads")
        .add("intermediate", &c.shape.intermediate, "N", "width of the gated MLP")
        .add("max-positions", &c.shape.max_positions, "TOKENS", "longest text");
    c.pretrain.objective = "lm";
    options.section("pretrain");
    describe(options, c.pretrain);
    options.section("train");
    describe(options, c.train);
    options.section("evaluate");
    describe(options, c.evaluate);
}

}  // namespace xlrm
