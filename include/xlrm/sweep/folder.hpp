#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "xlrm/core/file_hashes.hpp"
#include "xlrm/sweep/plan.hpp"

namespace xlrm {

//! Places within a sweep folder, and what in it is finished. The files that verify are the truth; the ledger is a log.
class SweepFolder {
public:
    explicit SweepFolder(std::filesystem::path root)
        : root_(std::move(root)), hashes_(std::make_shared<FileHashes>(root_ / "hashes.json")) {}

    const std::filesystem::path& root() const { return root_; }
    std::filesystem::path config() const { return root_ / "sweep.cfg.json"; }
    std::filesystem::path plan() const { return root_ / "plan.json"; }
    std::filesystem::path ledger() const { return root_ / "ledger.jsonl"; }
    std::filesystem::path index() const { return root_ / "index.h5"; }
    std::filesystem::path world() const { return root_ / "world"; }
    std::filesystem::path tokenizer() const { return root_ / "tokenizer"; }
    std::filesystem::path model(const std::string& name) const { return root_ / "models" / name; }
    //! Where an output lies, by its name in the plan: "cells/base.en.s1/dev.ko.h5".
    std::filesystem::path place(const std::string& output) const { return root_ / output; }
    std::filesystem::path table(const std::string& extension) const { return root_ / ("table." + extension); }

    //! Which tasks of the plan have nothing left to do: those whose output is there and whole (Task::done; what it comes from is
    //! another question, compare.hpp), and those whose intermediate output no task that is left needs. A derived one is done only
    //! with all that it needs.
    std::vector<bool> done(const Plan& plan) const;
    //! Whether a model, or a base made here, is there; not while its training has a checkpoint.
    bool has_model(const std::string& name) const;
    //! Hashes of what lies here and of what is read; kept in hashes.json, which is safe to lose.
    FileHashes& hashes() const { return *hashes_; }

    //! Removes temporary files that killed processes of this host left anywhere in the folder. Call it before any rank writes
    //! there.
    void remove_leftovers() const;

    //! Reads plan.json. Throws Error when the folder is not a sweep folder.
    Plan read_plan() const;

private:
    std::filesystem::path root_;
    std::shared_ptr<FileHashes> hashes_;
};

}  // namespace xlrm
