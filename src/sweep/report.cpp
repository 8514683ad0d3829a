#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <set>

#include <ATen/Parallel.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>

#include "xlrm/comm/together.hpp"
#include "xlrm/core/language.hpp"
#include "xlrm/core/progress.hpp"
#include "xlrm/model/config.hpp"
#include "xlrm/sweep/folder.hpp"
#include "xlrm/sweep/plan.hpp"
#include "xlrm/sweep/prepare_run.hpp"
#include "xlrm/sweep/run.hpp"
#include "xlrm/sweep/supersede.hpp"
#include "xlrm/sweep/worker.hpp"

namespace xlrm {

namespace {

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
    size.stored_bytes_a_text =
        layers * static_cast<double>(model.hidden) * width * static_cast<double>(config.evaluate.capture.size());
    return size;
}

//! Rows by language of one option.
std::string rows_line(const std::string& what, const InputRows& rows) {
    std::string line = "rows by language, " + what + ":";
    for (const auto& [lang, volume] : rows.languages) line += " " + lang + " " + std::to_string(volume.rows);
    if (const std::string form = rows.notes.form_line(); !form.empty()) line += "\n  " + form;
    for (const std::string& note : rows.notes.lines()) line += "\n  " + note;
    return line + "\n";
}

//! Of the rows that `lang` means: a code's regions together.
InputRows::Volume volume_of(const InputRows& rows, const std::string& lang) {
    LanguageNames names;
    for (const auto& [name, volume] : rows.languages) names.add(name);
    InputRows::Volume sum;
    for (const auto& [name, volume] : rows.languages) {
        if (!names.means(lang, name)) continue;
        sum.rows += volume.rows;
        sum.bytes += volume.bytes;
    }
    return sum;
}

struct Work {
    double flops = 0.0, bytes = 0.0;
};

std::set<std::string> leaving_outputs(const Comparison& comparison) {
    std::set<std::string> names;
    for (const Difference& difference : comparison.differences)
        for (const Difference::Output& output : difference.outputs) names.insert(output.name);
    return names;
}

// Whether the task's output is there and stays.
bool stays(const SweepFolder& folder, const PreparedRun& run, const std::set<std::string>& leaving, const Task& task) {
    return folder.done(run.plan, task) && !leaving.contains(folder.name(folder.output(task)));
}

//! What is left to do.
Work work_of(const SweepConfig& config, const SweepFolder& folder, const PreparedRun& run) {
    Work work;
    const std::set<std::string> leaving = leaving_outputs(run.comparison);
    for (const Task& task : run.plan.tasks) {
        if (task.kind == TaskKind::floor || stays(folder, run, leaving, task)) continue;
        const auto base = std::ranges::find_if(run.plan.bases, [&](const Base& b) { return b.name == task.base; });
        const BaseSize size = size_of(config, *base);
        if (task.kind == TaskKind::evaluate) {
            const InputRows::Volume volume =
                volume_of(run.inputs.rows.at("data.eval." + task.benchmark), config.target_language(task.target));
            work.flops += 2.0 * size.parameters * volume.bytes / kBytesPerToken;
            work.bytes += 2.0 * static_cast<double>(volume.rows) * size.stored_bytes_a_text;
            continue;
        }
        work.bytes += 4.0 * size.parameters;
        for (const std::string& lang : training_of(config, folder, task).langs) {
            const InputRows::Volume volume = volume_of(run.inputs.rows.at("data.train"), lang);
            work.flops += 6.0 * size.parameters * config.train.epochs * volume.bytes / kBytesPerToken;
        }
    }
    return work;
}

std::string superseded_lines(const PreparedRun& run) {
    if (run.comparison.differences.empty()) return "";
    return "results of other content than this sweep's would be moved to superseded/ and made anew:\n" +
           format_superseded(run.comparison);
}

std::string report_of(const SweepConfig& config, const SweepFolder& folder, const PreparedRun& run) {
    const std::set<std::string> leaving = leaving_outputs(run.comparison);
    std::map<TaskKind, std::pair<int, int>> counts;  // kind → all, there already
    for (const Task& task : run.plan.tasks) {
        ++counts[task.kind].first;
        counts[task.kind].second += stays(folder, run, leaving, task) ? 1 : 0;
    }
    std::string out;
    char line[512];
    for (const auto& [kind, name] : {std::pair{TaskKind::floor, "floors"},
                                     {TaskKind::train, "reward models to train"},
                                     {TaskKind::evaluate, "cells to evaluate"}}) {
        std::snprintf(line, sizeof line, "%6d %s, %d there already\n", counts[kind].first, name, counts[kind].second);
        out += line;
    }
    out += superseded_lines(run);
    if (!config.world.empty())
        out += "The data are those of the synthetic world (" + config.world + "), made when the sweep starts.\n";
    out += rows_line("training", run.inputs.rows.at("data.train"));
    for (const std::string& benchmark : run.plan.benchmarks)
        out += rows_line(benchmark, run.inputs.rows.at("data.eval." + benchmark));
    const Work work = work_of(config, folder, run);
    // Half of a large product's rate is what the whole step reaches.
    const double seconds = work.flops / (0.5 * measured_flops());
    out += "estimate: " + format_duration(seconds) + " on one rank of " + std::to_string(at::get_num_threads()) +
           " threads as here (4 bytes a token, half the speed of a 512³ product), " + format_bytes(work.bytes) +
           " of models and cells in " + config.output + "\n";
    return out;
}

}  // namespace

std::string sweep_report(const Communicator& world, const Options& options, const SweepConfig& config) {
    std::string report;
    on_root(world, [&] {
        config.check();
        const SweepFolder folder{config.output};
        report = report_of(config, folder, prepare_run(options, config, folder));
    });
    return report;
}

}  // namespace xlrm
