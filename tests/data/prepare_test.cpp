#include "xlrm/data/prepare.hpp"

#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <functional>
#include <limits>
#include <optional>

#include "support/shared_data.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/data/prepare_job.hpp"
#include "xlrm/store/items_file.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

// A folder that all ranks share; rank 0 fills it.
fs::path folder_of(const Communicator& comm, const std::string& name) {
    const fs::path folder = fs::temp_directory_path() / ("xlrm_prepare_test_" + name + "_" + std::to_string(comm.size()));
    if (comm.root()) {
        fs::remove_all(folder);
        fs::create_directories(folder);
        fs::copy(test::fixture("text/bpe_special.json"), folder / "tokenizer.json");
        std::ofstream(folder / "tokenizer_config.json") << R"({"eos_token": "<|end|>", "bos_token": "<s>"})";
    }
    comm.barrier();
    return folder;
}

// Two languages, 150 ids; a tied pair in each hundred.
void write_rows(const fs::path& path) {
    std::ofstream file(path);
    for (int i = 0; i < 150; ++i) {
        const std::string chosen = "yes " + std::string(static_cast<std::size_t>(i % 7), 'x');
        for (const std::string lang : {"en", "ko"}) {
            const Json row = {{"id", "i-" + std::to_string(i / 2) + "-n" + std::to_string(i % 2)},
                              {"lang", lang},
                              {"prompt", (lang == "ko" ? "질문 " : "question ") + std::to_string(i)},
                              {"chosen", chosen},
                              {"rejected", i % 100 == 5 ? chosen : "no"}};
            file << row.dump() << "\n";
        }
    }
}

struct World {
    Communicator comm = Communicator::world();
    std::unique_ptr<Tokenizer> tokenizer;
    std::unique_ptr<ChatTemplate> chat;
    fs::path folder;
    PrepareOptions options;

    explicit World(const std::string& name, const std::string& chat_template = "none") : folder(folder_of(comm, name)) {
        tokenizer = load_tokenizer(folder);
        chat = load_chat_template(chat_template, folder);
        if (comm.root()) write_rows(folder / "rows.jsonl");
        comm.barrier();
        options.inputs = {folder / "rows.jsonl"};
    }
    Prepared run() const { return prepare(comm, options, *tokenizer, *chat); }
    std::string error() const {
        try {
            run();
        } catch (const Error& error) {
            return error.what();
        }
        return "";
    }
    // `lines` replaces the rows.
    void rows(const std::string& lines) const {
        if (comm.root()) std::ofstream(folder / "rows.jsonl") << lines;
        comm.barrier();
    }
};

