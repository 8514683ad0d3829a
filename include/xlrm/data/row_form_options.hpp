#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "xlrm/core/json.hpp"
#include "xlrm/core/options.hpp"

namespace xlrm {

//! What a user says about the columns of rows, and about the choices that some published forms leave open.
struct RowFormOptions {
    std::vector<std::string> columns;  //!< "prompt=question": xlrm's column, and the row's; "prompt=": a column to leave alone
    std::string prefer = "better";     //!< PKU-SafeRLHF: the better answer is chosen, or the safer
    std::string pair_by;               //!< pairs of the best and the worst answer to a prompt by this number; "" = as the form is

    //! The row's name of a column ("" = leave alone), where something is said of it.
    std::optional<std::string> column(const std::string& own) const;
    //! All of them. Throws Error(usage) for a malformed list, or a name that is none of xlrm's columns.
    std::map<std::string, std::string> mapping() const;
    //! For the provenance of what is made from the rows: what differs from the defaults.
    Json content() const;
};

//! Registers --columns, --prefer and --pair-by.
void describe(Options& options, RowFormOptions& forms);

//! What was seen while rows were read, for the report.
struct RowNotes {
    std::string kind;                              //!< what they were read as
    std::map<std::string, std::int64_t> forms;     //!< rows by form: "preference", "pku-safe-rlhf"
    std::map<std::string, std::int64_t> unused;    //!< rows that have a column which nothing was read from, by column
    std::map<std::string, std::int64_t> left_out;  //!< rows that gave no item, by reason
    std::set<std::string> served;                  //!< options that some row made use of: "columns question", "prefer", "pair-by"

    void add(const RowNotes& other);
    Json to_json() const;
    static RowNotes from_json(const Json& json);
    //! "form: pku-safe-rlhf (100 rows); read as preference rows"; "" where no row was read.
    std::string form_line() const;
    //! One line each: "left out: …", "columns not used: category (100 rows)".
    std::vector<std::string> lines() const;
    //! What `options` say and no row made use of.
    std::vector<std::string> unserved(const RowFormOptions& options) const;
};

}  // namespace xlrm
