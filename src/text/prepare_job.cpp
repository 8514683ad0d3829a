#include "xlrm/text/prepare_job.hpp"

#include <unistd.h>

#include "row_source.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/language.hpp"
#include "xlrm/core/progress.hpp"
#include "xlrm/store/items_file.hpp"

namespace xlrm {
namespace fs = std::filesystem;

void PrepareJob::describe(Options& options) {
    options.section("prepare")
        .add("input", &input, "FILE,…", "rows: .jsonl, .jsonl.gz, .parquet, prepared .h5")
        .add("model", &model, "DIR", "model folder whose tokenizer and template are used")
        .add("output", &output, "FILE.h5", "prepared items; nothing is written without it")
        .add("langs", &langs, "LANG,…", "languages to keep (default: all)")
        .add_choice("rows", &rows, {"auto", "preference", "document", "response", "ranking", "regression"},
                    "what a row is; auto: by the fields of the first")
        .add("template", &chat_template, "NAME", "chat template: auto, none or a name")
        .add("template-date", &template_date, "DATE", "what Llama-3.x templates write as today")
        .add("max-length", &max_length, "TOKENS", "longest text")
        .add_choice("over-length", &over_length, {"drop", "left", "right", "error"}, "what becomes of longer ones")
        .add_choice("ties", &ties, {"drop", "keep"}, "pairs of equal answers: drop for training, keep for evaluation")
        .add("split", &split, "NAME=SHARE,…", "parts by a hash of the id; siblings and translations stay together")
        .add("part", &part, "NAME", "write this part of the split alone (default: each to a file of its own)")
        .add("default-lang", &default_lang, "LANG", "language of rows that name none")
        .add("concatenate", &concatenate, "documents: all languages of a row as one, in random order")
        .add("seed", &seed, "N", "of --concatenate and of the sample for --train-sentencepiece")
        .add("train-sentencepiece", &train_sentencepiece, "DIR", "train a unigram model on the rows and write it there")
        .add("vocab-size", &vocab_size, "PIECES", "size of that model")
        .add("character-coverage", &character_coverage, "SHARE", "share of characters that get a piece of their own in it");
}

PrepareOptions PrepareJob::prepare_options() const {
    PrepareOptions options;
    options.inputs.assign(input.begin(), input.end());
    require(!options.inputs.empty(), "no --input is given", ExitCode::usage);
    for (const std::string& lang : langs) options.langs.push_back(canonical_language(lang));
    options.kind = rows == "auto" ? RowKind::preference : parse_row_kind(rows);
    if (rows == "auto" && !is_prepared(options.inputs.front())) options.kind = detect_row_kind(options.inputs.front());
    options.max_length = max_length;
    options.over_length = parse_over_length(over_length);
    options.split = split;
    options.part = part;
    options.default_lang = default_lang;
    options.keep_tied = ties == "keep";
    options.concatenate = concatenate;
    options.seed = static_cast<std::uint64_t>(seed);
    return options;
}

// Rank 0 trains; the others hear of its success or its error.
void PrepareJob::train(const Communicator& comm, const PrepareOptions& options, const fs::path& folder) const {
    on_root(comm, [&] {
        xlrm::train_sentencepiece(collect_texts(options), vocab_size, folder, static_cast<std::uint64_t>(seed), character_coverage);
    });
}

std::string PrepareJob::prepare_part(const Communicator& comm, const PrepareOptions& options, const Tokenizer& tokenizer, const ChatTemplate& chat,
                                     const fs::path& file, bool dry_run) const {
    const Prepared prepared = prepare(comm, options, tokenizer, chat);
    std::string report = options.part.empty() ? "" : "part " + options.part + "\n";
    report += format_report(prepared.report);
    on_root(comm, [&] {
        if (file.empty() || dry_run) return;
        write_items(file, prepared.set);
        report += file.string() + ": " + std::to_string(prepared.set.items.size()) + " items, " + std::to_string(prepared.set.tokens.size()) +
                  " tokens, " + format_bytes(static_cast<double>(fs::file_size(file))) + "\n";
    });
    return report;
}

std::string PrepareJob::run(const Communicator& comm, bool dry_run) const {
    PrepareOptions options;
    std::vector<std::string> parts;
    together(comm, [&] {
        options = prepare_options();
        if (!part.empty() && split.empty()) fail("--part needs --split", ExitCode::usage);
        parts = Split(split).names();
    });
    fs::path folder = model;
    fs::path trained;
    std::string report;
    if (!train_sentencepiece.empty()) {
        // A dry run trains too, for that is where it can fail; its model is removed again.
        trained = dry_run ? fs::temp_directory_path() / ("xlrm_prepare_" + comm.broadcast(std::to_string(getpid()))) : fs::path(train_sentencepiece);
        train(comm, options, trained);
        report = "sentencepiece model of " + std::to_string(vocab_size) + " pieces" + (dry_run ? "" : " in " + trained.string()) + "\n";
        if (folder.empty()) folder = trained;
    }
    std::unique_ptr<Tokenizer> tokenizer;
    std::unique_ptr<ChatTemplate> chat;
    together(comm, [&] {
        if (folder.empty()) fail("no --model is given, so there is no tokenizer (or train one with --train-sentencepiece)", ExitCode::usage);
        tokenizer = load_tokenizer(folder);
        if (fs::exists(folder / "config.json")) {
            const Json config = read_json(folder / "config.json");
            if (config.contains("vocab_size")) require_tokenizer_fits(*tokenizer, config.at("vocab_size").get<std::int64_t>(), folder);
        }
        chat = load_chat_template(chat_template, folder, template_date);
    });
    if (parts.empty() || !part.empty()) parts = {part};
    for (const std::string& name : parts) {
        options.part = name;
        fs::path file = output;
        if (parts.size() > 1 && !file.empty()) file.replace_extension("." + name + file.extension().string());
        report += prepare_part(comm, options, *tokenizer, *chat, file, dry_run);
    }
    comm.barrier();
    if (dry_run && !trained.empty() && comm.root()) fs::remove_all(trained);
    return report;
}

}  // namespace xlrm
