#include <gtest/gtest.h>

#include "data/prepare_world.hpp"

namespace xlrm {
namespace {

void write_named(const World& world, const std::vector<std::string>& names) {
    if (world.comm.root()) {
        std::ofstream file(world.folder / "rows.jsonl");
        for (std::size_t i = 0; i < 600; ++i) {
            file << Json({{"id", "i" + std::to_string(i / names.size())},
                          {"lang", names[i % names.size()]},
                          {"prompt", "q"},
                          {"chosen", "c" + std::to_string(i)},
                          {"rejected", "r"}})
                        .dump()
                 << "\n";
        }
    }
    world.comm.barrier();
}

TEST(Prepare, GivesTheItemsThatOneRankGives) {
    const World world("ranks");
    const Prepared all = world.run();
    const Prepared alone = prepare(Communicator::self(), world.options, *world.tokenizer, *world.chat);
    write_items(world.folder / ("all" + std::to_string(world.comm.rank()) + ".h5"), all.set);
    write_items(world.folder / ("one" + std::to_string(world.comm.rank()) + ".h5"), alone.set);
    EXPECT_EQ(read_file(world.folder / ("all" + std::to_string(world.comm.rank()) + ".h5")),
              read_file(world.folder / ("one" + std::to_string(world.comm.rank()) + ".h5")));
    EXPECT_EQ(format_report(all.report), format_report(alone.report));
    EXPECT_EQ(all.report.at("ko").read, 150);
    EXPECT_EQ(all.report.at("ko").tied, 2);
    EXPECT_EQ(all.set.items.size(), 296U);
    EXPECT_EQ(all.set.items[1].lang, "ko");  // input order
    EXPECT_EQ(all.set.items[2].id, "i-0-n1");
}

TEST(Prepare, NamesAFileWithoutRows) {
    World world("norows");
    if (world.comm.root()) std::ofstream(world.folder / "none.jsonl") << "\n\n";
    world.comm.barrier();
    world.options.inputs.push_back(world.folder / "none.jsonl");
    EXPECT_NE(world.error().find("none.jsonl: the file has no rows"), std::string::npos) << world.error();
}

TEST(Prepare, RefusesATextWithoutTokens) {
    World world("no_tokens");
    if (world.comm.root()) std::ofstream(world.folder / "chat_template.jinja") << "{% if false %}{{ messages }}{% endif %}";
    world.comm.barrier();
    world.chat = load_chat_template("jinja", world.folder);
    EXPECT_NE(world.error().find("rows.jsonl:1: item 'i-0-n0' (en) has a text without any token"), std::string::npos)
        << world.error();
}

TEST(Prepare, KeepsEmptyAnswersAndCountsThem) {
    const World world("empty");
    world.rows(R"({"prompt": "one", "chosen": "two", "rejected": [""]})"
               "\n"
               R"({"prompt": "one", "chosen": "two", "rejected": "six"})");
    const Prepared prepared = world.run();
    ASSERT_EQ(prepared.set.items.size(), 2U);
    std::vector<std::int32_t> expected = world.tokenizer->encode("one\n", false);
    expected.insert(expected.begin(), *world.tokenizer->bos);
    expected.push_back(*world.tokenizer->eos);
    EXPECT_EQ(tokens(prepared.set, 1), expected);
    EXPECT_EQ(prepared.set.answers[1].prompt, static_cast<std::int32_t>(expected.size()) - 1);  // the answer is its EOS
    EXPECT_EQ(prepared.report.at("en").empty, 1);
    EXPECT_NE(format_report(prepared.report).find("en: 1 items with an empty answer"), std::string::npos);
}

TEST(Prepare, TakesVeryLongAnswers) {
    World world("long");
    std::string answer;
    for (int i = 0; answer.size() < 400000; ++i) answer += "word" + std::to_string(i) + (i % 50 == 0 ? "\n" : " ");
    world.rows(Json({{"prompt", "one"}, {"chosen", answer}, {"rejected", answer + "!"}}).dump());
    EXPECT_EQ(world.run().report.at("en").too_long, 1);
    EXPECT_EQ(world.run().set.items.size(), 0U);
    std::vector<std::int32_t> whole = world.tokenizer->encode("one\n" + answer, false);
    world.options.over_length = OverLength::left;
    const ItemSet left = world.run().set;
    ASSERT_EQ(left.items.size(), 1U);
    EXPECT_EQ(left.answers[0].length, 2048);
    EXPECT_EQ(left.answers[0].prompt, 0);
    EXPECT_EQ(tokens(left, 0).back(), *world.tokenizer->eos);
    EXPECT_TRUE(std::equal(whole.end() - 2047, whole.end(), tokens(left, 0).begin()));
    world.options.max_length = 4000000;
    world.options.over_length = OverLength::error;
    EXPECT_EQ(world.run().set.answers[0].length, static_cast<std::int32_t>(whole.size()) + 2);
}

// No blank where the answer begins or anywhere: the boundary is that of the prompt all the same.
TEST(Prepare, FindsTheBoundaryInScriptsWithoutSpaces) {
    const World world("scripts", "chatml");
    const std::vector<std::array<std::string, 3>> texts = {
        {"\u6c34\u306e\u6cb8\u70b9\u306f\uff1f\u3000", "\u767e\u5ea6\u3067\u3059\u3002", "\u96f6\u5ea6\u3067\u3059\u3002"},
        {"\u0e19\u0e49\u0e33\u0e40\u0e14\u0e37\u0e2d\u0e14\u0e17\u0e35\u0e48\u0e01\u0e35\u0e48\u0e2d\u0e07\u0e28\u0e32",
         "\u0e23\u0e49\u0e2d\u0e22", "\u0e28\u0e39\u0e19\u0e22\u0e4c"},
        {"\u6c34\u7684\u6cb8\u70b9\u662f\u591a\u5c11\uff1f", "\u4e00\u767e\u5ea6", "\u96f6\u5ea6"}};
    std::string rows;
    for (const auto& [prompt, chosen, rejected] : texts)
        rows += Json({{"prompt", prompt}, {"chosen", chosen}, {"rejected", rejected}}).dump() + "\n";
    world.rows(rows);
    const ItemSet set = world.run().set;
    ASSERT_EQ(set.items.size(), texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
        for (std::size_t side = 0; side < 2; ++side) {
            const Answer& answer = set.answers[2 * i + side];
            const auto all = set.answer_tokens(answer);
            const std::vector<std::int32_t> prompt(all.begin(), all.begin() + answer.prompt);
            EXPECT_EQ(world.tokenizer->decode(prompt),
                      "<|im_start|>user\n" + texts[i][0] + "<|im_end|>\n<|im_start|>assistant\n");
            EXPECT_EQ(world.tokenizer->decode({all.begin() + answer.prompt, all.end()}), texts[i][side + 1] + "<|im_end|>\n");
        }
    }
}

TEST(Prepare, TheSharedPrefixIsAFunctionOfOneTextAlone) {
    const World world("prefix");
    // Both answers begin alike; that must not move the boundary into them.
    world.rows(R"({"prompt": "one", "chosen": "same two", "rejected": "same three"})");
    const ItemSet set = world.run().set;
    EXPECT_EQ(set.answers[0].prompt, static_cast<std::int32_t>(world.tokenizer->encode("one\n", false).size()) + 1);
}

TEST(Prepare, AppliesEachOverLengthPolicy) {
    World world("long");
    world.rows(R"({"prompt": "a", "chosen": "b", "rejected": "c"})"
               "\n"
               R"({"prompt": "a", "chosen": "bbbbbbbbbbbbbbbbbbbbbbbbb", "rejected": "c"})"
               "\n"
               R"({"prompt": "aaaaaaaaaaaaaaaaaaaaaaaaaa", "chosen": "b", "rejected": "c"})"
               "\n");
    world.options.max_length = 12;
    const auto whole = [&] {
        PrepareOptions unlimited = world.options;
        unlimited.max_length = 1000;
        return prepare(world.comm, unlimited, *world.tokenizer, *world.chat).set;
    }();
    ASSERT_EQ(whole.items.size(), 3U);
    ASSERT_GT(whole.answers[2].length, 12);
    ASSERT_LE(whole.answers[3].length, 12);
    ASSERT_GT(whole.answers[4].prompt, 12);
    world.options.over_length = OverLength::drop;
    Prepared prepared = world.run();
    EXPECT_EQ(prepared.set.items.size(), 1U);
    EXPECT_EQ(prepared.report.at("en").too_long, 2);
    EXPECT_EQ(prepared.report.at("en").kept, 1);
    world.options.over_length = OverLength::right;
    prepared = world.run();
    EXPECT_EQ(prepared.set.items.size(), 2U) << "of the third nothing of the answer is left";
    const auto full = tokens(whole, 2);
    EXPECT_EQ(tokens(prepared.set, 2), (std::vector<std::int32_t>{full.begin(), full.begin() + 12}));
    world.options.over_length = OverLength::left;
    prepared = world.run();
    EXPECT_EQ(prepared.set.items.size(), 3U);
    EXPECT_EQ(tokens(prepared.set, 2), (std::vector<std::int32_t>{full.end() - 12, full.end()}));
    EXPECT_EQ(prepared.set.answers[4].length, 12);
    EXPECT_EQ(prepared.set.answers[4].prompt, whole.answers[4].prompt - (whole.answers[4].length - 12));
    world.options.over_length = OverLength::error;
    EXPECT_NE(world.error().find("rows.jsonl:2"), std::string::npos) << world.error();
}

TEST(Prepare, KeepsTheChosenLanguagesAndPart) {
    World world("parts");
    world.options.langs = {"ko"};
    world.options.split = "a=0.5,b=0.5";
    std::size_t items = 0;
    for (const std::string part : {"a", "b"}) {
        world.options.part = part;
        for (const Item& item : world.run().set.items) {
            EXPECT_EQ(item.lang, "ko");
            EXPECT_EQ(Split(world.options.split).part(item.id), part);
            ++items;
        }
    }
    EXPECT_EQ(items, 148U);
    world.options.langs = {"ko", "zh"};
    EXPECT_NE(world.error().find("'zh' (the data have: en, ko)"), std::string::npos) << world.error();
}

TEST(Prepare, ThrowsTheFirstErrorOfTheInputOnEveryRank) {
    const World world("errors");
    std::string lines;
    for (int i = 0; i < 400; ++i) {
        lines += i == 391 || i == 207 ? "{\"prompt\": \"p\"}\n" : "{\"prompt\": \"p\", \"chosen\": \"c\", \"rejected\": \"r\"}\n";
    }
    world.rows(lines);
    EXPECT_NE(world.error().find("rows.jsonl:208: field 'chosen' is missing"), std::string::npos) << world.error();
}

TEST(Prepare, NamesAFileThatIsMissing) {
    World world("missing");
    world.options.inputs.push_back(world.folder / "none.jsonl");
    EXPECT_NE(world.error().find("none.jsonl"), std::string::npos) << world.error();
}

TEST(PrepareDocuments, StandAloneOrOneForALine) {
    World world("documents");
    std::string lines;
    for (int i = 0; i < 60; ++i)
        lines += "{\"key\": \"k" + std::to_string(i) + "\", \"en\": \"english\", \"ko\": \"한국\", \"zh\": \"中\"}\n";
    world.rows(lines);
    world.options.kind = RowKind::document;
    Prepared prepared = world.run();
    EXPECT_EQ(prepared.set.items.size(), 180U);
    EXPECT_EQ(prepared.set.answers[0].prompt, 0);
    std::vector<std::int32_t> expected = world.tokenizer->encode("english", false);
    expected.insert(expected.begin(), *world.tokenizer->bos);
    expected.push_back(*world.tokenizer->eos);
    EXPECT_EQ(tokens(prepared.set, 0), expected);

    world.options.concatenate = true;
    world.options.langs = {"en", "ko"};
    prepared = world.run();
    ASSERT_EQ(prepared.set.items.size(), 60U);
    EXPECT_EQ(prepared.set.items[0].lang, "en+ko");
    std::map<std::string, int> orders;
    for (std::size_t i = 0; i < 60; ++i) {
        std::vector<std::int32_t> ids = tokens(prepared.set, i);
        ids.erase(ids.begin());
        ids.pop_back();
        ++orders[world.tokenizer->decode(ids)];
    }
    EXPECT_EQ(orders.size(), 2U);
    EXPECT_EQ(orders["english\n한국"] + orders["한국\nenglish"], 60);
    EXPECT_GT(orders["english\n한국"], 15);
    EXPECT_LT(orders["english\n한국"], 45);
}

// Which name a row has decides with those of all rows, on whatever rank they are.
TEST(Prepare, KnowsALanguageByAllNamesOfTheInput) {
    World world("regions");
    write_named(world, {"pt-BR", "pt-PT", "hin_Deva", "hin_Latn", "kor_Hang", "ko"});
    const auto counts = [&](const std::vector<std::string>& langs) {
        world.options.langs = langs;
        std::map<std::string, std::int64_t> kept;
        const Prepared prepared = world.run();
        for (const auto& [lang, report] : prepared.report) kept[lang] = report.kept;
        for (const Item& item : prepared.set.items) EXPECT_TRUE(kept.contains(item.lang)) << item.lang;
        return kept;
    };
    using Counts = std::map<std::string, std::int64_t>;
    EXPECT_EQ(counts({}), (Counts{{"hi", 100}, {"hi-latn", 100}, {"ko", 200}, {"pt-br", 100}, {"pt-pt", 100}}));
    EXPECT_EQ(counts({"pt"}), (Counts{{"pt-br", 100}, {"pt-pt", 100}}));
    EXPECT_EQ(counts({"pt_BR"}), (Counts{{"pt-br", 100}}));
    EXPECT_EQ(counts({"hin_Latn"}), (Counts{{"hi-latn", 100}}));
    EXPECT_EQ(counts({"ko-KR", "hin_Deva"}), (Counts{{"ko", 200}, {"hi", 100}}));
    EXPECT_EQ(world.run().set.attributes.at("langs"), Json({"ko", "hi"}));
    world.comm.barrier();
    write_named(world, {"pt-BR", "en"});
    EXPECT_EQ(counts({}), (Counts{{"en", 300}, {"pt", 300}}));
    EXPECT_EQ(counts({"pt-BR"}), (Counts{{"pt", 300}}));
    EXPECT_THROW(counts({"pt-PT"}), Error);
    EXPECT_THROW(counts({"hi"}), Error);
    world.comm.barrier();
    write_named(world, {"pt-BR", "pt"});
    EXPECT_EQ(counts({"pt-BR"}), (Counts{{"pt", 300}}));
    EXPECT_EQ(counts({"pt"}), (Counts{{"pt", 600}}));
}

TEST(Prepare, RowsAreReadWithTheSameLanguages) {
    World world("regions_rows");
    write_named(world, {"pt-BR", "pt-PT", "en"});
    world.options.langs = {"pt"};
    const Prepared prepared = world.run();
    std::vector<std::string> langs;
    read_rows(world.options, [&](std::int64_t, PreferenceRow&& row) { langs.push_back(row.lang); });
    ASSERT_EQ(langs.size(), prepared.set.items.size());
    for (std::size_t i = 0; i < langs.size(); ++i) EXPECT_EQ(langs[i], prepared.set.items[i].lang);
}

}  // namespace
}  // namespace xlrm