std::vector<std::int32_t> tokens(const ItemSet& set, std::size_t answer) {
    const auto span = set.answer_tokens(set.answers[answer]);
    return {span.begin(), span.end()};
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

// Writes `source` as the folder's own template, before World loads it.
World templated(const std::string& name, const std::string& source) {
    World world(name);
    if (world.comm.root()) std::ofstream(world.folder / "chat_template.jinja", std::ios::binary) << source;
    world.comm.barrier();
    world.chat = load_chat_template("auto", world.folder);
    return world;
}

std::string decoded(const World& world, const ItemSet& set, std::size_t answer, std::int32_t begin = 0) {
    const std::vector<std::int32_t> all = tokens(set, answer);
    return world.tokenizer->decode({all.begin() + begin, all.end()});
}

void expect_golden(const World& world, const Json& golden) {
    world.rows(golden.at("row").dump() + "\n");
    const Prepared prepared = world.run();
    ASSERT_EQ(prepared.set.answers.size(), 2U) << golden;
    for (std::size_t k = 0; k < 2; ++k)
        EXPECT_EQ(decoded(world, prepared.set, k), golden.at("texts")[k].get<std::string>()) << golden.at("row");
}

TEST(Prepare, GivesTheTemplateWhatRowsAndMessagesHave) {
    std::ifstream file(test::fixture("text/tools.golden.jsonl"));
    const fs::path published = test::shared_data() / "chat_templates";
    int count = 0;
    for (std::string line; std::getline(file, line);) {
        const Json golden = Json::parse(line);
        if (golden.contains("published") && !fs::exists(published)) continue;
        const std::string source = golden.contains("template")
                                       ? golden.at("template").get<std::string>()
                                       : read_file(published / (golden.at("published").get<std::string>() + ".jinja"));
        expect_golden(templated("tools" + std::to_string(count++), source), golden);
    }
    EXPECT_GE(count, 13);
}

TEST(Prepare, CountsFieldsThatTheTemplateDoesNotReadAndRefusesALostCall) {
    const std::string row =
        R"({"lang": "en", "tools": [{"name": "f"}], "chosen": [{"role": "user", "content": "q", "name": "Kim", "id": 7, "date": ""}, {"role": "assistant", "content": "a"}],
        "rejected": [{"role": "user", "content": "q", "name": "Kim", "id": 7}, {"role": "assistant", "content": "b"}]})";
    std::string line = row;
    std::erase(line, '\n');
    const World none("unread");
    none.rows(line);
    const std::map<std::string, std::int64_t> all = {
        {"'id' of a message", 1}, {"'name' of a message", 1}, {"'tools' of a row", 1}};
    const Prepared prepared = none.run();
    EXPECT_EQ(prepared.report.at("en").unread, all);
    EXPECT_NE(format_report(prepared.report).find("en: the template does not read 'name' of a message (1 item)"),
              std::string::npos)
        << format_report(prepared.report);
    // A tool has a name too: the source names it, and reads none of a message.
    const World tools = templated(
        "unread2",
        "{% for t in tools or [] %}{{ t.name }}{% endfor %}{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}");
    tools.rows(line);
    const std::map<std::string, std::int64_t> most = {{"'id' of a message", 1}, {"'name' of a message", 1}};
    EXPECT_EQ(tools.run().report.at("en").unread, most);
    const World reads =
        templated("unread3", "{{ tools }}{% for m in messages %}{{ m.name }} {{ m.id }} {{ m.content }}\n{% endfor %}");
    reads.rows(line);
    EXPECT_TRUE(reads.run().report.at("en").unread.empty());
    none.rows(
        R"({"chosen": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f"}}]}],)"
        R"( "rejected": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "b"}]})");
    EXPECT_NE(none.error().find("rows.jsonl:1: template none does not read 'tool_calls'"), std::string::npos) << none.error();
}

TEST(Prepare, JoinsPartsForATemplateThatKnowsTextAlone) {
    const World world("parts");
    world.rows(
        R"({"chosen": [{"role": "user", "content": [{"type": "text", "text": "one "}, {"type": "text", "text": "two"}]}, {"role": "assistant", "content": "a"}],)"
        R"( "rejected": [{"role": "user", "content": [{"type": "text", "text": "one "}, {"type": "text", "text": "two"}]}, {"role": "assistant", "content": "b"}]})");
    EXPECT_EQ(decoded(world, world.run().set, 0), "<s>one two\na<|end|>");
}

