#include "xlrm/infer/sampling.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "sampling/cutoff.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/random.hpp"

namespace xlrm {
namespace {

double sum_of(const std::vector<double>& sums) {
    double total = 0.0;
    for (const double sum : sums) total += sum;
    return total;
}

float max_of(const std::vector<float>& maxima) {
    const float max = *std::ranges::max_element(maxima);
    require(std::isfinite(max),
            "a row of logits has no finite largest value, so no token can be chosen; check the model's weights");
    return max;
}

float max_of_row(std::span<const float> row) {
    std::vector<float> maxima;
    block_maxima(row, maxima);
    return max_of(maxima);
}

// Mass of a row; `sums` by block.
double mass_of(std::span<const float> row, float max, const Cutoff& cutoff, std::vector<double>& sums) {
    block_sums(row, max, cutoff, sums);
    const double total = sum_of(sums);
    require(std::isfinite(total), "a row of logits holds NaN, so no token can be chosen; check the model's weights");
    return total;
}

std::int32_t largest_id(const RowView& view) {
    const auto block = std::ranges::find(view.maxima, view.max) - view.maxima.begin();
    const auto from = view.row.begin() + block * kScanBlock;
    return static_cast<std::int32_t>(std::find(from, view.row.end(), view.max) - view.row.begin());
}

Cutoff cutoff_of(const RowView& view, const SamplingOptions& options, std::vector<double>& sums) {
    Cutoff cutoff;
    if (options.top_k > 0) cutoff = top_k_cutoff(view, options.top_k);
    if (options.top_p < 1.0) {
        const double mass = mass_of(view.row, view.max, cutoff, sums);
        cutoff = Cutoff::stricter(cutoff, top_p_cutoff(view, cutoff, mass, options.top_p));
    }
    if (options.min_p > 0.0) cutoff = Cutoff::stricter(cutoff, min_p_cutoff(view.max, options.min_p));
    return cutoff;
}

// The token at `target` of the cumulated masses; the last one with any mass where rounding puts the target beyond.
std::int32_t token_at(const RowView& view, const Cutoff& cutoff, const std::vector<double>& sums, double target) {
    std::size_t block = 0;
    std::size_t last = 0;
    double before = 0.0;
    for (; block < sums.size(); ++block) {
        if (sums[block] > 0.0) last = block;
        if (before + sums[block] > target) break;
        before += sums[block];
    }
    if (block == sums.size()) block = last;
    const std::size_t begin = block * static_cast<std::size_t>(kScanBlock);
    const std::size_t end = std::min(begin + static_cast<std::size_t>(kScanBlock), view.row.size());
    std::int32_t token = 0;
    for (std::size_t i = begin; i < end; ++i) {
        const auto id = static_cast<std::int32_t>(i);
        const double mass = cutoff.keeps(view.row[i], id) ? static_cast<double>(exp_of(view.row[i] - view.max)) : 0.0;
        if (mass <= 0.0) continue;
        token = id;
        before += mass;
        if (before > target) break;
    }
    return token;
}

bool needs_row(const SamplingOptions& options) {
    return options.repetition_penalty != 1.0 || (!options.greedy && options.temperature != 1.0);
}

}  // namespace

void require_valid(const SamplingOptions& options) {
    const auto check = [](bool ok, const char* message) { require(ok, message, ExitCode::usage); };
    check(options.temperature > 0.0 && std::isfinite(options.temperature),
          "--temperature must be above 0 (for the most likely token at each step: --greedy)");
    check(options.top_k >= 0, "--top-k must be 0 (all tokens) or more");
    check(options.top_p > 0.0 && options.top_p <= 1.0, "--top-p must be above 0 and at most 1");
    check(options.min_p >= 0.0 && options.min_p <= 1.0, "--min-p must be between 0 and 1");
    check(options.repetition_penalty > 0.0 && std::isfinite(options.repetition_penalty), "--repetition-penalty must be above 0");
}

void penalize_repetition(std::span<const float> logits, std::span<const std::int32_t> tokens, double penalty,
                         std::span<float> out) {
    const auto factor = static_cast<float>(penalty);
    for (const std::int32_t token : tokens) {
        const auto id = static_cast<std::size_t>(token);
        if (token < 0 || id >= logits.size()) continue;
        out[id] = logits[id] < 0.0F ? logits[id] * factor : logits[id] / factor;
    }
}

void log_softmax(std::span<const float> logits, std::span<float> out) {
    require(!logits.empty(), "a row of logits is empty");
    std::vector<double> sums;
    const float max = max_of_row(logits);
    const double log_mass = std::log(mass_of(logits, max, {}, sums));
    for (std::size_t i = 0; i < logits.size(); ++i)
        out[i] = static_cast<float>(static_cast<double>(logits[i]) - static_cast<double>(max) - log_mass);
}

Sampler::Sampler(const SamplingOptions& options) : options_(options) { require_valid(options); }

std::span<const float> Sampler::prepare(std::span<const float> logits, std::span<const std::int32_t> context) {
    require(!logits.empty(), "a row of logits is empty");
    if (!needs_row(options_)) return logits;
    row_.assign(logits.begin(), logits.end());
    if (options_.repetition_penalty != 1.0) penalize_repetition(logits, context, options_.repetition_penalty, row_);
    if (!options_.greedy && options_.temperature != 1.0) {
        const auto temperature = static_cast<float>(options_.temperature);
        for (float& value : row_) value /= temperature;
    }
    return row_;
}

TokenChoice Sampler::choose(std::span<const float> logits, std::span<const std::int32_t> context, double uniform) {
    const std::span<const float> row = prepare(logits, context);
    std::vector<float> maxima;
    block_maxima(row, maxima);
    const RowView view{row, maxima, max_of(maxima)};
    TokenChoice choice;
    double drawn_mass = 0.0;
    Cutoff cutoff;
    if (options_.greedy) {
        choice.token = largest_id(view);
    } else {
        cutoff = cutoff_of(view, options_, sums_);
        drawn_mass = mass_of(row, view.max, cutoff, sums_);
        choice.token = token_at(view, cutoff, sums_, uniform * drawn_mass);
        choice.drawn_log_probability = static_cast<double>(row[static_cast<std::size_t>(choice.token)]) -
                                       static_cast<double>(view.max) - std::log(drawn_mass);
    }
    const bool own_row = row.data() == logits.data();
    if (own_row && !options_.greedy && cutoff.value == Cutoff().value) {
        choice.log_probability = choice.drawn_log_probability;
    } else {
        const float max = own_row ? view.max : max_of_row(logits);
        choice.log_probability = static_cast<double>(logits[static_cast<std::size_t>(choice.token)]) - static_cast<double>(max) -
                                 std::log(mass_of(logits, max, {}, sums_));
    }
    return choice;
}

std::vector<float> Sampler::processed(std::span<const float> logits, std::span<const std::int32_t> context) {
    const std::span<const float> row = prepare(logits, context);
    std::vector<float> result(row.begin(), row.end());
    if (options_.greedy) return result;
    std::vector<float> maxima;
    block_maxima(row, maxima);
    const RowView view{row, maxima, max_of(maxima)};
    const Cutoff cutoff = cutoff_of(view, options_, sums_);
    for (std::size_t i = 0; i < result.size(); ++i)
        if (!cutoff.keeps(result[i], static_cast<std::int32_t>(i))) result[i] = -std::numeric_limits<float>::infinity();
    return result;
}

SampleNumbers::SampleNumbers(std::uint64_t seed, std::string_view id, std::int32_t occurrence, std::int32_t sample)
    : seed_(seed),
      prompt_(stable_hash(std::string(id) + '\n' + std::to_string(occurrence))),
      sample_(static_cast<std::uint32_t>(sample)) {}

double SampleNumbers::uniform(std::int64_t position) const {
    const auto low = [](std::uint64_t value) { return static_cast<std::uint32_t>(value); };
    const auto high = [](std::uint64_t value) { return static_cast<std::uint32_t>(value >> 32U); };
    const auto words =
        philox4x32({static_cast<std::uint32_t>(position), sample_, low(prompt_), high(prompt_)}, {low(seed_), high(seed_)});
    return static_cast<double>(((std::uint64_t{words[0]} << 32U) | words[1]) >> 11U) * 0x1.0p-53;
}

}  // namespace xlrm
