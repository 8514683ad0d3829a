#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <fstream>

#include "chat_template_sources.hpp"
#include "jinja/template.hpp"
#include "support/shared_data.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/json.hpp"
#include "xlrm/core/random.hpp"

namespace xlrm {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

const Json& variables() {
    static const Json all = {
        {"bos_token", "<s>"},
        {"eos_token", "</s>"},
        {"add_generation_prompt", true},
        {"date_string", "26 Jul 2024"},
        {"n", 7},
        {"x", -2.5},
        {"documents", nullptr},
        {"tools", {{{"type", "function"}, {"function", {{"name", "f"}, {"parameters", {{"a", {1, 2.5, nullptr}}}}}}}}},
        {"messages",
         {{{"role", "system"}, {"content", " Be\u3000kind. "}},
          {{"role", "user"}, {"content", "Où est <b>?\n"}},
          {{"role", "assistant"},
           {"content", "<think>a</think>here"},
           {"tool_calls", {{{"function", {{"name", "f"}, {"arguments", {{"z", true}}}}}}}}},
          {{"role", "user"}, {"content", ""}}}}};
    return all;
}

// Whether it renders; false where it is refused. Anything else that is thrown fails the test, and so does what takes long.
bool renders(const std::string& source) {
    const auto start = Clock::now();
    bool good = false;
    try {
        jinja::Template(source, "fuzz.jinja").render(variables(), jinja::Date{2024, 7, 26});
        good = true;
    } catch (const Error&) {
    } catch (const std::exception& error) {
        ADD_FAILURE() << "threw " << error.what() << "\n" << source.substr(0, 3000);
    }
    const double seconds = seconds_since(start);
    EXPECT_LT(seconds, 60.0) << source.substr(0, 3000);
    return good;
}

std::vector<std::string> seeds() {
    std::vector<std::string> list = {read_file(test::fixture("text/templates/qwen2.5.jinja"))};
    for (const BuiltinTemplate& builtin : builtin_templates()) list.push_back(builtin.source);
    std::ifstream file(test::fixture("text/templates.golden.jsonl"));
    for (std::string line; std::getline(file, line);) list.push_back(Json::parse(line).at("template").get<std::string>());
    return list;
}

const std::vector<std::string>& snippets() {
    static const std::vector<std::string> list = {"{{",
                                                  "}}",
                                                  "{%",
                                                  "%}",
                                                  "{#",
                                                  "#}",
                                                  "{%-",
                                                  "-%}",
                                                  "{% endif %}",
                                                  "{% endfor %}",
                                                  "{% else %}",
                                                  "{% raw %}",
                                                  "{% endraw %}",
                                                  "{% if x %}",
                                                  "(",
                                                  ")",
                                                  "[",
                                                  "]",
                                                  "{",
                                                  "}",
                                                  "|",
                                                  "~",
                                                  "+",
                                                  "-",
                                                  "*",
                                                  "/",
                                                  "//",
                                                  "%",
                                                  "**",
                                                  "==",
                                                  "!=",
                                                  "<",
                                                  " in ",
                                                  " not ",
                                                  " is ",
                                                  " if ",
                                                  " else ",
                                                  " and ",
                                                  " or ",
                                                  ".",
                                                  ",",
                                                  ":",
                                                  "=",
                                                  "'",
                                                  "\"",
                                                  "\\",
                                                  "\\x",
                                                  "\\u12",
                                                  "0",
                                                  "1",
                                                  "-1",
                                                  "999999999999999999",
                                                  "9223372036854775807",
                                                  "1e999",
                                                  "1e-999",
                                                  "0.5",
                                                  "none",
                                                  "true",
                                                  "messages",
                                                  "loop",
                                                  "namespace(a=1)",
                                                  "dict(a=1)",
                                                  "range(9)",
                                                  "range(99999)",
                                                  "range(0, 9 * 999999999999999999, 9 * 999999999999999999)",
                                                  "| length",
                                                  "| list",
                                                  "| tojson(indent=9)",
                                                  "| join(',')",
                                                  "| sort",
                                                  "| unique",
                                                  "| reverse",
                                                  "| replace('a', 'aaaa')",
                                                  "| map('upper')",
                                                  "| selectattr('role')",
                                                  "| dictsort",
                                                  "| trim",
                                                  "| int",
                                                  "| abs",
                                                  "* 999999999999999999",
                                                  ".split()",
                                                  ".split('a')",
                                                  ".items()",
                                                  ".get('a')",
                                                  "[::-1]",
                                                  "[1:]",
                                                  "[-1]",
                                                  "[::9 * 999999999999999999]",
                                                  "{% set ns = namespace(a=[]) %}",
                                                  "{% set ns.a = [ns.a, ns.a] %}",
                                                  "{% for m in messages %}",
                                                  "{% macro f(a=1) %}{{ f(a) }}{% endmacro %}{{ f() }}",
                                                  "{% break %}",
                                                  "{% continue %}",
                                                  "{% generation %}",
                                                  "{{ raise_exception('x') }}",
                                                  "strftime_now('%Y')",
                                                  std::string(1, '\0'),
                                                  "\xff",
                                                  "\xe2\x80",
                                                  "é",
                                                  "🙂"};
    return list;
}

std::string mutated(const std::vector<std::string>& seeds, Random& random) {
    std::string text = seeds[random.below(seeds.size())];
    for (std::uint64_t change = 1 + random.below(6); change > 0; --change) {
        const std::size_t at = random.below(text.size() + 1);
        const std::size_t length = random.below(std::min<std::size_t>(text.size() - at, 60) + 1);
        switch (random.below(5)) {
            case 0:
                text.erase(at, length);
                break;
            case 1:
                text.insert(random.below(text.size() + 1), text.substr(at, length));
                break;
            case 2:
                if (at < text.size()) text[at] = static_cast<char>(random.below(256));
                break;
            case 3: {
                const std::string& other = seeds[random.below(seeds.size())];
                text.insert(at, other.substr(random.below(other.size() + 1), random.below(200)));
                break;
            }
            default:
                text.insert(at, snippets()[random.below(snippets().size())]);
                break;
        }
    }
    return text;
}

TEST(JinjaFuzz, MutatedTemplatesRenderOrAreRefused) {
    const std::vector<std::string> from = seeds();
    Random random(17, 0);
    int rendered = 0;
    const int count = 30000;
    for (int i = 0; i < count; ++i) rendered += renders(mutated(from, random)) ? 1 : 0;
    EXPECT_GT(rendered, count / 20);
    EXPECT_LT(rendered, count);
}

std::string repeated(const std::string& text, int count) {
    std::string all;
    for (int i = 0; i < count; ++i) all += text;
    return all;
}

// Each would take the stack, the memory, minutes, or what C++ leaves undefined.
TEST(JinjaFuzz, HostileTemplatesAreRefusedInTime) {
    const std::string big = "{% set ns = namespace(t='abcdefgh' * 1000000, l=[], d={}) %}";
    const std::vector<std::string> refused = {
        "{{ 1" + repeated(" + 1", 100000) + " }}",
        "{{ x" + repeated(".a", 100000) + " }}",
        "{{ 'x'" + repeated(" | trim", 100000) + " }}",
        "{{ 'x'" + repeated(" ~ 'x'", 100000) + " }}",
        "{{ n" + repeated(" and n", 100000) + " }}",
        "{{ n" + repeated(" if n", 50000) + " }}",
        "{{ f" + repeated("()", 100000) + " }}",
        "{{ " + repeated("[1] + ", 10000) + "[1] }}",
        "{{ " + repeated("not ", 10000) + "x }}",
        repeated("{% if n %}", 10000) + repeated("{% endif %}", 10000),
        "{% for i in range(90000) %}{% for j in range(90000) %}{% for k in range(90000) %}{% endfor %}{% endfor %}{% endfor %}",
        "{{ range(1000000000) }}",
        "{{ 'a' * 1000000000 }}",
        "{{ 'a' * 9223372036854775807 }}",
        "{% macro f(a) %}{{ f(a) }}{{ f(a) }}{% endmacro %}{{ f(1) }}",
        "{% macro f(a) %}{{ " + repeated("(", 40) + "f(a)" + repeated(")", 40) + " }}{% endmacro %}{{ f(1) }}",
        "{{ 9223372036854775807 + 1 }}",
        "{{ 999999999999999999 * 999999999999999999 }}",
        "{{ -(-9 * 999999999999999999 - 999999999999999999) * 9 }}",
        "{% set a = -999999999999999999 * 9 - 223372036854775817 %}{{ a }}{{ -a }}",
        "{% set a = -999999999999999999 * 9 - 223372036854775817 %}{{ a | abs }}",
        "{% set ns = namespace(a=[]) %}{% for i in range(90000) %}{% set ns.a = [ns.a] %}{% endfor %}{{ ns.a }}",
        "{% set ns = namespace(a={}) %}{% for i in range(90000) %}{% set ns.a = {'a': ns.a} %}{% endfor %}{{ ns.a | tojson }}",
        "{% set ns = namespace(a={}) %}{% for i in range(90000) %}{% set ns.a = {'a': ns.a.get} %}{% endfor %}",
        "{% set ns = namespace(a=[1]) %}{% for i in range(90) %}{% set ns.a = [ns.a, ns.a] %}{% endfor %}{{ ns.a }}",
        "{% set ns = namespace(a=[1]) %}{% for i in range(90) %}{% set ns.a = [ns.a, ns.a] %}{% endfor %}{{ ns.a | tojson }}",
        "{% set ns = namespace(a=[1], b=[1]) %}{% for i in range(90) %}{% set ns.a = [ns.a, ns.a] %}{% set ns.b = [ns.b, ns.b] "
        "%}{% endfor %}{{ ns.a == ns.b }}",
        "{% set ns = namespace(a=[1], b=[1]) %}{% for i in range(90) %}{% set ns.a = [ns.a, ns.a] %}{% set ns.b = [ns.b, ns.b] "
        "%}{% endfor %}{{ [ns.a, ns.b] | sort }}",
        big + "{{ ns.t | list | length }}",
        big + "{{ ns.t | replace('', ns.t) }}",
        big + "{{ ns.t | replace('a', ns.t) }}",
        big + "{{ ns.t.join(range(90000) | map('string')) }}",
        big + "{{ range(90000) | join(ns.t) }}",
        big + "{{ ns.t.split('a') | length }}" + repeated("{{ ns.t.split('b') | length }}", 40),
        big + "{{ ns.t.strip(ns.t) }}",
        big + "{{ ns.t.rfind(ns.t[1:]) }}",
        big + "{% for i in range(90000) %}{% if 'zz' in ns.t %}{% endif %}{% endfor %}",
        big + "{% for i in range(90000) %}{% if ns.t | lower == ns.t %}{% endif %}{% endfor %}",
        big +
            "{% set ns.l = range(90000) | map('string') | list %}{% for i in range(99) %}{% set x = [ns.t, ns.t] | sort %}{% "
            "endfor %}" +
            repeated("{{ [{'a': ns.t}, {'a': ns.t}] | sort(attribute='a') | length }}", 200),
        big +
            "{% for i in range(90000) %}{% if [ns.t] == [ns.t[:-1]] %}{% endif %}{% if ns.t in [ns.t[:-1]] %}{% endif %}{% "
            "endfor %}",
        big + "{{ [ns.t] * 3 }}",
        big + "{{ ns.t.split('a') | map('replace', 'b', ns.t) | list | length }}",
        "{{ [[[1]]] | tojson(indent='" + repeated("x", 100000) + "' * 1000) }}",
        "{{ raise_exception('x' * 100000000) }}",
        "{% set ns = namespace(a=[]) %}{% for i in range(90000) %}{% set ns.a = ns.a + [i] %}{% endfor %}",
        "{{ dict(range(90000) | map('string') | map('list')) }}",
        repeated("{% set a = 1 %}", 100000),
    };
    for (const std::string& source : refused) {
        const auto start = Clock::now();
        EXPECT_FALSE(renders(source)) << source.substr(0, 300);
        EXPECT_LT(seconds_since(start), 20.0) << source.substr(0, 300);
    }
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    EXPECT_LT(usage.ru_maxrss, 3L << 20) << "KiB";
}

TEST(JinjaFuzz, StrangeButSoundTemplatesRender) {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"{{ 1e999 }}|{{ -1e999 }}|{{ 1e-999 }}", "inf|-inf|0.0"},
        {"{% set big = 999999999999999999 * 9 %}{{ range(0, big, big) }}", "[0]"},
        {"{% set big = 999999999999999999 * 9 %}{{ [1, 2, 3][::big] }}{{ [1, 2, 3][::-big] }}{{ range(-big, big, big) | length "
         "}}",
         "[1][3]2"},
        {"{{ 'aé🙂b'[1:3] }}|{{ 'aé🙂b'[-1:] }}|{{ 'aé🙂b'[:-1] }}|{{ 'abc'[5:] }}|{{ 'abc'[2:1] }}|{{ 'abc'[-9:2] "
         "}}|{{ "
         "'aé'[1] }}|{{ 'abc'[::-1] }}",
         "é🙂|b|aé🙂|||ab|é|cba"},
        {"{{ ' a  b c '.split() }}{{ ' a  b c '.split(none, 1) }}{{ ' a  b c '.rsplit(none, 1) }}{{ ''.split() }}{{ "
         "'a,,b'.split(',') }}{{ 'a,b,c'.rsplit(',', 1) }}",
         "['a', 'b', 'c']['a', 'b c '][' a  b', 'c'][]['a', '', 'b']['a,b', 'c']"},
        {"{% set ns = namespace() %}{% set ns.me = ns %}{{ ns.me is mapping }}", "False"},
        {"{% set ns = namespace(a=none) %}{% for i in range(20000) %}{% set n = namespace() %}{% set n.a = ns.a %}{% set ns.a = "
         "n %}{% endfor %}x",
         "x"},
        {"{{ 1" + repeated(" + 1", 200) + " }}", "201"},
    };
    for (const auto& [source, expected] : cases) {
        try {
            EXPECT_EQ(jinja::Template(source, "x").render(variables(), jinja::Date{2024, 7, 26}), expected)
                << source.substr(0, 200);
        } catch (const Error& error) {
            ADD_FAILURE() << error.what() << "\n" << source.substr(0, 200);
        }
    }
}

// What is counted must not stop a long conversation.
TEST(JinjaFuzz, ALongConversationRenders) {
    Json all = variables();
    all["messages"] = Json::array();
    for (int i = 0; i < 2000; ++i)
        all["messages"].push_back({{"role", i % 2 == 0 ? "user" : "assistant"}, {"content", repeated("word ", 400)}});
    const std::string loop =
        "{% for m in messages %}{% if loop.index0 < messages | length - 1 and m.role != messages[-1].name and (messages | "
        "selectattr('role', 'eq', 'user') | list)[0] "
        "%}{{ '<' ~ m.role ~ '>' + m.content | trim + '\n' }}{% endif %}{% endfor %}";
    const std::string text = jinja::Template(loop, "x").render(all, jinja::Date{2024, 7, 26});
    EXPECT_GT(text.size(), 3'900'000U);
    for (const BuiltinTemplate& builtin : builtin_templates()) {
        EXPECT_GT(jinja::Template(builtin.source, builtin.name).render(all, jinja::Date{2024, 7, 26}).size(), 3'900'000U)
            << builtin.name;
    }
}

}  // namespace
}  // namespace xlrm
