#include "estimate.hpp"

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
#include "xlrm/sweep/task_kinds.hpp"
#include "xlrm/sweep/task_options.hpp"

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
    if (config.is_judge(base.name)) return size;  // it stores none
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

std::set<std::string> leaving_outputs(const Comparison& comparison) {
    std::set<std::string> names;
    for (const Difference& difference : comparison.differences)
        for (const Difference::Output& output : difference.outputs) names.insert(output.name);
    return names;
}

//! Which tasks have nothing left to do once what leaves has left.
std::vector<bool> staying(const SweepFolder& folder, const PreparedRun& run, const std::set<std::string>& leaving) {
    Plan plan = run.plan;
    std::vector<bool> stays(plan.tasks.size());
    std::vector<bool> wanted(plan.tasks.size(), false);
    for (std::size_t i = plan.tasks.size(); i-- > 0;) {
        const Task& task = *plan.tasks[i];
        stays[i] = (task.intermediate() && !wanted[i]) || (task.done(folder) && !leaving.contains(task.output()));
        if (stays[i] || task.derived()) continue;
        for (const int need : task.needs) wanted[static_cast<std::size_t>(need)] = true;
    }
    for (std::size_t i = 0; i < plan.tasks.size(); ++i) {
        if (!plan.tasks[i]->derived()) continue;
        for (const int need : plan.tasks[i]->needs) stays[i] = stays[i] && stays[static_cast<std::size_t>(need)];
    }
    return stays;
}

//! What is left to do.
TaskWork work_of(const SweepConfig& config, const PreparedRun& run, const std::vector<bool>& stays) {
    EstimateBook book{config, run.inputs, {}};
    for (const auto* list : {&run.plan.bases, &run.plan.models}) {
        for (const Base& base : *list) book.sizes[base.name] = size_of(config, base);
    }
    TaskWork work;
    for (std::size_t i = 0; i < stays.size(); ++i) {
        if (stays[i]) continue;
        const TaskWork mine = run.plan.tasks[i]->estimate(book);
        work.flops += mine.flops;
        work.bytes += mine.bytes;
    }
    return work;
}

std::string superseded_lines(const PreparedRun& run) {
    if (run.comparison.differences.empty()) return "";
    return "results of other content than this sweep's would be moved to superseded/ and made anew:\n" +
           format_superseded(run.comparison);
}

std::string report_of(const SweepConfig& config, const SweepFolder& folder, const PreparedRun& run) {
    const std::vector<bool> stays = staying(folder, run, leaving_outputs(run.comparison));
    std::string out;
    char line[512];
    for (const TaskKind& kind : task_kinds()) {
        int all = 0;
        int there = 0;
        for (std::size_t i = 0; i < stays.size(); ++i) {
            if (run.plan.tasks[i]->kind() != std::string(kind.name)) continue;
            ++all;
            there += stays[i] ? 1 : 0;
        }
        if (all == 0) continue;
        std::snprintf(line, sizeof line, "%6d %s, %d there already\n", all, kind.plural, there);
        out += line;
    }
    out += superseded_lines(run);
    if (!config.world.empty())
        out += "The data are those of the synthetic world (" + config.world + "), made when the sweep starts.\n";
    out += rows_line("training", run.inputs.rows.at("data.train"));
    for (const std::string& benchmark : run.plan.benchmarks)
        out += rows_line(benchmark, run.inputs.rows.at("data.eval." + benchmark));
    const TaskWork work = work_of(config, run, stays);
    // Half of a large product's rate is what the whole step reaches.
    const double seconds = work.flops / (0.5 * measured_flops());
    out += "estimate: " + format_duration(seconds) + " on one rank of " + std::to_string(at::get_num_threads()) +
           " threads as here (4 bytes a token, half the speed of a 512³ product), " + format_bytes(work.bytes) +
           " of models and cells in " + config.output + "\n";
    return out;
}

}  // namespace

InputRows::Volume EstimateBook::volume(const std::string& option, const std::string& lang) const {
    const InputRows& rows = inputs.rows.at(option);
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

double EstimateBook::pass_flops(const BaseSize& size, const std::string& option, const std::string& lang) const {
    return 2.0 * size.parameters * volume(option, lang).bytes / kBytesPerToken;
}

std::string sweep_report(const Communicator& world, const Options& options, const SweepConfig& config) {
    std::string report;
    on_root(world, [&] {
        config.check();
        const SweepFolder folder{config.output};
        report = report_of(config, folder, prepare_run(options, config, folder));
    });
    return report;
}

std::string sweep_plan(const Communicator& world, const Options& options, const SweepConfig& config, bool dot) {
    std::string text;
    on_root(world, [&] {
        config.check();
        const SweepFolder folder{config.output};
        const PreparedRun run = prepare_run(options, config, folder);
        const std::vector<bool> stays = staying(folder, run, leaving_outputs(run.comparison));
        if (dot) {
            text = run.plan.to_dot(stays);
            return;
        }
        for (std::size_t i = 0; i < run.plan.tasks.size(); ++i)
            text += std::string(stays[i] ? "there    " : "to make  ") + run.plan.tasks[i]->output() + "\n";
    });
    return text;
}

}  // namespace xlrm
