#include "xlrm/stats/ngram_floor.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "xlrm/core/error.hpp"
#include "xlrm/stats/sparse_logistic.hpp"

namespace xlrm {
namespace {

enum Group : std::uint64_t { answer_group = 1, joint_group, cross_group, length_group, overlap_group };

std::uint64_t mix(std::uint64_t x) {  // SplitMix64's finaliser
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
    return x ^ (x >> 31);
}

// Byte ranges of the code points of UTF-8 text; a stray byte stands for itself.
std::vector<std::string_view> code_points(std::string_view text) {
    std::vector<std::string_view> points;
    for (std::size_t i = 0; i < text.size();) {
        std::size_t end = i + 1;
        while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) ++end;
        points.push_back(text.substr(i, end - i));
        i = end;
    }
    return points;
}

// Distinct hashes of the n-grams of `points` whose length lies in [shortest, longest] and which contain position `must` if >= 0.
std::vector<std::uint64_t> ngrams(const std::vector<std::string_view>& points, int shortest, int longest,
                                  std::int64_t must = -1) {
    std::vector<std::uint64_t> hashes;
    const auto count = static_cast<std::int64_t>(points.size());
    const std::int64_t first = must < 0 ? 0 : std::max<std::int64_t>(0, must - longest + 1);
    const std::int64_t last = must < 0 ? count : std::min(count, must + 1);
    for (std::int64_t begin = first; begin < last; ++begin) {
        std::uint64_t hash = 0xCBF29CE484222325ULL;
        for (std::int64_t end = begin; end < std::min(count, begin + longest); ++end) {
            for (const char byte : points[static_cast<std::size_t>(end)])
                hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001B3ULL;  // FNV-1a
            if (end - begin + 1 >= shortest && end >= must) hashes.push_back(hash);
        }
    }
    std::sort(hashes.begin(), hashes.end());
    hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
    return hashes;
}

using Features = std::vector<std::pair<std::uint32_t, float>>;

// Hashed features of texts, with the sign of the answer they belong to.
class Hasher {
public:
    explicit Hasher(const NgramFloorOptions& options) : options_(options) {}

    //! Difference of the features of chosen and rejected, sorted by column, zeros left out.
    Features difference(const TextPair& pair) const {
        Features features;
        add(pair.prompt, pair.chosen, 1.0F, features);
        add(pair.prompt, pair.rejected, -1.0F, features);
        std::sort(features.begin(), features.end());
        Features merged;
        for (const auto& [column, value] : features) {
            if (merged.empty() || merged.back().first != column) merged.emplace_back(column, 0.0F);
            merged.back().second += value;
        }
        std::erase_if(merged, [](const auto& entry) { return std::abs(entry.second) < 1e-12F; });
        return merged;
    }

private:
    void add(const std::string& prompt, const std::string& answer, float sign, Features& out) const {
        const auto prompt_points = code_points(prompt);
        const auto answer_points = code_points(answer);
        const auto of_prompt = ngrams(prompt_points, 1, options_.max_n);
        const auto of_answer = ngrams(answer_points, 1, options_.max_n);
        group(answer_group, of_answer, sign, out);

        auto joint = prompt_points;
        joint.emplace_back("\n");
        joint.insert(joint.end(), answer_points.begin(), answer_points.end());
        group(joint_group, ngrams(joint, 2, options_.max_n, static_cast<std::int64_t>(prompt_points.size())), sign, out);

        auto crossed = ngrams(prompt_points, options_.cross_n, options_.max_n);
        const std::uint64_t whole = mix(hash_of(answer));
        for (std::uint64_t& hash : crossed) hash = mix(hash ^ whole);
        group(cross_group, crossed, sign, out);

        std::vector<std::uint64_t> shared;
        std::set_intersection(of_prompt.begin(), of_prompt.end(), of_answer.begin(), of_answer.end(), std::back_inserter(shared));
        put(length_group, 0, sign * std::log1p(static_cast<float>(answer_points.size())), out);
        const auto distinct = static_cast<float>(std::max<std::size_t>(1, of_answer.size()));
        put(overlap_group, 0, sign * static_cast<float>(shared.size()) / distinct, out);
    }

    static std::uint64_t hash_of(std::string_view text) {
        std::uint64_t hash = 0xCBF29CE484222325ULL;
        for (const char byte : text) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001B3ULL;
        return hash;
    }

    void group(Group name, const std::vector<std::uint64_t>& hashes, float sign, Features& out) const {
        const float value = sign / std::sqrt(static_cast<float>(std::max<std::size_t>(1, hashes.size())));
        for (const std::uint64_t hash : hashes) put(name, hash, value, out);
    }

    void put(Group name, std::uint64_t hash, float value, Features& out) const {
        const std::uint64_t mixed = mix(hash + 0x9E3779B97F4A7C15ULL * name);
        const auto column = static_cast<std::uint32_t>(mixed & ((1ULL << options_.bits) - 1));
        out.emplace_back(column, (mixed >> 63) != 0 ? -value : value);
    }

    const NgramFloorOptions& options_;
};

}  // namespace

NgramFloor::NgramFloor(std::span<const TextPair> training, const NgramFloorOptions& options) : options_(options) {
    require(!training.empty(), "the n-gram floor has no training pairs (it is trained on the source language's pairs)");
    require(options.max_n >= 1 && options.cross_n >= 1 && options.bits >= 1 && options.bits <= 28 && options.c > 0.0,
            "options of the n-gram floor out of range (max_n and cross_n >= 1, 1 <= bits <= 28, c > 0)");
    const Hasher hasher(options_);
    SparseRows rows;
    rows.width = std::int64_t{1} << options.bits;
    for (const TextPair& pair : training) {
        for (const auto& [column, value] : hasher.difference(pair)) {
            rows.columns.push_back(column);
            rows.values.push_back(value);
        }
        rows.offsets.push_back(static_cast<std::int64_t>(rows.columns.size()));
    }
    const LogisticFit fit = fit_bradley_terry(rows, options.c, options.max_iterations);
    weights_.assign(fit.weights.begin(), fit.weights.end());
    objective_ = fit.objective;
    gradient_ = fit.gradient;
}

double NgramFloor::margin(const TextPair& pair) const {
    double sum = 0.0;
    for (const auto& [column, value] : Hasher(options_).difference(pair))
        sum += static_cast<double>(value) * static_cast<double>(weights_[column]);
    return sum;
}

double NgramFloor::accuracy(std::span<const TextPair> test) const {
    require(!test.empty(), "the n-gram floor has no test pairs");
    double right = 0.0;
    for (const TextPair& pair : test) {
        const double value = margin(pair);
        right += value > 0.0 ? 1.0 : value == 0.0 ? 0.5 : 0.0;
    }
    return right / static_cast<double>(test.size());
}

}  // namespace xlrm
