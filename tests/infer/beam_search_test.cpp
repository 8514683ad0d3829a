#include "xlrm/infer/beam_search.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "support/expect_error.hpp"
#include "support/shared_data.hpp"
#include "xlrm/core/json.hpp"

namespace xlrm {
namespace {

using Ids = std::vector<std::int32_t>;

// A model whose logits depend on the last two tokens alone.
class TableModel {
public:
    TableModel(std::vector<float> table, std::size_t vocabulary) : table_(std::move(table)), vocabulary_(vocabulary) {}

    // log-softmax in fp64, rounded: what is compared tolerates the last bits.
    std::vector<float> row(const Ids& context) const {
        const auto first = static_cast<std::size_t>(context[context.size() - 2]);
        const auto second = static_cast<std::size_t>(context.back());
        const float* const logits = table_.data() + (first * vocabulary_ + second) * vocabulary_;
        double mass = 0.0;
        for (std::size_t i = 0; i < vocabulary_; ++i) mass += std::exp(static_cast<double>(logits[i]));
        std::vector<float> result;
        for (std::size_t i = 0; i < vocabulary_; ++i)
            result.push_back(static_cast<float>(static_cast<double>(logits[i]) - std::log(mass)));
        return result;
    }

    std::vector<Beam> search(const BeamOptions& options, const Ids& prompt) const {
        BeamSearch search(options);
        bool first = true;
        while (!search.done()) {
            std::vector<float> rows;
            std::vector<Beam> before = search.running();
            for (const Beam& beam : before) {
                Ids context = prompt;
                context.insert(context.end(), beam.tokens.begin(), beam.tokens.end());
                const std::vector<float> one = row(context);
                rows.insert(rows.end(), one.begin(), one.end());
                if (first) break;
            }
            first = false;
            search.step(rows);
            for (std::size_t i = 0; i < before.size(); ++i) {
                Ids parent = search.running()[i].tokens;
                parent.pop_back();
                EXPECT_EQ(parent, before[static_cast<std::size_t>(search.parents()[i])].tokens);
            }
        }
        return search.finished();
    }

private:
    std::vector<float> table_;
    std::size_t vocabulary_;
};

TEST(BeamSearch, GivesTheTextsAndScoresOfTransformers) {
    const Json golden = read_json(test::fixture("infer/beam_search.json"));
    const auto vocabulary = golden.at("vocabulary").get<std::size_t>();
    const auto prompt = golden.at("prompt").get<Ids>();
    std::vector<TableModel> models;
    for (const Json& table : golden.at("tables")) models.emplace_back(table.get<std::vector<float>>(), vocabulary);
    std::set<std::string> early;
    ASSERT_GT(golden.at("cases").size(), 150U);
    for (const Json& entry : golden.at("cases")) {
        const BeamOptions options{.beams = entry.at("beams"),
                                  .length_penalty = entry.at("penalty"),
                                  .early_stopping = parse_early_stopping(entry.at("early")),
                                  .max_new_tokens = entry.at("length"),
                                  .stop_ids = entry.at("stops").get<Ids>()};
        early.insert(entry.at("early"));
        const std::vector<Beam> found = models[entry.at("table").get<std::size_t>()].search(options, prompt);
        const std::string what = entry.dump();
        std::size_t count = 0;
        for (const Json& wanted : entry.at("found")) {
            if (wanted[1].get<double>() < -1e8) continue;  // a place that no text took
            ASSERT_LT(count, found.size()) << what;
            EXPECT_EQ(found[count].tokens, wanted[0].get<Ids>()) << what;
            EXPECT_NEAR(found[count].score, wanted[1].get<float>(), 2e-6 * std::max(1.0, std::abs(wanted[1].get<double>())))
                << what;
            const bool stopped = std::ranges::count(options.stop_ids, found[count].tokens.back()) > 0;
            EXPECT_EQ(found[count].reason, stopped ? FinishReason::stop : FinishReason::length);
            ++count;
        }
        EXPECT_EQ(count, found.size()) << what;
    }
    EXPECT_EQ(early.size(), 3U);
}

TEST(BeamSearch, FindsTheMostLikelyTextWhereGreedyDoesNot) {
    // Token 0 looks better at first; 1 has the certain continuation. Stop id 2.
    const auto log_row = [](std::vector<double> p) {
        std::vector<float> row;
        for (const double x : p) row.push_back(static_cast<float>(std::log(x)));
        return row;
    };
    BeamSearch search(
        {.beams = 2, .length_penalty = 0.0, .early_stopping = EarlyStopping::never, .max_new_tokens = 5, .stop_ids = {2}});
    search.step(log_row({0.55, 0.43, 0.01, 0.01}));
    ASSERT_EQ(search.running()[0].tokens, Ids{0});
    ASSERT_EQ(search.running()[1].tokens, Ids{1});
    EXPECT_EQ(search.parents(), (Ids{0, 0}));
    std::vector<float> rows = log_row({0.3, 0.3, 0.2, 0.2});
    const std::vector<float> second = log_row({0.02, 0.01, 0.96, 0.01});
    rows.insert(rows.end(), second.begin(), second.end());
    search.step(rows);
    while (!search.done()) {
        rows.clear();
        for (std::size_t i = 0; i < search.running().size(); ++i) {
            const std::vector<float> row = log_row({0.25, 0.25, 0.25, 0.25});
            rows.insert(rows.end(), row.begin(), row.end());
        }
        search.step(rows);
    }
    const std::vector<Beam> found = search.finished();
    ASSERT_FALSE(found.empty());
    EXPECT_EQ(found[0].tokens, (Ids{1, 2}));
    EXPECT_EQ(found[0].reason, FinishReason::stop);
    EXPECT_NEAR(found[0].score, std::log(0.43 * 0.96), 1e-6);
}

TEST(BeamSearch, EqualScoresGoToTheLowerId) {
    BeamSearch search({.beams = 3, .max_new_tokens = 2});
    search.step(std::vector<float>(10, -1.0F));
    EXPECT_EQ(search.running()[0].tokens, Ids{0});
    EXPECT_EQ(search.running()[1].tokens, Ids{1});
    EXPECT_EQ(search.running()[2].tokens, Ids{2});
    search.step(std::vector<float>(30, -1.0F));
    ASSERT_TRUE(search.done());
    EXPECT_EQ(search.finished()[1].tokens, (Ids{0, 1}));
}

TEST(BeamSearch, RefusesWhatItCannotDo) {
    expect_error([] { BeamSearch({.beams = 0, .max_new_tokens = 1}); }, {"--beams"});
    expect_error([] { BeamSearch({.beams = 2}); }, {"--max-new-tokens"});
    expect_error([] { BeamSearch({.beams = 2, .length_penalty = std::nan(""), .max_new_tokens = 1}); }, {"--length-penalty"});
    expect_error([] { parse_early_stopping("maybe"); }, {"maybe", "never"});
    BeamSearch search({.beams = 4, .max_new_tokens = 2, .stop_ids = {0, 1, 2}});
    expect_error([&] { search.step(std::vector<float>(3, 0.0F)); }, {"4 beams", "3 tokens"});
    expect_error([&] { search.finished(); }, {"not ended"});
    search.step(std::vector<float>(20, -1.0F));
    expect_error([&] { search.step(std::vector<float>(21, -1.0F)); }, {"one row"});
    search.step(std::vector<float>(80, -1.0F));
    expect_error([&] { search.step(std::vector<float>(80, -1.0F)); }, {"has ended"});
}

}  // namespace
}  // namespace xlrm