// prompt_len of DPOTrainer in trl 1.16, by common_prefix_length over the tokens of the same texts: 1 turn, 2 turns and none in
// common.
TEST(Prepare, TellsWhereTheLastTurnAndWhereTheCompletionBegins) {
    const World world = templated(
        "parted",
        "{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}");
    const std::string user = R"({"role": "user", "content": "q"})", yes = R"({"role": "assistant", "content": "yes"})",
                      no = R"({"role": "assistant", "content": "no"})", other = R"({"role": "user", "content": "other"})";
    const auto pair = [](const std::string& chosen, const std::string& rejected) {
        return "{\"chosen\": [" + chosen + "], \"rejected\": [" + rejected + "]}\n";
    };
    world.rows(pair(user + "," + yes + "," + other + "," + no, user + "," + no) +
               pair(user + "," + yes + "," + user + "," + no, user + "," + yes + "," + other + "," + no) +
               pair(user + "," + yes, other + "," + yes) + pair(user + "," + yes, user + "," + no));
    const ItemSet set = world.run().set;
    ASSERT_EQ(set.answers.size(), 8U);
    const std::vector<std::pair<std::string, std::string>> expected = {{"no\n", "yes\n<user>other\n<assistant>no\n"},
                                                                       {"no\n", "no\n"},
                                                                       {"no\n", "user>q\n<assistant>no\n"},
                                                                       {"no\n", "user>other\n<assistant>no\n"},
                                                                       {"yes\n", "q\n<assistant>yes\n"},
                                                                       {"yes\n", "other\n<assistant>yes\n"},
                                                                       {"yes\n", "yes\n"},
                                                                       {"no\n", "no\n"}};
    for (std::size_t k = 0; k < expected.size(); ++k) {
        EXPECT_EQ(decoded(world, set, k, set.answers[k].prompt), expected[k].first) << k;
        EXPECT_EQ(decoded(world, set, k, set.answers[k].completion()), expected[k].second) << k;
    }
    const fs::path file = world.folder / ("parted" + std::to_string(world.comm.rank()) + ".h5");
    write_items(file, set);
    const ItemSet read = read_items(file);
    for (std::size_t k = 0; k < expected.size(); ++k) EXPECT_EQ(read.answers[k].completion(), set.answers[k].completion()) << k;
}

std::vector<std::int32_t> occurrences(const ItemSet& set) {
    std::vector<std::int32_t> list;
    for (const Item& item : set.items) list.push_back(item.occurrence);
    return list;
}

TEST(Prepare, CountsItemsOfOneIdBeforeAnyIsLeftOut) {
    World world("occurrence");
    const auto line = [](const char* id, const char* lang, const char* prompt, const char* chosen) {
        return Json{{"id", id}, {"lang", lang}, {"prompt", prompt}, {"chosen", chosen}, {"rejected", "two"}}.dump() + "\n";
    };
    const char* long_prompt = "one two three four five six seven eight nine ten one two three four five six seven eight nine ten";
    world.rows(line("a", "en", long_prompt, "six") + line("a", "ko", "one", "six") + line("a", "en", "one", "two") +
               line("a", "en", "one", "six") + line("b", "en", "one", "six") + line("a", "ko", "one", "six"));
    world.options.max_length = 40;
    const ItemSet set = world.run().set;  // too long, and tied: the first two of a in English
    EXPECT_EQ(occurrences(set), (std::vector<std::int32_t>{0, 2, 0, 1}));
    // What was prepared so keeps its counts.
    const auto file = world.folder / ("items" + std::to_string(world.comm.rank()) + ".h5");
    write_items(file, set);
    PrepareOptions again = world.options;
    again.inputs = {file};
    EXPECT_EQ(occurrences(prepare(Communicator::self(), again, *world.tokenizer, *world.chat).set),
              (std::vector<std::int32_t>{0, 2, 0, 1}));
}

TEST(Prepare, NamesAFileWithoutRows) {
    World world("norows");
    if (world.comm.root()) std::ofstream(world.folder / "none.jsonl") << "\n\n";
    world.comm.barrier();
    world.options.inputs.push_back(world.folder / "none.jsonl");
    EXPECT_NE(world.error().find("none.jsonl: the file has no rows"), std::string::npos) << world.error();
}

