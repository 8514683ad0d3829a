#include "layer_pairs.hpp"

#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <new>

#include "xlrm/stats/gram_pairs.hpp"

namespace xlrm {

namespace {

constexpr double kLargeWork = 5e9;       // operations above which several ranks should find stripes to share …
constexpr std::int64_t kFewStripes = 4;  // … a multiple of so many
constexpr std::size_t kMostMeans = 8 << 20;
constexpr std::size_t kAlignment = 64;  // as libtorch's: bits of a product may depend on it

//! Sizes, and which of both forms takes fewer operations.
struct Work {
    explicit Work(const StateInput& input) : layers(input.set.layers_of(input.capture)) {
        const StateSet& set = input.set;
        n = std::ssize(set.items);
        StateBuffer buffer;
        set.load_floats(0, 0, input.capture, layers.front(), "chosen", buffer);
        const auto items = static_cast<double>(n), width = static_cast<double>(buffer.read.features);
        const auto models = static_cast<double>(set.models.size()), each = static_cast<double>(layers.size());
        const auto targets = static_cast<double>(set.targets.size());
        const double own = targets * each, of_base = (models - 1.0) * targets * each * each;
        by_example = models * own * items * items * width + (models * own * own + of_base) * items * items;
        by_feature = 2.0 * items * width * width * (0.5 * models * own * (own + 1.0) + of_base);
        const double bytes = 4.0 * own * items * items;  // of two panels with whole triangles
        const std::int64_t needed = std::llround(std::ceil(bytes / kMostPanelBytes)),
                           even = by_example > kLargeWork ? kFewStripes : 1;
        panels = stripes(n, (std::max<std::int64_t>(1, needed) + even - 1) / even * even);
    }
    bool features_first() const { return by_feature < by_example; }

    std::vector<int> layers;
    std::vector<Stripe> panels;
    std::int64_t n = 0;
    double by_example = 0.0, by_feature = 0.0;
};

CentredRows rows_of(const StateInput& input, std::size_t model, std::size_t target, int layer) {
    StateBuffer buffer;
    return centred_rows(input.set.load_floats(model, target, input.capture, layer, "chosen", buffer),
                        std::ssize(input.set.items));
}

Json to_json(const LayerPairSums& sums) { return {{"own", sums.own}, {"base", sums.base}}; }

//! The first `count` rows of a layer, centred by the means of all items.
void centre(const StateInput& input, std::size_t model, std::size_t target, int layer, std::int64_t count, StateBuffer& buffer,
            CentredRows& rows) {
    const StateSet& set = input.set;
    const std::int64_t n = std::ssize(set.items);
    KeptStates& kept = *set.kept;
    const std::tuple key(set.model(model).files[target], input.capture, layer);
    const auto known = kept.means.find(key);
    const auto values =
        set.load_floats(model, target, input.capture, layer, "chosen", buffer, known == kept.means.end() ? -1 : count);
    const ColumnMeans means = known == kept.means.end() ? column_means(values, n) : known->second;
    centre_rows(values.first(static_cast<std::size_t>(count) * means.values.size()), means, count == n, rows);
    if (known != kept.means.end() || kept.mean_values + means.values.size() > kMostMeans) return;
    kept.mean_values += means.values.size();
    kept.means.emplace(key, means);
}

//! A stripe of one model's Gram matrices. Its memory is not libtorch's, which would keep it while the tables are made.
struct Panel {
    struct Free {
        void operator()(void* memory) const { std::free(memory); }
    };
    std::unique_ptr<void, Free> memory;      //!< of entries
    at::Tensor entries;                      //!< (target and layer, entry) fp32
    std::vector<std::vector<double>> norms;  //!< of all examples, with the last stripe

