// Planted truths of representation: layers, languages, directions and noise that are known.
#include <gtest/gtest.h>

#include <cmath>

#include "analysis/planted_states.hpp"
#include "xlrm/comm/shared_temporary_folder.hpp"
#include "xlrm/comm/together.hpp"

namespace xlrm {
namespace {

using test::row;
using test::rows;
using test::States;

constexpr std::size_t kItems = 120;
constexpr float kOffset = 6.0F;

//! Two layers, features 0 … 7 with a meaning, the others noise. Layer 0: es is en turned. Layer 1: chosen answers lie at +1.5 on
//! feature 0 and rejected ones at −1.5; es and ko have an offset on feature 5 and 6, and es on that feature noise that the head
//! reads. Models: the base, its noise floor, one from en that is the base, one from ko that is blurred.
class PlantedSpace {
public:
    PlantedSpace(const std::filesystem::path& root, std::size_t features) : folder_(root), features_(features) {}

    void write(bool floor = true) const {
        for (const std::string target : {"en", "es", "ko"}) {
            write_base(folder_.cell("", 0, target), target, 0.0F);
            if (floor) write_base(folder_.root() / "cells" / "b.bf16" / ("x." + target + ".h5"), target, 1e-3F);
            for (const std::string source : {"en", "ko"})
                folder_.write(source, 1, target, std::vector<float>(kItems, 0.5F), [&](Cell& cell) {
                    add_states(cell, target, source == "ko" ? 0.5F : 0.0F);
                    add_subsets(cell);
                    cell.final_norm.assign(features_, 1.0F);
                    cell.head_weight.assign(features_, 0.0F);
                    cell.head_weight[0] = 1.0F;
                    cell.head_weight[5] = 2.0F;
                });
        }
    }

    States states(const std::string& target, int layer, bool chosen) const {
        States out = test::random_states(kItems, features_, chosen ? 1 : 2);
        if (layer == 0) return target == "es" ? test::turned(out) : out;
        const States noise = test::random_states(kItems, features_, chosen ? 3 : 4);
        for (std::size_t i = 0; i < kItems; ++i) {
            for (const std::size_t k : {1, 2, 3, 4, 7}) out.at(i, k) *= 3.0F;
            out.at(i, 0) = 0.5F * out.at(i, 0) + (chosen ? 1.5F : -1.5F);
            if (target == "es") out.at(i, 5) = kOffset + 2.0F * noise.at(i, 5);
            out.at(i, 6) = target == "ko" ? kOffset : 0.0F;
        }
        return out;
    }

private:
    void write_base(const std::filesystem::path& file, const std::string& target, float blur) const {
        Cell cell = test::base_cell(target, kItems);
        add_states(cell, target, blur);
        add_subsets(cell);
        write_cell(file, cell, Json::object());
    }

    static void add_subsets(Cell& cell) {
        for (std::size_t i = 0; i < kItems; ++i) cell.subset[i] = i % 2 == 0 ? "even" : "odd";
    }

    void add_states(Cell& cell, const std::string& target, float blur) const {
        for (const int layer : {0, 1})
            cell.activations["last"].push_back(test::layer_of(layer, test::blurred(states(target, layer, true), blur, 8),
                                                              test::blurred(states(target, layer, false), blur, 9)));
    }

    test::PlantedFolder folder_;
    std::size_t features_;
};

class Space : public testing::Test {
protected:
    Space() : folder_(world_, "xlrm-space-test") {}

    Json analysed(const std::string& name, std::size_t features, std::vector<std::string> parts, bool floor = true) {
        on_root(world_, [&] { PlantedSpace(folder_ / name, features).write(floor); });
        return again(name, std::move(parts));
    }
    Json again(const std::string& name, std::vector<std::string> parts) {
        AnalyzeOptions options = test::options_for(folder_ / name);
        options.parts = std::move(parts);
        return test::analysed(world_, options);
    }

    static Json of_layer(const Json& summary, const char* table, const std::map<std::string, std::string>& where, int layer,
                         int other = -1) {
        for (const Json& one : rows(summary, table, where))
            if (one.at("layer") == layer && (other < 0 || one.at("other_layer") == other)) return one;
        throw std::runtime_error(std::string(table) + ": no such row");
    }

