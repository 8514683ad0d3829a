#include "xlrm/data/prepare_job.hpp"

#include <optional>

#include "item_kinds.hpp"
#include "row_source.hpp"
#include "xlrm/comm/run_job.hpp"
#include "xlrm/comm/shared_temporary_folder.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/output_lock.hpp"
#include "xlrm/core/progress.hpp"
#include "xlrm/store/items_file.hpp"

namespace xlrm {
namespace fs = std::filesystem;

void PrepareJob::describe(Options& options) {
    options.section("prepare")
        .add("input", &input, "FILE,…", "rows: .jsonl, .jsonl.gz, .parquet, prepared .h5")
        .add("model", &model, "DIR", "model folder whose tokenizer and template are used")
        .add("output", &output, "FILE.h5", "prepared items; nothing is written without it")
        .add("langs", &langs, "LANG,…",
             "languages to keep (default: all); pt: all its regions, pt-BR: that one, hin_Latn: in that script")
        .add_choice("rows", &rows, {"auto", "preference", "document", "response", "ranking", "regression"},
                    "what a row is; auto: by the first one's form");
    xlrm::describe(options, forms);
    options.add("template", &chat_template, "NAME", template_help())
        .add("template-date", &template_date, "DATE", kTemplateDateHelp)
        .add("max-length", &max_length, "TOKENS", "longest text")
        .add_choice("over-length", &over_length, {"drop", "left", "right", "error"}, "what becomes of longer ones")
        .add_choice("ties", &ties, {"drop", "keep"},
                    "pairs whose texts are the same tokens: drop for training, keep for evaluation")
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
    require(!options.inputs.empty(), "--input is not given; name the rows to prepare (.jsonl, .jsonl.gz, .parquet, .h5)",
            ExitCode::usage);
    options.langs = langs;
    options.forms = forms;
    forms.mapping();
    const auto& first = options.inputs.front();
    if (rows != "auto")
        options.kind = parse_row_kind(rows);
    else
        options.kind = is_prepared(first) ? prepared_kind(first) : detect_row_kind(first, forms);
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
        const Activity activity("training the sentencepiece model");
        xlrm::train_sentencepiece(collect_texts(options), vocab_size, folder, static_cast<std::uint64_t>(seed),
                                  character_coverage);
    });
}

std::string PrepareJob::prepare_part(const Communicator& comm, const PrepareOptions& options, const Tokenizer& tokenizer,
                                     const ChatTemplate& chat, const fs::path& file, bool dry_run) const {
    const Prepared prepared = prepare(comm, options, tokenizer, chat);
    std::string report = options.part.empty() ? "" : "part " + options.part + "\n";
    report += format_report(prepared.report, prepared.notes);
    on_root(comm, [&] {
        if (file.empty() || dry_run) return;
        const Activity activity("writing the items");
        write_items(file, prepared.set);
        report += file.string() + ": " + std::to_string(prepared.set.items.size()) + " items, " +
                  std::to_string(prepared.set.tokens.size()) + " tokens, " +
                  format_bytes(static_cast<double>(fs::file_size(file))) + "\n";
    });
    return report;
}

std::vector<fs::path> PrepareJob::files(const std::vector<std::string>& parts) const {
    if (output.empty()) return std::vector<fs::path>(parts.size());
    if (parts.size() == 1) return {fs::path(output)};
    std::vector<fs::path> files;
    for (const std::string& name : parts) {
        files.emplace_back(output);
        files.back().replace_extension("." + name + files.back().extension().string());
    }
    return files;
}

//! Locks of all that the job writes, on the root.
std::vector<OutputLock> PrepareJob::lock_outputs(const std::vector<std::string>& parts) const {
    std::vector<OutputLock> locks;
    if (!train_sentencepiece.empty()) locks.emplace_back(train_sentencepiece, OutputKind::filled, stop_requested);
    for (const fs::path& file : files(parts)) {
        if (!file.empty()) locks.emplace_back(file, OutputKind::replaced, stop_requested);
    }
    return locks;
}

std::string PrepareJob::run(const Communicator& comm, bool dry_run) const {
    PrepareOptions options;
    std::vector<std::string> parts;
    together(comm, [&] {
        const Activity activity("checking the options");
        require(!input.empty(), "--input is not given; name the rows to prepare (.jsonl, .jsonl.gz, .parquet, .h5)",
                ExitCode::usage);
        require(!model.empty() || !train_sentencepiece.empty(),
                "--model is not given; name the folder whose tokenizer and template are used (or train a tokenizer with "
                "--train-sentencepiece)",
                ExitCode::usage);
        if (!part.empty() && split.empty()) fail("--part needs --split", ExitCode::usage);
        parts = Split(split).names();
        if (parts.empty() || !part.empty()) parts = {part};
    });
    std::vector<OutputLock> locks;
    on_root(comm, [&] {
        if (!dry_run) locks = lock_outputs(parts);
    });
    together(comm, [&] {
        const Activity activity("reading the first input");
        options = prepare_options();
    });
    fs::path folder = model;
    fs::path trained = train_sentencepiece;
    std::string report;
    std::optional<SharedTemporaryFolder> scratch;
    if (!trained.empty()) {
        // A dry run trains too, for that is where it can fail; its model is removed again.
        if (dry_run) trained = scratch.emplace(comm, "xlrm-prepare") / "tokenizer";
        train(comm, options, trained);
        report = "sentencepiece model of " + std::to_string(vocab_size) + " pieces" + (dry_run ? "" : " in " + trained.string()) +
                 "\n";
        if (folder.empty()) folder = trained;
    }
    std::unique_ptr<Tokenizer> tokenizer;
    std::unique_ptr<ChatTemplate> chat;
    together(comm, [&] {
        const Activity activity("reading the tokenizer and the template");
        tokenizer = load_tokenizer(folder);
        if (fs::exists(folder / "config.json")) {
            const Json config = read_json(folder / "config.json");
            if (config.contains("vocab_size") && config.at("vocab_size").is_number_integer())
                require_tokenizer_fits(*tokenizer, config.at("vocab_size").get<std::int64_t>(), folder);
        }
        chat = load_chat_template(chat_template, folder, template_date);
    });
    const std::vector<fs::path> written = files(parts);
    for (std::size_t i = 0; i < parts.size(); ++i) {
        options.part = parts[i];
        report += prepare_part(comm, options, *tokenizer, *chat, written[i], dry_run);
    }
    return report + chat->describe();
}

}  // namespace xlrm
