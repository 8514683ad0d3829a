#pragma once

#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <functional>
#include <limits>
#include <optional>

#include "support/shared_data.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/data/prepare.hpp"
#include "xlrm/data/prepare_job.hpp"
#include "xlrm/store/items_file.hpp"

namespace xlrm {

namespace fs = std::filesystem;

// A folder that all ranks share; rank 0 fills it.
inline fs::path folder_of(const Communicator& comm, const std::string& name) {
    // Tests of several programs run at a time.
    const std::string test = testing::UnitTest::GetInstance()->current_test_info()->name();
    const fs::path folder = fs::temp_directory_path() / ("xlrm_" + test + "_" + name + "_" + std::to_string(comm.size()));
    if (comm.root()) {
        fs::remove_all(folder);
        fs::create_directories(folder);
        fs::copy(test::fixture("text/bpe_special.json"), folder / "tokenizer.json");
        std::ofstream(folder / "tokenizer_config.json") << R"({"eos_token": "<|end|>", "bos_token": "<s>"})";
    }
    comm.barrier();
    return folder;
}

// Two languages, 150 ids; a tied pair in each hundred.
inline void write_rows(const fs::path& path) {
    std::ofstream file(path);
    for (int i = 0; i < 150; ++i) {
        const std::string chosen = "yes " + std::string(static_cast<std::size_t>(i % 7), 'x');
        for (const std::string lang : {"en", "ko"}) {
            const Json row = {{"id", "i-" + std::to_string(i / 2) + "-n" + std::to_string(i % 2)},
                              {"lang", lang},
                              {"prompt", (lang == "ko" ? "질문 " : "question ") + std::to_string(i)},
                              {"chosen", chosen},
                              {"rejected", i % 100 == 5 ? chosen : "no"}};
            file << row.dump() << "\n";
        }
    }
}

struct World {
    Communicator comm = Communicator::world();
    std::unique_ptr<Tokenizer> tokenizer;
    std::unique_ptr<ChatTemplate> chat;
    fs::path folder;
    PrepareOptions options;

    explicit World(const std::string& name, const std::string& chat_template = "none") : folder(folder_of(comm, name)) {
        tokenizer = load_tokenizer(folder);
        chat = load_chat_template(chat_template, folder);
        if (comm.root()) write_rows(folder / "rows.jsonl");
        comm.barrier();
        options.inputs = {folder / "rows.jsonl"};
    }
    Prepared run() const { return prepare(comm, options, *tokenizer, *chat); }
    std::string error() const {
        try {
            run();
        } catch (const Error& error) {
            return error.what();
        }
        return "";
    }
    // `lines` replaces the rows.
    void rows(const std::string& lines) const {
        if (comm.root()) std::ofstream(folder / "rows.jsonl") << lines;
        comm.barrier();
    }
};

inline std::vector<std::int32_t> tokens(const ItemSet& set, std::size_t answer) {
    const auto span = set.answer_tokens(set.answers[answer]);
    return {span.begin(), span.end()};
}

inline std::string answers_row(const std::string& id, const std::string& chosen, const std::string& rejected) {
    return Json{{"id", id}, {"prompt", "one"}, {"chosen", chosen}, {"rejected", rejected}}.dump() + "\n";
}

// What each kind of rows looks like.
inline std::string rows_of(RowKind kind) {
    switch (kind) {
        case RowKind::preference:
            return R"({"id": "x", "prompt": "p", "chosen": "c", "rejected": "r"})";
        case RowKind::document:
            return R"({"id": "x", "text": "t"})";
        case RowKind::response:
            return R"({"id": "x", "prompt": "p", "response": "r"})";
        case RowKind::ranking:
            return R"({"id": "x", "prompt": "p", "responses": ["a", "b", "c"], "ranks": [2, 1, 3]})";
        case RowKind::regression:
            return R"({"id": "x", "prompt": "p", "response": "r", "labels": [1, null]})";
        case RowKind::prompt:
            return R"({"id": "x", "prompt": "p"})";
    }
    return "";
}

// Those that are prepared.
constexpr RowKind kAllKinds[] = {RowKind::preference, RowKind::document, RowKind::response, RowKind::ranking,
                                 RowKind::regression};

// Prepares rows of `kind`, lets `spoil` alter them, and gives the file to a world that reads that kind.
template <typename Spoil>
inline void prepared_of(World& world, RowKind kind, const Spoil& spoil) {
    world.rows(rows_of(kind));
    world.options.inputs = {world.folder / "rows.jsonl"};
    world.options.kind = kind;
    Prepared prepared = world.run();
    spoil(prepared.set);
    if (world.comm.root()) write_items(world.folder / "items.h5", prepared.set);
    world.comm.barrier();
    world.options.inputs = {world.folder / "items.h5"};
}

}  // namespace xlrm
