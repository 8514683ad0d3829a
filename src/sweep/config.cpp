#include "xlrm/sweep/config.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include "xlrm/core/error.hpp"
#include "xlrm/core/language.hpp"
#include "xlrm/core/lists.hpp"
#include "xlrm/sweep/plan.hpp"

namespace xlrm {

namespace {

//! "name = rest" → {name, rest}; without "=" → {"", text}.
std::pair<std::string, std::string> named(const std::string& text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos) return {"", trimmed(text)};
    return {trimmed(text.substr(0, equals)), trimmed(text.substr(equals + 1))};
}

void require_name(const std::string& option, const std::string& name) {
    const bool good = !name.empty() && name.size() <= 128 && name[0] != '.' && std::all_of(name.begin(), name.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
    });
    if (!good) {
        fail(option + ": \"" + name +
                 "\" cannot name a folder (allowed: letters, digits, . _ -, not beginning with a dot); write name=value",
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

//! All names of languages that the grid has, sources and targets alike.
LanguageNames languages_of(const SweepConfig& config) {
    LanguageNames names;
    for (const auto* list : {&config.langs, &config.targets}) {
        for (const std::string& lang : *list) names.add(lang);
    }
    for (const std::string& text : config.sources) {
        for (const std::string& lang : split_list(named(text).second, '+')) names.add(lang);
    }
    return names;
}

void check_shape(const ModelShape& shape) {
    for (const std::int64_t size :
         {shape.hidden, shape.layers, shape.heads, shape.kv_heads, shape.intermediate, shape.max_positions}) {
        require(size > 0, "[model]: every size must be above 0", ExitCode::usage);
    }
    require(shape.hidden % shape.heads == 0, "[model] hidden must be a multiple of heads", ExitCode::usage);
    require(shape.heads % shape.kv_heads == 0, "[model] heads must be a multiple of kv-heads", ExitCode::usage);
}

//! Judges are among the models, and asked something.
void check_judges(const SweepConfig& config) {
    const std::vector<Base> models = config.model_list();
    for (const std::string& judge : config.judges) {
        if (std::ranges::none_of(models, [&](const Base& model) { return model.name == judge; }))
            fail("[judge] models: \"" + judge + "\" is none of [sweep] models; give its folder there (" + judge + "=DIR)",
                 ExitCode::usage);
    }
    require(config.judges.empty() || !config.judge.prompt.empty(),
            "[judge] prompt is not given; name the file that says what judges are asked (jobs/judges/pair.txt)", ExitCode::usage);
}

//! Names with dots can meet: base a.b with source c, and base a with source b.c.
void require_distinct_outputs(const Plan& plan) {
    for (const Base& model : plan.models) {
        for (const Base& base : plan.bases) {
            if (base.name == model.name)
                fail("--models: \"" + model.name + "\" is also the name of a base; rename it", ExitCode::usage);
        }
    }
    std::set<std::string> seen;
    std::set<std::string> models;  // that are trained here
    for (const TaskPointer& task : plan.tasks) {
        if (task->output() == "models/" + task->model()) models.insert(task->model());
        if (seen.insert(task->output()).second) continue;
        fail("two of the grid's results would both be " + task->output() +
                 " (names of bases, sources and benchmarks are joined by dots); rename one",
             ExitCode::usage);
    }
    for (const auto& [option, list] : {std::pair{"--bases", plan.bases}, {"--models", plan.models}}) {
        for (const Base& base : list) {
            if (!base.folder.empty() && models.contains(base.name))
                fail(std::string(option) + ": \"" + base.name + "\" is also the name of a model of the grid; rename it",
                     ExitCode::usage);
        }
    }
}

}  // namespace

bool SweepConfig::makes_base() const { return !tokenizer_data.empty() || !world.empty(); }

std::vector<Base> SweepConfig::base_list() const {
    std::vector<Base> list;
    for (const std::string& text : bases) {
        auto [name, folder] = named(text);
        if (!name.empty()) {
            list.push_back({name, data_path(folder)});
        } else if (makes_base() && folder.find('/') == std::string::npos) {
            list.push_back({folder, {}});
        } else {
            std::filesystem::path path = data_path(folder);
            list.push_back({path.filename().empty() ? path.parent_path().filename().string() : path.filename().string(), path});
        }
    }
    return list;
}

std::vector<Base> SweepConfig::model_list() const {
    std::vector<Base> list;
    for (const std::string& text : models) {
        auto [name, folder] = named(text);
        const std::filesystem::path path = data_path(folder);
        if (name.empty()) name = path.filename().empty() ? path.parent_path().filename().string() : path.filename().string();
        list.push_back({name, path});
    }
    return list;
}

bool SweepConfig::is_judge(const std::string& model) const { return std::ranges::find(judges, model) != judges.end(); }

std::vector<Source> SweepConfig::source_list() const {
    const LanguageNames names = languages_of(*this);
    std::vector<Source> list;
    for (const std::string& text : sources.empty() ? langs : sources) {
        auto [name, rest] = named(text);
        Source source;
        for (const std::string& lang : split_list(rest, '+')) source.langs.push_back(parse_language(lang).full());
        require(!source.langs.empty(), "--sources: \"" + text + "\" names no language; write name=en+es or a language",
                ExitCode::usage);
        if (name.empty()) {
            for (const std::string& lang : source.langs) name += (name.empty() ? "" : "-") + names.of(lang);
        }
        source.name = name;
        list.push_back(std::move(source));
    }
    return list;
}

std::vector<std::string> SweepConfig::target_list() const {
    const LanguageNames names = languages_of(*this);
    std::vector<std::string> list;
    for (const std::string& lang : targets.empty() ? langs : targets) list.push_back(names.of(lang));
    return list;
}

std::string SweepConfig::target_language(const std::string& target) const {
    const LanguageNames names = languages_of(*this);
    for (const std::string& lang : targets.empty() ? langs : targets) {
        if (names.of(lang) == target) return parse_language(lang).full();
    }
    return target;
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
    if (!models.empty()) require_distinct("--models", model_list(), [](const Base& b) { return b.name; });
    require_distinct("--sources", source_list(), [](const Source& s) { return s.name; });
    require_distinct("--targets", target_list(), [](const std::string& t) { return t; });
    require_distinct("--seeds", seed_list(), [](std::int64_t s) { return std::to_string(s); });
    for (const auto& [name, files] : benchmarks) {
        require_name("[data] eval." + name, name);
        require(!files.empty(), "[data] eval." + name + ": no file is given", ExitCode::usage);
    }
    if (!world.empty() && !(train_files.empty() && benchmarks.empty() && tokenizer_data.empty() && pretrain.data.empty())) {
        fail(
            "[data] world brings its own rows and texts: leave train, eval.<benchmark>, [tokenizer] data and [pretrain] data "
            "out, or leave world out",
            ExitCode::usage);
    }
    if (world.empty() && train_files.empty()) fail("[data] train: no training rows are given", ExitCode::usage);
    if (world.empty() && benchmarks.empty()) {
        fail("[data] eval.<benchmark>: no rows to evaluate on are given (write for example eval.dev = dev.jsonl)",
             ExitCode::usage);
    }
    if (ranks_per_cell < 1) fail("--ranks-per-cell: must be 1 or more", ExitCode::usage);
    if (noise_floor && evaluate.dtype == "bf16")
        fail(
            "--noise-floor: the sweep evaluates in bf16 (--evaluate.dtype), so a second pass in bf16 shows no rounding; leave "
            "one out",
            ExitCode::usage);
    if (pretrain_ranks < 0) fail("--pretrain-ranks: must be 0 or more", ExitCode::usage);
    if (!world.empty() && world != "full" && world != "smoke")
        fail("[data] world: full or smoke, not \"" + world + "\"", ExitCode::usage);
    for (const Base& base : base_list()) {
        if (base.folder.empty() && world.empty() && pretrain.data.empty()) {
            fail("--bases: \"" + base.name + "\" is to be made here, but [pretrain] data names no text", ExitCode::usage);
        }
    }
    check_judges(*this);
    xlrm::check(analyze);
    check_shape(shape);
    if (vocab_size < 1) fail("[tokenizer] vocab-size must be above 0", ExitCode::usage);
    require_distinct_outputs(make_plan(*this));
}

}  // namespace xlrm
