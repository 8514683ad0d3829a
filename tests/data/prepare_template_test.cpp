#include <gtest/gtest.h>

#include "data/prepare_world.hpp"

namespace xlrm {
namespace {

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

TEST(Prepare, NamesTheRowThatATemplateRefuses) {
    World world("refused", "concat");
    world.rows(answers_row("a", "x", "y") + R"({"system": "be kind", "prompt": "p", "chosen": "x", "rejected": "y"})"
                                            "\n");
    EXPECT_NE(world.error().find("rows.jsonl:2: template concat refuses the conversation"), std::string::npos) << world.error();
}

TEST(Prepare, LeavesSpecialTokensToATemplateThatWritesThem) {
    const World world("chatml", "chatml");
    world.rows(R"({"prompt": "one", "chosen": "two", "rejected": "three"})");
    const ItemSet set = world.run().set;
    EXPECT_EQ(tokens(set, 0),
              world.tokenizer->encode("<|im_start|>user\none<|im_end|>\n<|im_start|>assistant\ntwo<|im_end|>\n", false));
    EXPECT_EQ(set.attributes.at("template"), "chatml");
}

}  // namespace
}  // namespace xlrm