    //! `buffer`, `rows`: memory that is used again.
    void fill(const StateInput& input, std::size_t model, const std::vector<int>& layers, const Stripe& stripe,
              StateBuffer& buffer, CentredRows& rows) {
        const auto places = static_cast<std::int64_t>(input.set.targets.size() * layers.size());
        if (memory == nullptr) {
            const auto bytes = sizeof(float) * static_cast<std::size_t>(places * stripe.entries());
            memory.reset(std::aligned_alloc(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment));
            if (memory == nullptr) throw std::bad_alloc();
            entries = at::from_blob(memory.get(), {places, stripe.entries()}, at::kFloat);
        }
        norms.clear();
        for (std::size_t t = 0; t < input.set.targets.size(); ++t) {
            for (const int layer : layers) {
                centre(input, model, t, layer, stripe.end, buffer, rows);
                fill_gram(rows.x, stripe, entries[std::ssize(norms)]);
                norms.push_back(rows.squared_norms);
            }
        }
    }
};

//! Adds 2 Σ_{i>j} K_ij L_ij over the stripe to `sums`, and with the last stripe what the norms add.
void append_products(const at::Tensor& a, const at::Tensor& b, const std::vector<std::vector<double>>& a_norms,
                     const std::vector<std::vector<double>>& b_norms, std::size_t first, bool last, std::vector<double>& sums) {
    const at::Tensor products = panel_products(a, b).mul(2.0);
    const double* values = products.const_data_ptr<double>();
    const auto columns = static_cast<std::size_t>(b.size(0));
    for (std::size_t i = 0; i < static_cast<std::size_t>(a.size(0)); ++i) {
        for (std::size_t j = 0; j < columns; ++j)
            sums.push_back(values[i * columns + j] + (last ? hsic_norm_terms(a_norms[first + i], b_norms[first + j]) : 0.0));
    }
}

Json example_piece(const StateInput& input, const Work& work, std::size_t piece) {
    const StateSet& set = input.set;
    const Stripe stripe = work.panels[piece];
    const bool last = piece + 1 == work.panels.size();
    const auto each = std::ssize(work.layers);
    set.kept->states.clear();  // the panels need the memory
    set.kept->bytes = 0;
    Panel base, own;
    StateBuffer buffer;
    CentredRows rows;
    Json all = Json::object();
    for (std::size_t m = 0; m < set.models.size(); ++m) {
        const bool is_base = set.has_base && m == 0;
        Panel& panel = is_base ? base : own;
        panel.fill(input, m, work.layers, stripe, buffer, rows);
        LayerPairSums sums;
        append_products(panel.entries, panel.entries, panel.norms, panel.norms, 0, last, sums.own);
        for (std::size_t t = 0; t < set.targets.size() && set.has_base && !is_base; ++t) {
            const std::int64_t first = static_cast<std::int64_t>(t) * each;
            append_products(base.entries.narrow(0, first, each), panel.entries.narrow(0, first, each), base.norms, panel.norms,
                            static_cast<std::size_t>(first), last, sums.base);
        }
        all[std::to_string(m)] = to_json(sums);
    }
    return all;
}

Json feature_piece(const StateInput& input, const Work& work, std::size_t model) {
    const StateSet& set = input.set;
    const std::size_t each = work.layers.size(), places = set.targets.size() * each;
    const auto load = [&](std::size_t m, std::size_t place) {
        return rows_of(input, m, place / each, work.layers[place % each]);
    };
    LayerPairSums sums;
    sums.own.assign(places * places, 0.0);
    if (set.has_base && model > 0) sums.base.assign(places * each, 0.0);
    for (std::size_t v = 0; v < places; ++v) {
        const CentredRows x = load(model, v);
        for (std::size_t w = v; w < places; ++w)
            sums.own[v * places + w] = sums.own[w * places + v] = feature_hsic(x, w == v ? x : load(model, w));
        for (std::size_t l = 0; l < each && !sums.base.empty(); ++l)
            sums.base[((v / each) * each + l) * each + v % each] = feature_hsic(load(0, v / each * each + l), x);
    }
    return {{std::to_string(model), to_json(sums)}};
}

}  // namespace

std::int64_t layer_pair_pieces(const StateInput& input) {
    const Work work(input);
    return work.features_first() ? std::ssize(input.set.models) : std::ssize(work.panels);
}

double layer_pair_operations(const StateInput& input) {
    const Work work(input);
    return std::min(work.by_example, work.by_feature);
}

Json layer_pair_piece(const StateInput& input, std::int64_t piece) {
    const Work work(input);
    const auto number = static_cast<std::size_t>(piece);
    return work.features_first() ? feature_piece(input, work, number) : example_piece(input, work, number);
}

}  // namespace xlrm