TEST(Prepare, PutsBosBeforeAndEosBehindPlainText) {
    const World world("plain");
    world.rows(R"({"prompt": "one", "chosen": "two", "rejected": "three"})");
    const ItemSet set = world.run().set;
    std::vector<std::int32_t> expected = world.tokenizer->encode("one\ntwo", false);
    const std::vector<std::int32_t> prompt = world.tokenizer->encode("one\n", false);
    expected.insert(expected.begin(), *world.tokenizer->bos);
    expected.push_back(*world.tokenizer->eos);
    ASSERT_EQ(set.answers.size(), 2U);
    EXPECT_EQ(tokens(set, 0), expected);
    EXPECT_EQ(set.answers[0].prompt, static_cast<std::int32_t>(prompt.size()) + 1);
    EXPECT_EQ(set.answers[1].prompt, set.answers[0].prompt);
}

TEST(Prepare, KeepsTiedPairsWhereTheyCount) {
    World world("tied");
    world.rows(R"({"id": "a", "prompt": "one", "chosen": "two", "rejected": "two"})"
               "\n"
               R"({"id": "b", "prompt": "one", "chosen": "two", "rejected": "six"})");
    const Prepared dropped = world.run();
    EXPECT_EQ(dropped.set.items.size(), 1U);
    EXPECT_EQ(dropped.report.at("en").tied, 1);
    world.options.keep_tied = true;
    const Prepared kept = world.run();
    ASSERT_EQ(kept.set.items.size(), 2U);
    EXPECT_EQ(kept.set.items[0].id, "a");
    EXPECT_EQ(tokens(kept.set, 0), tokens(kept.set, 1));
    EXPECT_EQ(kept.report.at("en").tied, 1);
    EXPECT_EQ(kept.report.at("en").kept, 2);
    EXPECT_EQ(dropped.set.attributes.at("ties"), "drop");
    EXPECT_EQ(kept.set.attributes.at("ties"), "keep");
}

std::string answers_row(const std::string& id, const std::string& chosen, const std::string& rejected) {
    return Json{{"id", id}, {"prompt", "one"}, {"chosen", chosen}, {"rejected", rejected}}.dump() + "\n";
}

// What is scored decides, so texts that differ beyond the cut are a tied pair.
TEST(Prepare, PairsThatAreEqualWhenCutAreTied) {
    World world("tied_when_cut");
    const std::string begin = "the same beginning of an answer";
    world.rows(answers_row("a", begin + " good", begin + " bad") + answers_row("b", "yes", "no") +
               answers_row("c", "six", "six"));
    world.options.over_length = OverLength::right;
    world.options.max_length = 12;
    const Prepared dropped = world.run();
    ASSERT_EQ(dropped.set.items.size(), 1U);
    EXPECT_EQ(dropped.set.items[0].id, "b");
    EXPECT_EQ(dropped.report.at("en").tied, 2);
    EXPECT_EQ(dropped.report.at("en").too_long, 1);
    world.options.keep_tied = true;
    EXPECT_EQ(world.run().report.at("en").kept, 3);
    world.options.over_length = OverLength::drop;  // what is dropped is not tied too
    EXPECT_EQ(world.run().report.at("en").tied, 1);
}

// Rows give the items that the file prepared from them gives, at the same length and at a smaller one.
TEST(Prepare, RowsAndTheFileOfThemGiveTheSameItems) {
    World world("rows_and_file");
    const std::string begin = "the same beginning of an answer";
    world.rows(answers_row("a", begin + " good and long", begin + " good but bad") + answers_row("b", "yes", "no") +
               answers_row("c", "six", "six") + answers_row("d", begin, "no"));
    for (const OverLength policy : {OverLength::right, OverLength::left, OverLength::drop}) {
        for (const bool keep : {false, true}) {
            world.options.inputs = {world.folder / "rows.jsonl"};
            world.options.over_length = policy;
            world.options.keep_tied = keep;
            world.options.max_length = 40;
            const Prepared first = world.run();
            if (world.comm.root()) write_items(world.folder / "items.h5", first.set);
            world.comm.barrier();
            for (const std::int64_t length : {40, 17}) {
                world.options.max_length = length;
                world.options.inputs = {world.folder / "rows.jsonl"};
                const Prepared rows = world.run();
                world.options.inputs = {world.folder / "items.h5"};
                const Prepared file = world.run();
                EXPECT_EQ(file.set.tokens, rows.set.tokens) << length;
                ASSERT_EQ(file.set.items.size(), rows.set.items.size()) << length;
                for (std::size_t i = 0; i < rows.set.answers.size(); ++i)
                    EXPECT_EQ(file.set.answers[i].prompt, rows.set.answers[i].prompt) << i;
                EXPECT_EQ(file.report.at("en").kept, rows.report.at("en").kept) << length;
                if (keep) {
                    EXPECT_EQ(file.report.at("en").tied, rows.report.at("en").tied) << length;
                }
            }
        }
    }
}

