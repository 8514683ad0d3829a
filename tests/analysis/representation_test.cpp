// Planted states: what moved, what is shared between languages, and where the reward forms.
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

constexpr std::size_t kItems = 60;
constexpr std::size_t kFeatures = 6;
//! w · RMSNorm(h) with a norm of ones and no epsilon.
double reward(const States& states, std::size_t item, const std::vector<float>& head) {
    double squares = 0.0, dot = 0.0;
    for (std::size_t k = 0; k < kFeatures; ++k) {
        squares += std::pow(states.at(item, k), 2);
        dot += static_cast<double>(head[k]) * states.at(item, k);
    }
    return dot / std::sqrt(squares / kFeatures);
}

//! Two layers. en: the latent rows; ko: the latent turned; the base's second layer of ko carries an offset. The model from en is
//! the base itself; the one from ko is the base moved by 0.5 everywhere.
class PlantedStates {
public:
    explicit PlantedStates(const std::filesystem::path& root) : folder_(root) {}

    void write() const {
        for (const std::string target : {"en", "ko"}) {
            write_cell(folder_.cell("", 0, target), base_cell(target), Json::object());
            for (const std::string source : {"en", "ko"})
                folder_.write(source, 1, target, std::vector<float>(kItems, 0.0F), [&](Cell& cell) {
                    const float by = source == "ko" ? 0.5F : 0.0F;
                    add_states(cell, target, by);
                    cell.final_norm.assign(kFeatures, 1.0F);
                    cell.head_weight = head();
                    for (std::size_t i = 0; i < kItems; ++i) {
                        cell.chosen[i] = static_cast<float>(reward(test::moved(states(target, 1), by), i, head()));
                        cell.rejected[i] = static_cast<float>(reward(rejected(), i, head()));
                    }
                });
        }
    }

    static std::vector<float> head() { return {1.0F, -0.5F, 0.25F, 0.0F, 2.0F, 1.0F}; }
    const std::filesystem::path root() const { return folder_.root(); }

private:
    static States states(const std::string& target, int layer) {
        const States latent = test::random_states(kItems, kFeatures, 1);
        const States own = target == "en" ? latent : test::turned(latent);
        return layer == 1 && target == "ko" ? test::moved(own, 3.0F) : own;
    }
    static States rejected() { return test::random_states(kItems, kFeatures, 2); }

    void add_states(Cell& cell, const std::string& target, float by) const {
        for (const int layer : {0, 1})
            cell.activations["last"].push_back(test::layer_of(layer, test::moved(states(target, layer), by), rejected()));
    }

    Cell base_cell(const std::string& target) const {
        Cell cell = test::base_cell(target, kItems);
        add_states(cell, target, 0.0F);
        return cell;
    }

    test::PlantedFolder folder_;
};

class Representation : public testing::Test {
protected:
    Representation() : folder_(world_, "xlrm-analyze-test") {
        on_root(world_, [&] { PlantedStates(folder_ / "x").write(); });
        run_analyze(world_, options("x"));
        summary_ = read_json(folder_ / "x/analysis/summary.json");
    }

    AnalyzeOptions options(const std::string& name) const {
        AnalyzeOptions options = test::options_for(folder_ / name);
        options.parts = {"seeds", "ratios", "shift", "alignment", "geometry", "lens"};
        return options;
    }

    Communicator world_ = Communicator::world();
    SharedTemporaryFolder folder_;
    Json summary_;
};

TEST_F(Representation, AModelThatIsItsBaseHasNotMoved) {
    for (const Json& same : rows(summary_, "shift", {{"model", "b.en.s1"}})) {
        EXPECT_NEAR(same.at("cosine").get<double>(), 1.0, 1e-12);
        EXPECT_EQ(same.at("relative"), 0.0);
        EXPECT_EQ(same.at("norm"), 0.0);
        EXPECT_NEAR(same.at("cka").get<double>(), 1.0, 1e-12);
        EXPECT_NEAR(same.at("neighbours").get<double>(), 1.0, 1e-12);
        EXPECT_EQ(same.at("undefined").at("coherence"), "no_variation");
    }
    EXPECT_EQ(rows(summary_, "shift", {{"model", "b.en.s1"}}).size(), 4U);
    for (const Json& ratio : rows(summary_, "ratios", {{"model", "b.en.s1"}})) EXPECT_EQ(ratio.at("change"), 0.0);
}

