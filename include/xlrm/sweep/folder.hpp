#pragma once

#include <filesystem>
#include <vector>

#include "xlrm/sweep/plan.hpp"

namespace xlrm {

//! Places within a sweep folder, and what in it is finished. The files that verify are the truth; the ledger is a log.
class SweepFolder {
public:
    explicit SweepFolder(std::filesystem::path root) : root_(std::move(root)) {}

    const std::filesystem::path& root() const { return root_; }
    std::filesystem::path config() const { return root_ / "sweep.cfg.json"; }
    std::filesystem::path plan() const { return root_ / "plan.json"; }
    std::filesystem::path ledger() const { return root_ / "ledger.jsonl"; }
    std::filesystem::path index() const { return root_ / "index.h5"; }
    std::filesystem::path world() const { return root_ / "world"; }
    std::filesystem::path tokenizer() const { return root_ / "tokenizer"; }
    std::filesystem::path model(const std::string& name) const { return root_ / "models" / name; }
    std::filesystem::path cell(const Task& task) const;
    std::filesystem::path floor(const Task& task) const;   //!< JSON: accuracy of the surface floor on every target
    std::filesystem::path table(const std::string& extension) const { return root_ / ("table." + extension); }

    //! Whether the task's output is there and whole.
    bool done(const Task& task) const;
    std::vector<bool> done(const Plan& plan) const;

    //! Removes temporary files that killed processes of this host left anywhere in the folder. Call it before any rank writes there.
    void remove_leftovers() const;

    //! Reads plan.json. Throws Error when the folder is not a sweep folder.
    Plan read_plan() const;

private:
    std::filesystem::path root_;
};

}  // namespace xlrm
