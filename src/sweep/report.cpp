#include <chrono>
#include <cstdio>
#include <map>

#include <ATen/Parallel.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>

#include "xlrm/core/progress.hpp"
#include "xlrm/model/config.hpp"
#include "xlrm/sweep/folder.hpp"
#include "xlrm/sweep/plan.hpp"
#include "xlrm/sweep/run.hpp"
#include "xlrm/sweep/worker.hpp"
#include "xlrm/text/preference_row.hpp"

namespace xlrm {

namespace {

//! Rows and characters (bytes) of each language.
struct Volume {
    std::int64_t rows = 0;
    double bytes = 0.0;  //!< of both texts of a pair
};
using Volumes = std::map<std::string, Volume>;

Volumes volumes_of(const SweepConfig& config, const std::vector<std::string>& files, const std::string& part) {
    Volumes volumes;
    const Split split(config.split);
    for (const std::filesystem::path& path : config.data_paths(files)) {
        for_each_row(path, RowKind::preference, "en", [&](std::int64_t, PreferenceRow&& row) {
            if (!config.split.empty() && split.part(row.id) != part) return;
            Volume& volume = volumes[row.lang];
            ++volume.rows;
            std::size_t prompt = 0;
            for (const ChatMessage& message : row.prompt) prompt += message.content.size();
            for (const std::string& answer : row.answers) volume.bytes += static_cast<double>(prompt + answer.size());
        });
    }
    return volumes;
}

//! Bytes of UTF-8 a token stands for, roughly, over languages and tokenizers.
constexpr double kBytesPerToken = 4.0;

//! FLOP/s of a matrix product here and now.
double measured_flops() {
    const at::Tensor a = at::ones({512, 512}, at::kFloat);
    at::mm(a, a);
    const auto start = std::chrono::steady_clock::now();
    int runs = 0;
    double seconds = 0.0;
    while (seconds < 0.2) {
        at::mm(a, a);
        ++runs;
        seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    }
    return runs * 2.0 * 512 * 512 * 512 / seconds;
}

struct BaseSize {
    double parameters = 0.0;
    double stored_bytes_a_text = 0.0;  //!< activations of one text
};

BaseSize size_of(const SweepConfig& config, const Base& base) {
    ModelConfig model;
    if (base.folder.empty()) {
        const ModelShape& s = config.shape;
        model.hidden = s.hidden;
        model.layers = s.layers;
        model.heads = s.heads;
        model.kv_heads = s.kv_heads;
        model.head_dim = s.heads > 0 ? s.hidden / s.heads : 0;
        model.intermediate = s.intermediate;
    } else {
        model = read_model_config(base.folder / "config.json");
    }
    BaseSize size;
    size.parameters = static_cast<double>(model.body_parameters());
    const double width = config.evaluate.activation_dtype == "fp32" ? 4.0 : 2.0;
    const double layers = static_cast<double>(parse_layers(config.evaluate.layers, model.layers).size());
    size.stored_bytes_a_text = layers * static_cast<double>(model.hidden) * width * static_cast<double>(config.evaluate.capture.size());
    return size;
}

}  // namespace

std::string sweep_report(const SweepConfig& config) {
    config.check();
    const Plan plan = make_plan(config);
    const SweepFolder folder{config.output};
    std::map<TaskKind, std::pair<int, int>> counts;  // kind → all, there already
    for (const Task& task : plan.tasks) {
        ++counts[task.kind].first;
        counts[task.kind].second += folder.done(task) ? 1 : 0;
    }
    std::string out;
    char line[512];
    for (const auto& [kind, name] : {std::pair{TaskKind::floor, "floors"}, {TaskKind::train, "reward models to train"},
                                     {TaskKind::evaluate, "cells to evaluate"}}) {
        std::snprintf(line, sizeof line, "%6d %s, %d there already\n", counts[kind].first, name, counts[kind].second);
        out += line;
    }
    if (!config.world.empty()) return out + "The data are those of the synthetic world (" + config.world + "), made when the sweep starts.\n";

    const Volumes train = volumes_of(config, config.train_files, "train");
    std::map<std::string, Volumes> tests;
    for (const auto& [name, files] : config.benchmarks) tests[name] = volumes_of(config, files, "test");
    out += "rows by language, training:";
    for (const auto& [lang, volume] : train) out += " " + lang + " " + std::to_string(volume.rows);
    for (const auto& [name, volumes] : tests) {
        out += "\nrows by language, " + name + ":";
        for (const auto& [lang, volume] : volumes) out += " " + lang + " " + std::to_string(volume.rows);
    }
    double flops = 0.0;
    double bytes = 0.0;
    for (const Task& task : plan.tasks) {
        if (task.kind == TaskKind::floor || folder.done(task)) continue;
        for (const Base& base : plan.bases) {
            if (base.name != task.base) continue;
            const BaseSize size = size_of(config, base);
            if (task.kind == TaskKind::evaluate) {
                const auto found = tests[task.benchmark].find(task.target);
                if (found == tests[task.benchmark].end()) continue;
                flops += 2.0 * size.parameters * found->second.bytes / kBytesPerToken;
                bytes += 2.0 * static_cast<double>(found->second.rows) * size.stored_bytes_a_text;
                continue;
            }
            bytes += 4.0 * size.parameters;
            for (const std::string& lang : training_of(config, folder, task).langs) {
                const auto found = train.find(lang);
                if (found != train.end()) flops += 6.0 * size.parameters * config.train.epochs * found->second.bytes / kBytesPerToken;
            }
        }
    }
    // Half of a large product's rate is what the whole step reaches.
    const double seconds = flops / (0.5 * measured_flops());
    out += "\nestimate: " + format_duration(seconds) + " on one rank of " + std::to_string(at::get_num_threads()) +
           " threads as here (4 bytes a token, half the speed of a 512³ product), " + format_bytes(bytes) + " of models and cells in " +
           config.output + "\n";
    return out;
}

}  // namespace xlrm
