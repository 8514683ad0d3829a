#include "xlrm/bench/bench.hpp"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdio>

#include "cases.hpp"
#include "xlrm/comm/run_job.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/log.hpp"
#include "xlrm/ops/device.hpp"

namespace xlrm {
namespace {

Bench begin(const Communicator& world, const BenchOptions& options) {
    Bench bench{world, options, {}};
    together(world, [&] {
        check(options);
        bench.config = bench_config(options);
        if (options.threads > 0) at::set_num_threads(static_cast<int>(options.threads));
    });
    return bench;
}

// Collective.
BenchCases plan(const Bench& bench) {
    const BenchOptions& o = bench.options;
    const auto asked = [&](const std::string& kind, bool by_default = true) {
        return o.what.empty() ? by_default : std::ranges::count(o.what, kind) > 0;
    };
    std::shared_ptr<const ItemSet> pairs;
    if (!o.data.empty() && (asked("train") || asked("score") || asked("capture")))
        pairs = std::make_shared<const ItemSet>(read_pairs(bench.world, o));
    BenchCases cases;
    together(bench.world, [&] {
        const bool can_reduce = bench.world.size() > 1;
        require(can_reduce || o.what.empty() || !asked("reduce"),
                "--what reduce needs two ranks or more (mpirun -np 2 xlrm_bench …)", ExitCode::usage);
        if (asked("roof")) add_roof(bench, cases);
        if (asked("train")) add_training(bench, pairs, cases);
        if (asked("score")) add_scoring(bench, pairs, cases);
        if (asked("capture")) add_capture(bench, pairs, cases);
        if (asked("decode", decodable(bench))) add_decoding(bench, cases);
        if (asked("generate", decodable(bench))) add_generating(bench, cases);
        if (asked("prefix")) add_prefix(bench, cases);
        if (asked("tokenize", !o.texts.empty())) add_tokenizing(bench, cases);
        if (asked("prepare", preparable(bench))) add_preparing(bench, cases);
        if (asked("reduce", can_reduce)) add_reduction(bench, cases);
        if (asked("scaling")) add_scaling(bench, cases);
        if (asked("cells")) add_cells(bench, cases);
    });
    return cases;
}

std::string machine_line(const Json& machine) {
    std::string flags;
    for (const Json& flag : machine.at("flags")) flags += " " + flag.get<std::string>();
    return machine.at("processor").get<std::string>() + ", " + std::to_string(machine.at("processors_allowed").get<int>()) +
           " of " + std::to_string(machine.at("processors_online").get<int>()) + " processors," + flags + "; " +
           std::to_string(machine.at("ranks").get<int>()) + " rank(s) x " + std::to_string(machine.at("threads").get<int>()) +
           " thread(s)\n";
}

}  // namespace

BenchReport run_bench(const Communicator& world, const BenchOptions& options) {
    Bench bench = begin(world, options);
    const BenchCases cases = plan(bench);
    for (const BenchCase& one : cases) {
        together(world, [] { require_not_stopped("speed was measured"); });
        log_root(LogLevel::info, one.what + " " + one.name + " " + one.dtype);
        const Activity activity("measuring");
        one.run(bench);
    }
    Json machine = describe_machine(world);
    machine.update(device_facts(options.device));
    return {machine_line(machine) + table_of(bench.rows), {{"machine", machine}, {"results", json_of(bench.rows)}}};
}

std::string bench_plan(const Communicator& world, const BenchOptions& options) {
    const Bench bench = begin(world, options);
    const BenchCases cases = plan(bench);
    constexpr double kUsual = 0.4;  // share of a product's speed that whole passes reach
    std::map<std::string, double> speed;
    for (const std::string& dtype : dtypes_of(options)) speed[dtype] = kUsual * quick_product(bench, 512, dtype);
    std::string out = machine_line(describe_machine(world));
    double all = 0.0;
    char line[200];
    for (const BenchCase& one : cases) {
        const double seconds = one.seconds + (one.flops > 0.0 ? one.flops / speed.at(one.dtype) : 0.0);
        all += seconds;
        std::snprintf(line, sizeof line, "%-9s %-22s %-5s about %8.1f s\n", one.what.c_str(), one.name.c_str(), one.dtype.c_str(),
                      seconds);
        out += line;
    }
    std::snprintf(line, sizeof line, "%zu measurements, about %.0f s\n", cases.size(), all);
    return out + line;
}

}  // namespace xlrm
