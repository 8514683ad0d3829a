#include <cstdio>
#include <optional>

#include "generate/generate_samples.hpp"
#include "judge/judged_items.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/log.hpp"
#include "xlrm/core/output_lock.hpp"
#include "xlrm/eval/evaluator.hpp"
#include "xlrm/text/language_detect.hpp"

namespace xlrm {
namespace {

GenerateJob generation_of(const JudgeJob& job) {
    GenerateJob generate = job.generate;
    const std::string cell = job.output.ends_with(".h5") ? job.output.substr(0, job.output.size() - 3) : job.output;
    generate.output = cell + ".replies.jsonl";
    generate.prompts = {"the rows of --data"};  // they are made from them, and not read
    generate.samples = job.votes;
    generate.sampling.greedy = job.votes == 1;
    return generate;
}

MakePrompts prompts_of(const JudgedItems& items) {
    return [&items](const Tokenizer& tokenizer, const ChatTemplate& chat_template) {
        EncodedPrompts prompts;
        for (const JudgedItem& item : items.items)
            for (const std::string& order : items.orders(item)) {
                const JudgeRequest request{item.lang, item.id, item.occurrence, order};
                // The occurrence is part of the id.
                prompts.all.push_back(
                    encode_prompt(custom_id(request), item.lang, 0, items.messages(item, order), tokenizer, chat_template));
            }
        return prompts;
    };
}

// The majority of each request's judgements.
JudgeReplies read_replies(const std::filesystem::path& samples, const JudgeParser& parser) {
    struct Judgements {
        std::vector<JudgeVerdict> verdicts;
        bool cut_off = true;  // all of them
        std::string lang;     // of the first
    };
    std::map<JudgeRequest, Judgements> all;
    for_each_sample(samples, [&](std::int64_t line, Sample&& sample) {
        Judgements& one = all[parse_custom_id(sample.prompt_key.id, samples.string() + ":" + std::to_string(line))];
        if (one.verdicts.empty()) one.lang = sample.detected_lang;
        one.verdicts.push_back(parser.parse(sample.text));
        one.cut_off = one.cut_off && sample.finish_reason == "length";
    });
    JudgeReplies replies;
    for (auto& [request, one] : all) {
        const JudgeVerdict verdict = one.verdicts.size() == 1 ? one.verdicts.front() : majority(one.verdicts);
        replies[request] = {verdict, one.cut_off, one.lang};
    }
    return replies;
}

void check(const JudgeJob& job) {
    require(!job.output.empty(), "--output is not given; name the file to write", ExitCode::usage);
    require(job.votes > 0, "--votes must be 1 or more", ExitCode::usage);
    if (job.verb == "import")
        require(!job.verdicts.empty(), "--verdicts is not given; name the files of replies", ExitCode::usage);
    if (job.verb != "run")
        require(!job.judge.empty(), "--judge is not given; name the model that the service has", ExitCode::usage);
}

JobEnd run_model(const Communicator& world, const JudgeJob& job, const JudgedItems& items, const JudgeCaller* caller) {
    const GenerateJob generate = generation_of(job);
    const auto finish = [&](const GenerationSetup& setup, const Json& record) {
        const JudgeReplies replies = read_replies(setup.output, JudgeParser(job.parser, items.prompt.form()));
        const Json& content = record.at("samples_of");
        const JudgeFacts facts{setup.folder.lexically_normal().filename().string(),
                               setup.chat_template->name,
                               setup.chat_template->sha256,
                               setup.tokenizer->sha256,
                               content.at("model_sha256"),
                               generate.dtype,
                               "have a prompt that leaves no token for a reply",
                               content,
                               record};
        const std::string table =
            write_judge_cell(job, items, replies, facts, caller != nullptr ? caller->finish : std::function<void(Cell&)>());
        if (caller != nullptr) return;
        std::printf("%s%scell: %s\nreplies: %s\n", setup.notes.c_str(), table.c_str(), job.output.c_str(), setup.output.c_str());
    };
    if (caller == nullptr) return generate_samples(world, generate, prompts_of(items), finish);
    return generate_samples(world, generate, prompts_of(items), finish, {.embedded = true, .stop = caller->stop});
}

void export_requests(const JudgeJob& job, const JudgedItems& items) {
    const Json options = job.request_options.empty() ? Json::object() : parse_json(job.request_options, "--request-options");
    require(options.is_object(), "--request-options is no JSON object", ExitCode::usage);
    std::string lines;
    for (const JudgedItem& item : items.items)
        for (const std::string& order : items.orders(item)) {
            const JudgeRequest request{item.lang, item.id, item.occurrence, order};
            lines += batch_line(request, job.judge, items.messages(item, order), options) + "\n";
        }
    write_file_atomic(job.output, lines);
    std::printf("%zu requests: %s\n", items.requests().size(), job.output.c_str());
}

void import_verdicts(const Communicator& world, const JudgeJob& job, const JudgedItems& items) {
    const JudgeForm form = items.prompt.form();
    const ImportedReplies imported =
        import_replies({job.verdicts.begin(), job.verdicts.end()}, items.requests(), JudgeParser(job.parser, form), form);
    JudgeReplies replies;
    for (const auto& [request, reply] : imported.replies) {
        replies[request] = reply.reply;
        if (!reply.text.empty() && can_detect_language()) replies[request].lang = detect_language(reply.text);
    }
    for (const std::string& line : imported.report()) log_root(LogLevel::warning, line);
    JudgeFacts facts;
    facts.model = job.judge;
    facts.chat_template = facts.dtype = "none";
    facts.why_missing = "have no reply to each of their prompts";
    facts.run = run_facts(world, 0.0, at::kCPU);
    std::printf("%scell: %s\n", write_judge_cell(job, items, replies, facts, {}).c_str(), job.output.c_str());
}

}  // namespace

JobEnd run_judge(const Communicator& world, const JudgeJob& job, const JudgeCaller* caller) {
    std::optional<JudgedItems> items;
    std::optional<OutputLock> lock;  // on the root
    together(world, [&] {
        check(job);
        items.emplace(read_judged_items(job));
    });
    if (caller == nullptr) on_root(world, [&] { lock.emplace(job.output, OutputKind::replaced, stop_requested); });
    if (job.verb == "run") return run_model(world, job, *items, caller);
    on_root(world, [&] { job.verb == "export" ? export_requests(job, *items) : import_verdicts(world, job, *items); });
    return ExitCode::done;
}

std::string judge_report(const Communicator& world, const JudgeJob& job) {
    std::optional<JudgedItems> items;
    together(world, [&] {
        check(job);
        items.emplace(read_judged_items(job));
    });
    const JudgePrompt& prompt = items->prompt;
    const bool pairs = prompt.form() == JudgeForm::pair;
    std::string report = std::to_string(items->items.size()) + (pairs ? " pairs, " : " items, ") +
                         std::to_string(items->requests().size()) + " prompts: " + prompt.name() + ", version " +
                         std::to_string(prompt.version()) + ", parser " + job.parser + (pairs ? ", orders " + job.orders : "") +
                         "\n";
    if (items->left_out > 0)
        report += std::to_string(items->left_out) + " rows do not have four answers of which one is right, and are left out\n";
    return job.verb == "run" ? report + samples_plan(world, generation_of(job), prompts_of(*items)) : report;
}

}  // namespace xlrm
