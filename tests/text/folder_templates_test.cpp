#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "support/shared_data.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/json.hpp"
#include "xlrm/text/chat_template.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

// A folder with these files; what is no text is written as JSON.
fs::path folder_with(const Json& files) {
    const fs::path folder = fs::temp_directory_path() / ("xlrm_folder_templates_" + std::to_string(getpid()));
    fs::remove_all(folder);
    for (const auto& [name, content] : files.items()) {
        fs::create_directories((folder / name).parent_path());
        std::ofstream(folder / name, std::ios::binary) << (content.is_string() ? content.get<std::string>() : content.dump());
    }
    return folder;
}

std::string refusal(const Json& files, const std::string& name = "auto") {
    try {
        load_chat_template(name, folder_with(files))->render(Json{{{"role", "user"}, {"content", "hi"}}}, false, Json::object());
    } catch (const Error& error) {
        return error.what();
    }
    return "accepted";
}

const char* const kHi = "{% for m in messages %}{{ m.content }}{% endfor %}";

// Goldens: tests/fixtures/text/make_folder_templates.py (AutoTokenizer of transformers 5.23.0).
TEST(FolderTemplates, AreThoseOfAutoTokenizer) {
    std::ifstream file(test::fixture("text/folder_templates.golden.jsonl"));
    int count = 0;
    for (std::string line; std::getline(file, line); ++count) {
        const Json row = Json::parse(line);
        std::string text;
        bool refused = false;
        try {
            text =
                load_chat_template("auto", folder_with(row.at("files")))->render(row.at("messages"), false, row.at("variables"));
        } catch (const Error&) {
            refused = true;
        }
        EXPECT_EQ(refused, row.contains("error")) << line << "\n" << text;
        if (!refused) {
            EXPECT_EQ(text, row.value("text", "an error")) << line;
        }
    }
    EXPECT_GE(count, 95);
}

TEST(FolderTemplates, AreTakenByName) {
    const Json files = {{"tokenizer_config.json", {{"bos_token", "<s>"}}},
                        {"chat_template.jinja", "J"},
                        {"additional_chat_templates/rag.jinja", "{{ bos_token }}R"},
                        {"additional_chat_templates/tool_use.jinja", "T"},
                        {"chat_template.json", {{"chat_template", "S"}}}};
    const Json messages = {{{"role", "user"}, {"content", "hi"}}};
    const Json tools = {{"tools", Json::array({Json::object()})}};
    const auto rag = load_chat_template("jinja:rag", folder_with(files));
    EXPECT_EQ(rag->render(messages, false, tools), "<s>R");
    EXPECT_EQ(rag->name, "jinja:rag");
    EXPECT_EQ(load_chat_template("jinja:default", folder_with(files))->render(messages, false, tools), "J");
    EXPECT_EQ(load_chat_template("jinja:chat_template.json", folder_with(files))->render(messages, false, tools), "S");
    EXPECT_EQ(load_chat_template("jinja", folder_with(files))->render(messages, false, tools), "T");
    EXPECT_NE(load_chat_template("auto", folder_with(files))->sha256,
              load_chat_template("jinja:default", folder_with(files))->sha256);
    EXPECT_NE(refusal(files, "jinja:ragg").find("no chat template 'ragg' (it has: default, rag, tool_use, chat_template.json)"),
              std::string::npos)
        << refusal(files, "jinja:ragg");
}

TEST(FolderTemplates, WithoutOneAreNoneAndSayso) {
    const auto bare = load_chat_template("auto", folder_with({{"tokenizer_config.json", Json::object()}}));
    EXPECT_EQ(bare->name, "none");
    EXPECT_NE(bare->describe().find(
                  "template: none (the folder has no chat template: a line end between prompt and answer; --template concat"),
              std::string::npos)
        << bare->describe();
    const auto processor = load_chat_template("auto", folder_with({{"chat_template.json", {{"chat_template", kHi}}}}));
    EXPECT_EQ(processor->name, "none");
    EXPECT_NE(processor->describe().find("--template jinja:chat_template.json takes it"), std::string::npos)
        << processor->describe();
    EXPECT_NE(load_chat_template("auto", folder_with({{"chat_template.jinja", kHi}}))
                  ->describe()
                  .find("template: jinja (chat_template.jinja of the folder)"),
              std::string::npos);
    EXPECT_NE(
        load_chat_template("llama-3.1", ".", "2025-01-05")->describe().find("llama-3.1 (built in), writes the date 05 Jan 2025"),
        std::string::npos);
}

