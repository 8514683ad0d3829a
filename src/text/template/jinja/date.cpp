#include <array>
#include <cstdio>
#include <ctime>

#include "template.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm::jinja {
namespace {

constexpr std::array<const char*, 12> kMonths = {"January", "February", "March",     "April",   "May",      "June",
                                                 "July",    "August",   "September", "October", "November", "December"};
constexpr std::array<const char*, 7> kDays = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

bool leap(int year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

int days_of(int year, int month) {
    constexpr std::array<int, 12> days = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && leap(year) ? 29 : days[static_cast<std::size_t>(month - 1)];
}

int day_of_year(const Date& date) {
    int day = date.day;
    for (int month = 1; month < date.month; ++month) day += days_of(date.year, month);
    return day;
}

// 0 = Sunday.
int day_of_week(const Date& date) {
    const int before = date.year - 1;
    return (before * 365 + before / 4 - before / 100 + before / 400 + day_of_year(date)) % 7;
}

std::string number(int value, int digits) {
    char buffer[16];
    std::snprintf(buffer, sizeof buffer, "%0*d", digits, value);
    return buffer;
}

}  // namespace

Date Date::parse(const std::string& text) {
    Date date;
    char month[4] = {};
    int end = 0;
    const bool iso = text.size() > 4 && text[4] == '-';
    if (!iso && std::sscanf(text.c_str(), "%2d %3s %4d%n", &date.day, month, &date.year, &end) == 3) {
        for (std::size_t i = 0; i < kMonths.size(); ++i) {
            if (std::string(kMonths[i]).substr(0, 3) == month) date.month = static_cast<int>(i) + 1;
        }
    } else if (!iso || std::sscanf(text.c_str(), "%4d-%2d-%2d%n", &date.year, &date.month, &date.day, &end) != 3) {
        end = -1;
    }
    const bool good = end == static_cast<int>(text.size()) && date.year > 0 && date.month > 0 && date.month <= 12 &&
                      date.day > 0 && date.day <= days_of(date.year, date.month);
    if (!good)
        fail(
            "the date '" + text + "' cannot be read (templates write it in several forms); write it as 26 Jul 2024 or 2024-07-26",
            ExitCode::usage);
    return date;
}

std::string Date::format(const std::string& format) const {
    std::string out;
    for (std::size_t at = 0; at < format.size(); ++at) {
        if (format[at] != '%') {
            out += format[at];
            continue;
        }
        ++at;
        const bool plain = at < format.size() && format[at] == '-';  // %-d: without a leading zero
        if (plain) ++at;
        const char letter = at < format.size() ? format[at] : '\0';
        const int digits = plain ? 1 : 2;
        switch (letter) {
            case 'd':
                out += number(day, digits);
                break;
            case 'e':
                out += (plain || day > 9 ? "" : " ") + std::to_string(day);
                break;
            case 'm':
                out += number(month, digits);
                break;
            case 'y':
                out += number(year % 100, digits);
                break;
            case 'Y':
                out += std::to_string(year);
                break;
            case 'j':
                out += number(day_of_year(*this), plain ? 1 : 3);
                break;
            case 'b':
            case 'h':
                out += std::string(kMonths[static_cast<std::size_t>(month - 1)]).substr(0, 3);
                break;
            case 'B':
                out += kMonths[static_cast<std::size_t>(month - 1)];
                break;
            case 'a':
                out += std::string(kDays[static_cast<std::size_t>(day_of_week(*this))]).substr(0, 3);
                break;
            case 'A':
                out += kDays[static_cast<std::size_t>(day_of_week(*this))];
                break;
            case 'w':
                out += std::to_string(day_of_week(*this));
                break;
            case 'H':
            case 'M':
            case 'S':
                out += number(0, digits);
                break;
            case 'I':
                out += "12";
                break;
            case 'p':
                out += "AM";
                break;
            case 'F':
                out += std::to_string(year) + "-" + number(month, 2) + "-" + number(day, 2);
                break;
            case 'T':
                out += "00:00:00";
                break;
            case '%':
                out += '%';
                break;
            default:
                fail("strftime_now with '%" + std::string(1, letter) + "' is not supported");
        }
    }
    return out;
}

}  // namespace xlrm::jinja