TEST(Prepare, AnEvaluationRefusesAFileWithoutItsTiedPairs) {
    World world("tied_dropped");
    world.rows(answers_row("a", "six", "six") + answers_row("b", "yes", "no"));
    const Prepared dropped = world.run();
    if (world.comm.root()) write_items(world.folder / "items.h5", dropped.set);
    world.comm.barrier();
    world.options.inputs = {world.folder / "items.h5"};
    EXPECT_EQ(world.run().set.items.size(), 1U);  // training has no use for them
    world.options.keep_tied = true;
    EXPECT_NE(world.error().find("prepared without its 1 tied pairs"), std::string::npos) << world.error();
    world.options.langs = {"ko"};
    EXPECT_EQ(world.error().find("tied"), std::string::npos) << world.error();
}

TEST(Prepare, CountsIdsThatOccurMoreThanOnce) {
    World world("repeated");
    const std::string korean = R"({"id": "b", "lang": "ko", "prompt": "p", "chosen": "x", "rejected": "y"})"
                               "\n";
    world.rows(answers_row("a", "1", "2") + answers_row("b", "1", "2") + answers_row("a", "3", "4") + answers_row("a", "5", "6") +
               korean);
    Prepared prepared = world.run();
    EXPECT_EQ(prepared.report.at("en").repeated, 1);
    EXPECT_EQ(prepared.report.at("ko").repeated, 0);  // a translation is no repetition
    const std::string report = format_report(prepared.report);
    EXPECT_NE(report.find("en: 1 id occurs more than once (an item is its id and occurrence)\n"), std::string::npos) << report;
    EXPECT_EQ(report.find("occur", report.find("occur") + 1), report.find("occurrence")) << report;
    world.rows(answers_row("a", "1", "2") + answers_row("b", "1", "2") + answers_row("a", "3", "4") + answers_row("b", "5", "6"));
    EXPECT_NE(format_notes(world.run().report).find("en: 2 ids occur more than once"), std::string::npos);
}

TEST(Prepare, NamesTheRowThatATemplateRefuses) {
    World world("refused", "concat");
    world.rows(answers_row("a", "x", "y") + R"({"system": "be kind", "prompt": "p", "chosen": "x", "rejected": "y"})"
                                            "\n");
    EXPECT_NE(world.error().find("rows.jsonl:2: template concat refuses the conversation"), std::string::npos) << world.error();
}

TEST(Prepare, RefusesATextWithoutTokens) {
    World world("no_tokens");
    if (world.comm.root()) std::ofstream(world.folder / "chat_template.jinja") << "{% if false %}{{ messages }}{% endif %}";
    world.comm.barrier();
    world.chat = load_chat_template("jinja", world.folder);
    EXPECT_NE(world.error().find("rows.jsonl:1: item 'i-0-n0' (en) has a text without any token"), std::string::npos)
        << world.error();
}

