// What a judge says, what it is asked, and verdicts of others.
#include "reader.hpp"
#include "xlrm/eval/judge_batch.hpp"
#include "xlrm/eval/judge_prompt.hpp"
#include "xlrm/text/language_detect.hpp"

using namespace xlrm;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    for (const JudgeForm form : {JudgeForm::pair, JudgeForm::ranking, JudgeForm::rating}) {
        for (const std::string& name : JudgeParser::names()) {
            xlrm_fuzz::read([&] { JudgeParser(name, form).parse(text); });
        }
    }
    xlrm_fuzz::read([&] { JudgePrompt::parse(text, "prompt.txt"); });
    xlrm_fuzz::read([&] { detect_language(text); });
    const auto file = xlrm_fuzz::as_file(data, size, "verdicts.jsonl");
    xlrm_fuzz::read([&] {
        import_replies({file}, {{"en", "x", 0, "AB"}, {"en", "x", 0, "BA"}}, JudgeParser("mr3", JudgeForm::pair), JudgeForm::pair)
            .report();
    });
    xlrm_fuzz::read([&] {
        import_replies({file}, {{"en", "x", 0, "1"}, {"en", "x", 0, "2"}}, JudgeParser("strict", JudgeForm::rating),
                       JudgeForm::rating)
            .report();
    });
    return 0;
}
