// A configuration file, and the texts in it that have a grammar of their own.
#include "reader.hpp"
#include "xlrm/core/language.hpp"
#include "xlrm/core/options.hpp"
#include "xlrm/data/preference_row.hpp"

using namespace xlrm;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string file = xlrm_fuzz::as_file(data, size, "sweep.cfg").string();
    std::string text, choice = "a";
    std::int64_t whole = 1;
    double number = 1.0;
    bool flag = false;
    std::vector<std::string> list;
    xlrm_fuzz::read([&] {
        Options options("xlrm_fuzz", "");
        options.section("data").add("split", &text, "", "").add("langs", &list, "", "").add("flag", &flag, "");
        options.add_prefix(
            "eval.", [](const std::string&, const std::string&) {}, "", "");
        options.section("train")
            .add("steps", &whole, "", "")
            .add("lr", &number, "", "")
            .add_choice("kind", &choice, {"a", "b"}, "");
        const char* arguments[] = {"xlrm_fuzz", "--config", file.c_str()};
        options.parse(3, arguments);
        options.effective().dump();
    });
    for (const std::string& lang : list) {
        xlrm_fuzz::read([&] { canonical_language(lang); });
    }
    return xlrm_fuzz::read([&] { Split(text).part("id-n1"); });
}