TEST(Prepare, ItemsOfAnotherDateAreRefusedByIt) {
    World world("date", "llama-3.1");
    const auto accept = [&](const std::string& name, const std::string& date) {
        world.chat = load_chat_template(name, world.folder, date);
        if (name == "llama-3.1") world.chat->writes_bos = false;  // this tokenizer has another BOS
    };
    accept("llama-3.1", "26 Jul 2024");
    const Prepared first = world.run();
    if (world.comm.root()) write_items(world.folder / "items.h5", first.set);
    world.comm.barrier();
    world.options.inputs = {world.folder / "items.h5"};
    EXPECT_EQ(world.error(), "");
    accept("llama-3.1", "2025-01-01");
    EXPECT_NE(world.error().find("items.h5: it was prepared with the date 26 Jul 2024, now 01 Jan 2025"), std::string::npos)
        << world.error();
    accept("none", "2025-01-01");
    EXPECT_NE(world.error().find("another chat template (llama-3.1, now none)"), std::string::npos) << world.error();
    world.options.inputs = {world.folder / "rows.jsonl"};
    const Prepared plain = world.run();
    if (world.comm.root()) write_items(world.folder / "items.h5", plain.set);
    world.comm.barrier();
    world.options.inputs = {world.folder / "items.h5"};
    accept("none", "2026-02-02");  // no date is written
    EXPECT_EQ(world.error(), "");
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

TEST(Prepare, LeavesSpecialTokensToATemplateThatWritesThem) {
    const World world("chatml", "chatml");
    world.rows(R"({"prompt": "one", "chosen": "two", "rejected": "three"})");
    const ItemSet set = world.run().set;
    EXPECT_EQ(tokens(set, 0),
              world.tokenizer->encode("<|im_start|>user\none<|im_end|>\n<|im_start|>assistant\ntwo<|im_end|>\n", false));
    EXPECT_EQ(set.attributes.at("template"), "chatml");
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

TEST(Prepare, ReadsPreparedItemsOfTheSameTokenizerAndTemplateOnly) {
    World world("again");
    const Prepared first = world.run();
    if (world.comm.root()) write_items(world.folder / "items.h5", first.set);
    world.comm.barrier();
    world.options.inputs = {world.folder / "items.h5"};
    const Prepared second = world.run();
    EXPECT_EQ(second.set.tokens, first.set.tokens);
    EXPECT_EQ(second.set.items.size(), first.set.items.size());
    world.chat = load_chat_template("chatml", world.folder);
    EXPECT_NE(world.error().find("another chat template"), std::string::npos) << world.error();
    world.tokenizer->sha256[0] = world.tokenizer->sha256[0] == '0' ? '1' : '0';
    EXPECT_NE(world.error().find("another tokenizer"), std::string::npos) << world.error();
}

// What each kind of rows looks like.
std::string rows_of(RowKind kind) {
    switch (kind) {
        case RowKind::preference:
            return R"({"id": "x", "prompt": "p", "chosen": "c", "rejected": "r"})";
        case RowKind::document:
            return R"({"id": "x", "text": "t"})";
        case RowKind::response:
            return R"({"id": "x", "prompt": "p", "response": "r"})";
        case RowKind::ranking:
            return R"({"id": "x", "prompt": "p", "responses": ["a", "b", "c"], "ranks": [2, 1, 3]})";
        case RowKind::regression:
            return R"({"id": "x", "prompt": "p", "response": "r", "labels": [1, null]})";
    }
    return "";
}
constexpr RowKind kAllKinds[] = {RowKind::preference, RowKind::document, RowKind::response, RowKind::ranking,
                                 RowKind::regression};

// Prepares rows of `kind`, lets `spoil` alter them, and gives the file to a world that reads that kind.
template <typename Spoil>
void prepared_of(World& world, RowKind kind, const Spoil& spoil) {
    world.rows(rows_of(kind));
    world.options.inputs = {world.folder / "rows.jsonl"};
    world.options.kind = kind;
    Prepared prepared = world.run();
    spoil(prepared.set);
    if (world.comm.root()) write_items(world.folder / "items.h5", prepared.set);
    world.comm.barrier();
    world.options.inputs = {world.folder / "items.h5"};
}

TEST(PrepareKinds, PreparedItemsOfAnotherKindAreRefusedByName) {
    World world("kinds");
    for (const RowKind held : kAllKinds) {
        prepared_of(world, held, [](ItemSet&) {});
        for (const RowKind wanted : kAllKinds) {
            world.options.kind = wanted;
            const std::string error = world.error();
            if (held == wanted) {
                EXPECT_EQ(error, "");
                continue;
            }
            for (const std::string& part :
                 {std::string("items.h5"), std::string("kind ") + name_of(held), std::string(name_of(wanted)) + " rows"}) {
                EXPECT_NE(error.find(part), std::string::npos) << part << " in " << error;
            }
        }
        world.comm.barrier();
    }
}

TEST(PrepareKinds, ItemsThatAreNotWhatTheirFileSaysAreRefused) {
    World world("unlike");
    const auto refused = [&](RowKind kind, const char* part, const std::function<void(ItemSet&)>& spoil) {
        prepared_of(world, kind, spoil);
        const std::string error = world.error();
        EXPECT_NE(error.find("items.h5: item 'x'"), std::string::npos) << part << ": " << error;
        EXPECT_NE(error.find(part), std::string::npos) << error;
        world.comm.barrier();
    };
    const auto nan = std::numeric_limits<float>::quiet_NaN();
    const auto infinity = std::numeric_limits<float>::infinity();
    refused(RowKind::preference, "1 answer", [](ItemSet& set) { set.items[0].answers = 1; });
    refused(RowKind::preference, "0 right answers of 2", [](ItemSet& set) { set.items[0].num_correct = 0; });
    refused(RowKind::preference, "2 right answers of 2", [](ItemSet& set) { set.items[0].num_correct = 2; });
    refused(RowKind::preference, "1 labels", [](ItemSet& set) { set.items[0].labels = {1.0F}; });
    refused(RowKind::document, "a prompt", [](ItemSet& set) { set.answers[0].prompt = 1; });
    refused(RowKind::ranking, "2 labels", [](ItemSet& set) { set.items[0].labels.pop_back(); });
    refused(RowKind::ranking, "ascend", [](ItemSet& set) { std::swap(set.items[0].labels[0], set.items[0].labels[2]); });
    refused(RowKind::ranking, "no number", [&](ItemSet& set) { set.items[0].labels[1] = nan; });
    refused(RowKind::regression, "no number", [&](ItemSet& set) { set.items[0].labels[0] = infinity; });
    refused(RowKind::regression, "0 labels", [](ItemSet& set) { set.items[0].labels.clear(); });
}

TEST(PrepareKinds, AnEvaluationTakesRankingsThatHaveABestAnswer) {
    World world("rankings");
    world.options.rankings_too = true;
    prepared_of(world, RowKind::ranking, [](ItemSet&) {});
    world.options.kind = RowKind::preference;
    EXPECT_EQ(world.run().set.items.at(0).answers, 3);
    world.comm.barrier();
    prepared_of(world, RowKind::ranking, [](ItemSet& set) {
        set.items[0].labels = {1.0F, 1.0F, 1.0F};
        set.items[0].num_correct = 3;
    });
    EXPECT_NE(world.error().find("3 right answers of 3"), std::string::npos) << world.error();
    world.options.kind = RowKind::preference;
    prepared_of(world, RowKind::document, [](ItemSet&) {});
    world.options.kind = RowKind::preference;
    EXPECT_NE(world.error().find("kind document"), std::string::npos) << world.error();
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

TEST(PrepareReport, CountsTokensAndCharacters) {
    LanguageReport report;
    report.read = 4;
    report.kept = 2;
    report.too_long = 1;
    report.tied = 1;
    report.lengths = {30, 10, 20, 40};
    report.characters = 50;
    const std::string table = format_report({{"ko", report}});
    EXPECT_NE(table.find("ko                    4        2        1      1         100     10     20     30     40     2.000"),
              std::string::npos)
        << table;
}

PrepareJob job_of(const World& world) {
    PrepareJob job;
    job.input = {(world.folder / "rows.jsonl").string()};
    job.model = world.folder.string();
    job.output = (world.folder / "pairs.h5").string();
    job.chat_template = "none";
    return job;
}

TEST(PrepareJob, WritesOneFileAPart) {
    const World world("job");
    PrepareJob job = job_of(world);
    job.split = "train=0.6,test=0.4";
    const std::string dry = job.run(world.comm, true);
    EXPECT_FALSE(fs::exists(world.folder / "pairs.train.h5"));
    EXPECT_NE(dry.find("part train"), std::string::npos);
    job.run(world.comm, false);
    const ItemSet train = read_items(world.folder / "pairs.train.h5");
    const ItemSet test = read_items(world.folder / "pairs.test.h5");
    EXPECT_EQ(train.items.size() + test.items.size(), 296U);
    EXPECT_GT(train.items.size(), test.items.size());
    EXPECT_FALSE(fs::exists(world.folder / "pairs.h5"));
    world.comm.barrier();
}

TEST(PrepareJob, TakesTheKindOfAPreparedFileFromTheFile) {
    World world("job_kind");
    prepared_of(world, RowKind::document, [](ItemSet&) {});
    PrepareJob job = job_of(world);
    job.input = {(world.folder / "items.h5").string()};
    job.run(world.comm, false);
    EXPECT_EQ(read_items(world.folder / "pairs.h5").attributes.at("kind"), "document");
    job.rows = "preference";
    EXPECT_THROW(job.run(world.comm, false), Error);
    world.comm.barrier();
}

TEST(PrepareJob, AnotherRunOnOneOfItsFilesIsRefused) {
    const World world("job_locks");
    PrepareJob job = job_of(world);
    job.split = "train=0.6,test=0.4";
    {
        std::optional<OutputLock> other;
        if (world.comm.root()) other.emplace(world.folder / "pairs.test.h5", OutputKind::replaced);
        world.comm.barrier();
        std::string message;
        try {
            job.run(world.comm, false);
        } catch (const Error& error) {
            message = error.what();
        }
        EXPECT_NE(message.find("another run is at work on "), std::string::npos) << message;
        EXPECT_NE(message.find("pairs.test.h5"), std::string::npos) << message;
        EXPECT_NE(job.run(world.comm, true), "") << "a dry run writes nothing";
        world.comm.barrier();
    }
    world.comm.barrier();
    EXPECT_FALSE(fs::exists(world.folder / "pairs.train.h5"));
    job.run(world.comm, false);
    EXPECT_TRUE(fs::exists(world.folder / "pairs.test.h5"));
    world.comm.barrier();
}

TEST(PrepareJob, RefusesATokenizerThatIsTooLargeForTheModel) {
    const World world("vocab");
    if (world.comm.root()) std::ofstream(world.folder / "config.json") << R"({"vocab_size": 100})";
    world.comm.barrier();
    EXPECT_THROW(job_of(world).run(world.comm, false), Error);
    world.comm.barrier();
    EXPECT_FALSE(fs::exists(world.folder / "pairs.h5"));
}

TEST(PrepareJob, TrainsASentencepieceModelAndUsesIt) {
    const World world("train");
    PrepareJob job = job_of(world);
    job.model.clear();
    job.train_sentencepiece = (world.folder / "sp").string();
    job.vocab_size = 290;
    const std::string report = job.run(world.comm, false);
    const auto tokenizer = load_tokenizer(world.folder / "sp");
    EXPECT_EQ(tokenizer->vocab_size(), 290);
    EXPECT_EQ(read_items(world.folder / "pairs.h5").attributes.at("tokenizer_sha256"), tokenizer->sha256);
    job.vocab_size = 100000;
    EXPECT_THROW(job.run(world.comm, false), Error);  // on every rank
    world.comm.barrier();
}

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