TEST_F(Representation, ACommonTranslationIsOne) {
    for (const Json& one : rows(summary_, "shift", {{"model", "b.ko.s1"}})) {
        EXPECT_NEAR(one.at("coherence").get<double>(), 1.0, 1e-6);
        EXPECT_NEAR(one.at("cka").get<double>(), 1.0, 1e-6);  // invariant to translation
        EXPECT_LT(one.at("cosine").get<double>(), 0.9999);
    }
    for (const Json& one : rows(summary_, "shift_directions", {{"model", "b.ko.s1"}}))
        EXPECT_NEAR(one.at("cosine").get<double>(), 1.0, 1e-6);
}

TEST_F(Representation, ALanguageTurnedFromAnotherIsTheSameToCkaAlone) {
    for (const Json& one : rows(summary_, "alignment", {{"model", "b"}})) {
        EXPECT_NEAR(one.at("cka").get<double>(), 1.0, 1e-6);
        EXPECT_LT(one.at("p_at_1").get<double>(), 0.2);  // cosines of turned vectors find nothing
        EXPECT_EQ(one.at("items"), kItems);
    }
    EXPECT_EQ(rows(summary_, "alignment", {}).size(), 6U);  // three models, two layers, one pair
}

TEST_F(Representation, AnOffsetShowsInNormsAndRatios) {
    const auto of_layer = [&](const char* table, const std::map<std::string, std::string>& where, int layer) {
        for (const Json& one : rows(summary_, table, where))
            if (one.at("layer") == layer) return one;
        throw std::runtime_error("no such layer");
    };
    const std::map<std::string, std::string> ko = {{"model", "b"}, {"target", "ko"}};
    EXPECT_LT(of_layer("geometry", ko, 0).at("norm_w1").get<double>(), 1e-6);  // a rotation keeps norms
    EXPECT_GT(of_layer("geometry", ko, 1).at("norm_w1").get<double>(), 3.0);
    EXPECT_GT(of_layer("geometry", ko, 1).at("anisotropy").get<double>(), 0.8);
    const std::map<std::string, std::string> raw = {{"model", "b"}, {"variant", "raw"}};
    const double f = of_layer("ratios", raw, 0).at("f").get<double>();
    EXPECT_NEAR(f, 0.5, 1e-6);  // turned rows are orthogonal to their origin, and as long
    EXPECT_GT(of_layer("ratios", raw, 1).at("f").get<double>(), 0.7);
}

TEST_F(Representation, TheLensEndsAtTheModelsReward) {
    for (const std::string target : {"en", "ko"}) {
        const Json last = [&] {
            for (const Json& one : rows(summary_, "lens", {{"model", "b.ko.s1"}, {"target", target}}))
                if (one.at("layer") == 1) return one;
            throw std::runtime_error("no last layer");
        }();
        const Json seeds = row(summary_, "seeds", {{"source", "ko"}, {"target", target}});
        EXPECT_NEAR(last.at("accuracy").get<double>(), seeds.at("accuracy").get<double>(), 1e-12);
    }
    const Json depth = row(summary_, "crystallisation", {{"model", "b.en.s1"}, {"target", "en"}});
    EXPECT_EQ(depth.at("depth"), 0.0);  // both layers are the same
    EXPECT_GT(row(summary_, "crystallisation", {{"model", "b.en.s1"}, {"target", "ko"}}).at("depth").get<double>(), 0.1);
}

TEST_F(Representation, GivesTheSameBytesOnAnyNumberOfRanks) {
    on_root(world_, [&] {
        PlantedStates(folder_ / "alone").write();
        run_analyze(Communicator::self(), options("alone"));
        for (const char* name : {"analysis.h5", "summary.json", "shift.csv", "alignment.csv", "lens.tex"})
            EXPECT_EQ(read_file(folder_ / (std::string("alone/analysis/") + name)),
                      read_file(folder_ / (std::string("x/analysis/") + name)))
                << name;
    });
}

}  // namespace
}  // namespace xlrm
