#pragma once

#include <set>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "syntax.hpp"

namespace xlrm::jinja {

//! A day of the calendar, written "26 Jul 2024" or "2024-07-26".
struct Date {
    int year = 0, month = 0, day = 0;
    //! Throws Error(usage) for what is no date.
    static Date parse(const std::string& text);
    //! As Python's strftime at midnight, in English. Throws Error for a letter that is not supported.
    std::string format(const std::string& format) const;
};

//! A chat template in the subset of Jinja that such templates use, with the settings of transformers (trim_blocks, lstrip_blocks,
//! break and continue, {% generation %}; raise_exception, strftime_now, namespace, dict, range). What is outside of the subset is
//! refused by name: tags, filters, tests and operators when the template is read, methods when they are met.
class Template {
public:
    //! Throws Error naming `where` and the line.
    Template(const std::string& source, std::string where);

    //! `variables`: an object. `strftime_now` writes `date`. Throws Error naming the line, with the template's own words where it
    //! raises. Thread-safe.
    std::string render(const nlohmann::ordered_json& variables, const Date& date) const;

    //! Whether an expression has `name` as a variable, as an attribute (`message.name`) or as a text of its own
    //! (`message['name']`,
    //! `'name' in message`, `message.get("name")`). What is written as data or as part of a longer text does not count.
    bool mentions(std::string_view name) const;
    //! Variables that the source writes without asking whether they have a value, and that it never gives one.
    std::set<std::string> needed_variables() const;

private:
    std::string where_;
    Body body_;
};

}  // namespace xlrm::jinja
