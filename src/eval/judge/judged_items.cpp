#include "judge/judged_items.hpp"

#include <array>
#include <set>

#include "xlrm/core/error.hpp"
#include "xlrm/core/sha256.hpp"
#include "xlrm/data/prepare.hpp"
#include "xlrm/store/occurrences.hpp"

namespace xlrm {
namespace {

// As people call a language in English; its code where it is none of these.
std::string english_name(const std::string& lang) {
    static const std::map<std::string, std::string> names = {
        {"ar", "Arabic"},     {"bn", "Bengali"},        {"cs", "Czech"},      {"de", "German"},
        {"el", "Greek"},      {"en", "English"},        {"es", "Spanish"},    {"et", "Estonian"},
        {"fa", "Persian"},    {"fi", "Finnish"},        {"fr", "French"},     {"he", "Hebrew"},
        {"hi", "Hindi"},      {"ht", "Haitian Creole"}, {"id", "Indonesian"}, {"it", "Italian"},
        {"ja", "Japanese"},   {"ko", "Korean"},         {"nl", "Dutch"},      {"pl", "Polish"},
        {"pt", "Portuguese"}, {"qu", "Quechua"},        {"ro", "Romanian"},   {"ru", "Russian"},
        {"sw", "Swahili"},    {"ta", "Tamil"},          {"th", "Thai"},       {"tr", "Turkish"},
        {"uk", "Ukrainian"},  {"vi", "Vietnamese"},     {"zh", "Chinese"},    {"zh-hant", "Traditional Chinese"}};
    const auto found = names.find(lang);
    return found == names.end() ? lang : found->second;
}

// One turn as it is; several with their speakers.
std::string text_of(const std::vector<ChatMessage>& turns) {
    if (turns.size() == 1) return turns.front().content;
    std::string text;
    for (const ChatMessage& turn : turns) {
        std::string role = turn.role;
        if (!role.empty() && role.front() >= 'a' && role.front() <= 'z')
            role.front() = static_cast<char>(role.front() - 'a' + 'A');
        text.append(text.empty() ? "" : "\n\n").append(role).append(": ").append(turn.content);
    }
    return text;
}

}  // namespace

std::vector<JudgeRequest> JudgedItems::requests() const {
    std::vector<JudgeRequest> all;
    for (const JudgedItem& item : items) {
        if (uses_ab(mode)) all.push_back({item.lang, item.id, item.occurrence, "AB"});
        if (uses_ba(mode)) all.push_back({item.lang, item.id, item.occurrence, "BA"});
    }
    return all;
}

std::vector<ChatMessage> JudgedItems::messages(const JudgedItem& item, bool swapped) const {
    return prompt.fill({{"question", item.question},
                        {"answer_a", swapped ? item.rejected : item.chosen},
                        {"answer_b", swapped ? item.chosen : item.rejected},
                        {"question_language", english_name(item.lang)},
                        {"answer_language", english_name(item.lang)}});
}

JudgedItems read_judged_items(const JudgeJob& job) {
    require(!job.prompt.empty(), "--prompt is not given; name the file that says what the judge is asked (jobs/judges/pair.txt)",
            ExitCode::usage);
    require(!job.data.empty(), "--data is not given; name the preference rows that are judged", ExitCode::usage);
    JudgedItems judged{{}, {}, Json::object(), JudgePrompt::read(job.prompt), parse_order_mode(job.orders)};
    require(judged.prompt.form() == JudgeForm::pair,
            "--prompt " + job.prompt + ": it asks for a " + name_of(judged.prompt.form()) +
                ", and pairs are judged here; take one of form pair",
            ExitCode::usage);
    PrepareOptions rows;
    rows.inputs = {job.data.begin(), job.data.end()};
    rows.langs = job.langs;
    rows.forms = job.generate.forms;
    rows.split = job.generate.split;
    rows.part = job.generate.part;
    rows.default_lang = job.generate.default_lang;
    Occurrences counted;
    std::set<std::string> langs;
    read_rows(rows, [&](std::int64_t, PreferenceRow&& row) {
        const std::string name = "item '" + row.id + "' (" + row.lang + ")";
        require(row.answers.size() == 2, name + " has " + std::to_string(row.answers.size()) +
                                             " answers, and pairs are judged here; give rows of two answers");
        require(!row.prompt.empty(), name + " has no turns that both answers follow, so there is no question");
        langs.insert(row.lang);
        judged.items.push_back({row.id, row.lang, row.subset, counted.next(row.lang, row.id), text_of(row.prompt),
                                text_of(row.answers[0].turns), text_of(row.answers[1].turns)});
    });
    require(!judged.items.empty(), "the data have no pairs that can be judged");
    judged.langs = {langs.begin(), langs.end()};
    for (const std::string& file : job.data)
        judged.input_sha256[std::filesystem::path(file).filename().string()] = sha256_file(file);
    return judged;
}

}  // namespace xlrm