TEST(FolderTemplates, NameATokenThatTheyWriteAndNobodyNames) {
    const auto notes = [](const std::string& source) {
        return load_chat_template("auto",
                                  folder_with({{"tokenizer_config.json",
                                                {{"pad_token", nullptr}, {"bos_token", "<s>"}, {"chat_template", source}}}}))
            ->notes;
    };
    ASSERT_EQ(notes("{{ eot_token }}").size(), 1U);
    EXPECT_NE(notes("{% if messages %}{{ 'a' + eot_token }}{% endif %}").front().find("eot_token"), std::string::npos);
    for (const char* source : {"{{ bos_token }}{{ pad_token }}", "{% if eot_token is defined %}{{ eot_token }}{% endif %}",
                               "{{ eot_token | default('') }}", "{% set eot_token = 'x' %}{{ eot_token }}",
                               "{% if eot_token %}{{ eot_token }}{% endif %}", "eot_token {{ 'eot_token' }}",
                               "{% macro f(a_token) %}{{ a_token }}{% endmacro %}{{ f(1) }}",
                               "{% for a_token in messages %}{{ a_token }}{% endfor %}"}) {
        EXPECT_TRUE(notes(source).empty()) << source;
    }
}

TEST(FolderTemplates, OfOddTypesAreRefusedByFileAndField) {
    const auto config = [](const Json& value) { return Json{{"tokenizer_config.json", {{"chat_template", value}}}}; };
    const std::vector<std::pair<Json, std::string>> cases = {
        {config(5), "tokenizer_config.json: chat_template is neither a text nor a list of named templates but number"},
        {config(true), "but boolean"},
        {config(Json::array({"x"})), "chat_template[0] is not an object"},
        {config(Json::array({{{"name", 3}, {"template", "x"}}})), "chat_template[0]: 'name' must be a text"},
        {config(Json::array({{{"name", "default"}, {"template", 7}}})), "chat_template[0]: 'template' must be a text"},
        {config(Json::array({{{"name", "default"}}})), "'template' must be a text"},
        {config({{"default", 3}}), "chat_template: 'default' must be a text"},
        {config({{"rag", "x"}}), "no default (rag)"},
        {{{"tokenizer_config.json", "[1, 2]"}}, "tokenizer_config.json: an object is expected, not array"},
        {{{"tokenizer_config.json", "{\"chat_template\": "}}, "tokenizer_config.json: not valid JSON"},
        {{{"tokenizer_config.json", {{"eos_token", 5}, {"chat_template", "x"}}}},
         "tokenizer_config.json: eos_token: a token is expected"},
        {{{"chat_template.jinja", "x"}, {"special_tokens_map.json", {{"bos_token", Json::array()}}}},
         "special_tokens_map.json: bos_token"},
        {{{"tokenizer_config.json", {{"extra_special_tokens", {{"a_token", 1}}}, {"chat_template", "x"}}}},
         "extra_special_tokens.a_token"},
        {{{"chat_template.jinja", "x\xff"}}, "chat_template.jinja: the template is not UTF-8"},
        {{{"chat_template.jinja", std::string(1100000, 'x')}}, "chat_template.jinja: the template has 1100000 bytes"},
        {{{"additional_chat_templates/default.jinja", "a\n{% if %}"}}, "default.jinja:2: "},
    };
    for (const auto& [files, expected] : cases) {
        Json written = Json::object();  // invalid UTF-8 cannot be dumped, so texts go as they are
        for (const auto& [name, content] : files.items()) written[name] = content;
        EXPECT_NE(refusal(written).find(expected), std::string::npos) << expected << "\n" << refusal(written).substr(0, 500);
    }
}

}  // namespace
}  // namespace xlrm
