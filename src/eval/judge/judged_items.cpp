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

constexpr std::int32_t kRanked = 4;

// Why the form cannot judge a row; "" where it can.
std::string unfit(JudgeForm form, const PreferenceRow& row) {
    const auto answers = static_cast<std::int32_t>(row.answers.size());
    const std::string has = "has " + std::to_string(answers) + " answers";
    switch (form) {
        case JudgeForm::pair:
            return answers == 2 ? "" : has + ", and pairs are judged here; give rows of two answers";
        case JudgeForm::ranking:
            return answers == kRanked && row.num_correct == 1 ? ""
                                                              : has + ", of which " + std::to_string(row.num_correct) + " right";
        case JudgeForm::rating:
            break;
    }
    return row.num_correct >= 1 && row.num_correct < answers
               ? ""
               : has + ", of which " + std::to_string(row.num_correct) +
                     " right (right ones are compared with wrong ones); leave it out";
}

JudgedItem item_of(const PreferenceRow& row, Occurrences& counted) {
    JudgedItem item{row.id, row.lang, row.subset, counted.next(row.lang, row.id), text_of(row.prompt), {}, row.num_correct};
    for (const RowAnswer& answer : row.answers) item.answers.push_back(text_of(answer.turns));
    return item;
}

PrepareOptions rows_of(const JudgeJob& job) {
    PrepareOptions rows;
    rows.inputs = {job.data.begin(), job.data.end()};
    rows.langs = job.langs;
    rows.forms = job.generate.forms;
    rows.split = job.generate.split;
    rows.part = job.generate.part;
    rows.default_lang = job.generate.default_lang;
    return rows;
}

}  // namespace

std::vector<std::string> JudgedItems::orders(const JudgedItem& item) const {
    const auto answers = static_cast<std::int32_t>(item.answers.size());
    std::vector<std::string> orders;
    switch (prompt.form()) {
        case JudgeForm::pair:
            if (uses_ab(mode)) orders.emplace_back("AB");
            if (uses_ba(mode)) orders.emplace_back("BA");
            break;
        case JudgeForm::ranking:
            orders.push_back(shown_order(shown_at(seed, item.id, item.occurrence, answers), answers));
            break;
        case JudgeForm::rating:
            for (std::int32_t i = 1; i <= answers; ++i) orders.push_back(std::to_string(i));
            break;
    }
    return orders;
}

std::vector<JudgeRequest> JudgedItems::requests() const {
    std::vector<JudgeRequest> all;
    for (const JudgedItem& item : items)
        for (const std::string& order : orders(item)) all.push_back({item.lang, item.id, item.occurrence, order});
    return all;
}

std::vector<ChatMessage> JudgedItems::messages(const JudgedItem& item, const std::string& order) const {
    std::map<std::string, std::string> values = {{"question", item.question},
                                                 {"question_language", english_name(item.lang)},
                                                 {"answer_language", english_name(item.lang)}};
    const std::vector<std::string> names = JudgePrompt::answer_names(prompt.form());
    const bool rating = prompt.form() == JudgeForm::rating;
    for (std::size_t i = 0; i < names.size(); ++i)
        values[names[i]] = item.answers[rating ? std::stoul(order) - 1 : static_cast<std::size_t>(order[i] - 'A')];
    return prompt.fill(values);
}

JudgedItems read_judged_items(const JudgeJob& job) {
    require(!job.prompt.empty(), "--prompt is not given; name the file that says what the judge is asked (jobs/judges/pair.txt)",
            ExitCode::usage);
    require(!job.data.empty(), "--data is not given; name the preference rows that are judged", ExitCode::usage);
    JudgedItems judged{{}, {}, Json::object(), JudgePrompt::read(job.prompt), parse_order_mode(job.orders)};
    judged.seed = static_cast<std::uint64_t>(job.generate.seed);
    const JudgeForm form = judged.prompt.form();
    JudgeParser(job.parser, form);
    Occurrences counted;
    std::set<std::string> langs;
    read_rows(rows_of(job), [&](std::int64_t, PreferenceRow&& row) {
        const std::string name = "item '" + row.id + "' (" + row.lang + ")";
        const std::string problem = unfit(form, row);
        if (!problem.empty() && form != JudgeForm::ranking) fail(name + " " + problem);
        require(!row.prompt.empty(), name + " has no turns that both answers follow, so there is no question");
        JudgedItem item = item_of(row, counted);
        if (!problem.empty()) {
            ++judged.left_out;
            return;
        }
        langs.insert(row.lang);
        judged.items.push_back(std::move(item));
    });
    require(!judged.items.empty(), form == JudgeForm::ranking ? "the data have no rows of four answers of which one is right, so "
                                                                "there is nothing to rank; take a prompt of form pair or rating"
                                                              : "the data have no rows that can be judged");
    judged.langs = {langs.begin(), langs.end()};
    for (const std::string& file : job.data)
        judged.input_sha256[std::filesystem::path(file).filename().string()] = sha256_file(file);
    return judged;
}

}  // namespace xlrm