    Communicator world_ = Communicator::world();
    SharedTemporaryFolder folder_;
};

TEST_F(Space, LayersAreComparedWithLayers) {
    // 8 features: from features; 80: from Gram matrices.
    for (const std::size_t features : {8, 80}) {
        const std::string name = "x" + std::to_string(features);
        const Json summary = analysed(name, features, {"layer_pairs", "shift", "alignment"});
        const auto cka = [&](const std::string& model, int layer, int other, const std::string& target = "en") {
            return of_layer(summary, "layer_pairs", {{"model", model}, {"target", target}}, layer, other).at("cka").get<double>();
        };
        for (const int layer : {0, 1}) {
            EXPECT_NEAR(cka("b", layer, layer), 1.0, 1e-6);
            EXPECT_NEAR(cka("b.en.s1", layer, layer), 1.0, 1e-6);  // it is its base
        }
        EXPECT_NEAR(cka("b", 0, 1), cka("b", 1, 0), 1e-6);
        EXPECT_LT(cka("b", 0, 1, "ko"), 0.999);
        for (const Json& one : rows(summary, "shift", {{"model", "b.ko.s1"}}))
            EXPECT_NEAR(cka("b.ko.s1", one.at("layer"), one.at("layer"), one.at("target")), one.at("cka").get<double>(), 1e-5);
        for (const Json& one : rows(summary, "alignment", {})) {
            const std::map<std::string, std::string> where = {
                {"model", one.at("model")}, {"first_target", one.at("first_target")}, {"second_target", one.at("second_target")}};
            EXPECT_NEAR(
                of_layer(summary, "language_layer_pairs", where, one.at("layer"), one.at("layer")).at("cka").get<double>(),
                one.at("cka").get<double>(), 1e-5);
        }
        EXPECT_EQ(rows(summary, "layer_pairs", {}).size(), 3U * 3 * 4);           // models, targets, pairs of layers
        EXPECT_EQ(rows(summary, "language_layer_pairs", {}).size(), 3U * 3 * 4);  // models, pairs of languages
    }
}

TEST_F(Space, MeasuresFindWhatIsTheSame) {
    const Json summary = analysed("x", 8, {"similarity"});
    const auto value = [&](const std::string& comparison, const std::string& model, const std::string& second,
                           const std::string& measure, int layer) {
        return of_layer(summary, "similarity",
                        {{"comparison", comparison},
                         {"model", model},
                         {"target", "en"},
                         {"other_target", second},
                         {"measure", measure},
                         {"scope", "pooled"}},
                        layer);
    };
    for (const std::string measure : {"cka.linear.debiased", "cka.linear.biased", "cka.rbf.debiased(median)", "svcca(0.99)",
                                      "pwcca", "rsa.euclidean.spearman", "knn.jaccard(10,cosine)"}) {
        const Json same = value("base", "b.en.s1", "en", measure, 1), other = value("base", "b.ko.s1", "en", measure, 1);
        EXPECT_NEAR(same.at("value").get<double>(), 1.0, 1e-9) << measure;
        EXPECT_LT(other.at("value").get<double>(), 0.999) << measure;
        EXPECT_EQ(same.at("kind"), "score");
        if (measure != "svcca(0.99)" && measure != "pwcca") {
            EXPECT_NEAR(same.at("p").get<double>(), 0.01, 1e-12) << measure;
        }
    }
    // A fixed rotation: CKA 1, Procrustes 0; neighbours by cosine too.
    EXPECT_NEAR(value("language", "b", "es", "cka.linear.debiased", 0).at("value").get<double>(), 1.0, 1e-9);
    EXPECT_NEAR(value("language", "b", "es", "procrustes.distance", 0).at("value").get<double>(), 0.0, 1e-6);
    EXPECT_NEAR(value("language", "b", "es", "knn.jaccard(10,cosine)", 0).at("value").get<double>(), 1.0, 1e-9);
    EXPECT_NEAR(value("base", "b.en.s1", "en", "procrustes.distance", 1).at("value").get<double>(), 0.0, 1e-6);
    EXPECT_GT(value("language", "b", "es", "procrustes.distance", 0).at("null").get<double>(), 0.5);
    EXPECT_EQ(value("base", "b.en.s1", "en", "pwcca", 1).at("undefined").at("null"), "not_estimated");
    // The noise floor lies between what did not move and what did.
    const double floor = value("noise_floor", "b.bf16", "en", "procrustes.distance", 1).at("value");
    EXPECT_GT(floor, 1e-5);
    EXPECT_LT(floor, 0.1 * value("base", "b.ko.s1", "en", "procrustes.distance", 1).at("value").get<double>());
    EXPECT_FALSE(rows(summary, "similarity", {{"scope", "within"}}).empty());
    for (const Json& one : rows(summary, "similarity", {{"measure", "cka.linear.debiased"}, {"comparison", "language"}})) {
        EXPECT_LE(one.at("value_low"), one.at("value"));
        EXPECT_LT(one.at("null").get<double>(), 0.2);
    }
    EXPECT_EQ(rows(summary, "estimators", {{"table", "similarity"}}).size(), 8U);
}

TEST_F(Space, ManyFeaturesAreComparedToo) {
    const Json summary = analysed("wide", 1200, {"similarity", "geometry"}, false);
    for (const Json& one : rows(summary, "geometry", {})) {
        EXPECT_GT(one.at("effective_rank").get<double>(), 50.0);  // of 119 at most
        EXPECT_LT(one.at("effective_rank").get<double>(), 119.5);
    }
    const std::map<std::string, std::string> same = {{"comparison", "base"}, {"model", "b.en.s1"}, {"scope", "pooled"}};
    for (const auto& [measure, expected] : {std::pair{"procrustes.distance", 0.0}, std::pair{"cka.linear.debiased", 1.0}}) {
        auto where = same;
        where["measure"] = measure;
        EXPECT_EQ(rows(summary, "similarity", where).size(), 6U);
        for (const Json& one : rows(summary, "similarity", where))
            EXPECT_NEAR(one.at("value").get<double>(), expected, 1e-6) << measure;
    }
    auto where = same;
    where["measure"] = "pwcca";
    EXPECT_EQ(rows(summary, "similarity", where).at(0).at("undefined").at("value"), "fewer_items_than_features");
}

TEST_F(Space, SaysBeforehandWhatItTakes) {
    std::map<std::size_t, double> operations;
    for (const std::size_t features : {8, 1200}) {
        const std::string name = "x" + std::to_string(features);
        on_root(world_, [&] { PlantedSpace(folder_ / name, features).write(); });
        AnalyzeOptions options = test::options_for(folder_ / name);
        options.parts = {"similarity", "layer_pairs"};
        const std::string text = analysis_report(world_, options);
        if (!world_.root()) continue;
        const std::string begin = "  similarity: to compute, about ";
        const auto place = text.find(begin);
        EXPECT_NE(place, std::string::npos) << text;
        if (place != std::string::npos) operations[features] = std::stod(text.substr(place + begin.size()));
        EXPECT_NE(text.find("  layer_pairs: to compute, about "), std::string::npos) << text;
        EXPECT_NE(text.find("  probes: not asked for\n"), std::string::npos) << text;
    }
    if (!world_.root()) return;
    EXPECT_GT(operations.at(8), 1e7);
    EXPECT_LT(operations.at(8), 1e10);
    EXPECT_GT(operations.at(1200), 10.0 * operations.at(8));
}

TEST_F(Space, ANoiseFloorIsReadWhereItIsWhole) {
    const Json summary = analysed("x", 8, {"noise_floor", "shift"});
    EXPECT_EQ(rows(summary, "noise_floor", {}).size(), 6U);
    for (const Json& one : rows(summary, "noise_floor", {})) {
        EXPECT_GT(one.at("relative").get<double>(), 1e-5);
        EXPECT_LT(one.at("relative").get<double>(), 1e-2);
        EXPECT_GT(one.at("cka").get<double>(), 0.9999);
    }
    EXPECT_EQ(rows(summary, "noise_floor_ratios", {{"variant", "raw"}}).size(), 2U);
    EXPECT_EQ(rows(summary, "shift", {}).size(), 12U);  // no model of its own elsewhere
    EXPECT_EQ(summary.at("cells").at("planned"), 9);
    EXPECT_EQ(summary.at("bases"), Json::array({"b"}));

    const Json without = analysed("none", 8, {"noise_floor"}, false);
    EXPECT_TRUE(rows(without, "noise_floor", {}).empty());
    EXPECT_TRUE(test::statements(without, "incomplete_noise_floor").empty());

    on_root(world_, [&] {
        std::filesystem::remove(folder_ / "x/cells/b.bf16/x.ko.h5");
        std::filesystem::remove(folder_ / "x/cells/b.bf16/x.ko.sha256");
    });
    const Json broken = again("x", {"noise_floor"});
    EXPECT_TRUE(rows(broken, "noise_floor", {}).empty());
    EXPECT_EQ(test::statements(broken, "incomplete_noise_floor").size(), 1U);
}

TEST_F(Space, TheLanguageSubspaceIsRecoveredAndItsRemovalHelpsTheHead) {
    const Json summary = analysed("x", 8, {"subspace"});
    for (const Json& one : rows(summary, "subspace_alignment", {{"model", "b"}})) {
        if (one.at("layer") != 1) continue;
        EXPECT_EQ(one.at("rank"), 2);
        EXPECT_NEAR(one.at("offset_share").get<double>(), 1.0, 1e-9);
        EXPECT_GT(one.at("p_at_1_without").get<double>(), 0.99);
        EXPECT_GE(one.at("p_at_1_without").get<double>(), one.at("p_at_1").get<double>());
        EXPECT_GT(one.at("margin_without").get<double>(), one.at("margin").get<double>());
    }
    EXPECT_EQ(rows(summary, "subspace_alignment", {}).size(), 18U);  // models, pairs, layers
    const auto of_rank = [&](const std::string& target, int rank) {
        for (const Json& one : rows(summary, "subspace", {{"model", "b.en.s1"}, {"target", target}}))
            if (one.at("rank") == rank) return one;
        throw std::runtime_error("no such rank");
    };
    const Json es = of_rank("es", 2), en = of_rank("en", 2);
    EXPECT_LT(es.at("accuracy").get<double>(), 0.93);  // the head reads the noise on the offset's feature
    EXPECT_GT(es.at("accuracy_without").get<double>(), es.at("accuracy").get<double>() + 0.05);
    EXPECT_GT(es.at("accuracy_without").get<double>(), 0.97);
    EXPECT_GT(en.at("accuracy_without").get<double>(), 0.97);
    EXPECT_LT(es.at("accuracy_control").get<double>(), es.at("accuracy_without").get<double>());
    EXPECT_TRUE(rows(summary, "subspace", {{"model", "b"}}).empty());  // without a head
}

TEST_F(Space, ASharedPreferenceDirectionServesEveryLanguage) {
    const Json summary = analysed("x", 8, {"preferences"});
    for (const Json& one : rows(summary, "probe_transfer", {})) {
        const bool planted = one.at("layer") == 1;
        EXPECT_EQ(one.at("accuracy").get<double>() > 0.9, planted);
        EXPECT_NEAR(one.at("control").get<double>(), 0.5, 0.25);
        if (planted) {
            EXPECT_NEAR(one.at("selectivity").get<double>(), one.at("accuracy").get<double>() - one.at("control").get<double>(),
                        1e-12);
            EXPECT_LE(one.at("accuracy_high").get<double>(), 1.0);
        }
        EXPECT_EQ(one.at("train").get<int>() + one.at("items").get<int>(), static_cast<int>(kItems));
    }
    EXPECT_EQ(rows(summary, "probe_transfer", {}).size(), 18U);
    for (const Json& one : rows(summary, "preference_pairs", {{"model", "b"}}))
        if (one.at("layer") == 1) {
            EXPECT_GT(one.at("cosine").get<double>(), 0.95);
        }
    const Json direction = of_layer(summary, "preference_directions", {{"model", "b.ko.s1"}, {"target", "en"}}, 1);
    EXPECT_NEAR(direction.at("head_cosine").get<double>(), 1.0 / std::sqrt(5.0), 0.15);  // the head has feature 5 too
    EXPECT_EQ(of_layer(summary, "preference_directions", {{"model", "b"}, {"target", "en"}}, 1).at("undefined").at("head_cosine"),
              "no_head");
}

TEST_F(Space, ProbesReadWhatIsThereAndNotWhatIsNot) {
    const Json summary = analysed("x", 8, {"probes"});
    const Json language = of_layer(summary, "probes", {{"model", "b"}, {"task", "language"}}, 1);
    EXPECT_GT(language.at("accuracy").get<double>(), 0.95);
    EXPECT_LT(language.at("log_loss").get<double>(), 0.3);
    EXPECT_GT(language.at("selectivity").get<double>(), 0.4);
    EXPECT_EQ(language.at("classes"), 3);
    const Json category = of_layer(summary, "probes", {{"model", "b"}, {"task", "category"}}, 1);
    EXPECT_NEAR(category.at("accuracy").get<double>(), 0.5, 0.25);
    EXPECT_NEAR(category.at("majority").get<double>(), 0.5, 0.1);
    EXPECT_GT(category.at("log_loss").get<double>(), 0.5);
}

TEST_F(Space, GivesTheSameBytesOnAnyNumberOfRanksAndByParts) {
    const std::vector<std::string> parts = {"layer_pairs", "similarity", "noise_floor", "subspace",
                                            "preferences", "probes",     "geometry"};
    analysed("x", 80, {"subspace", "layer_pairs"});
    again("x", parts);
    on_root(world_, [&] {
        PlantedSpace(folder_ / "alone", 80).write();
        AnalyzeOptions options = test::options_for(folder_ / "alone");
        options.parts = parts;
        run_analyze(Communicator::self(), options);
        for (const char* name : {"analysis.h5", "summary.json", "layer_pairs.csv", "language_layer_pairs.csv", "similarity.csv",
                                 "noise_floor.csv", "noise_floor_ratios.csv", "subspace.csv", "subspace_alignment.csv",
                                 "preference_directions.csv", "preference_pairs.csv", "probe_transfer.csv", "probes.csv",
                                 "norm_distances.csv", "token_lengths.csv", "estimators.tex"})
            EXPECT_EQ(read_file(folder_ / (std::string("alone/analysis/") + name)),
                      read_file(folder_ / (std::string("x/analysis/") + name)))
                << name;
    });
}

}  // namespace
}  // namespace xlrm
