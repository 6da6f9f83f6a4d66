// SPDX-License-Identifier: MIT
#include <ringlet/http/date.hpp>

#include <algorithm>
#include <cstddef>

namespace ringlet::http {

namespace {

using namespace std::chrono;

constexpr std::array<std::string_view, 7> day_names{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                    "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> month_names{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// Reads from the front of a text; after the first mismatch all reads fail.
class cursor {
public:
    explicit cursor(std::string_view text) noexcept : rest_{text} {}

    bool literal(std::string_view expected) noexcept {
        good_ = good_ && rest_.starts_with(expected);
        if (good_) rest_.remove_prefix(expected.size());
        return good_;
    }
    int digits(std::size_t count) noexcept {
        good_ = good_ && rest_.size() >= count;
        int number = 0;
        for (std::size_t i = 0; good_ && i < count; ++i) {
            good_ = rest_[i] >= '0' && rest_[i] <= '9';
            number = number * 10 + (rest_[i] - '0');
        }
        if (good_) rest_.remove_prefix(count);
        return number;
    }
    // Index of the name that stands next; `size` characters of it, all of them when 0.
    template <std::size_t N>
    std::size_t one_of(const std::array<std::string_view, N>& names, std::size_t size = 0) noexcept {
        const auto found = std::find_if(names.begin(), names.end(), [&](std::string_view name) {
            return rest_.starts_with(size == 0 ? name : name.substr(0, size));
        });
        good_ = good_ && found != names.end();
        if (good_) rest_.remove_prefix(size == 0 ? found->size() : size);
        return static_cast<std::size_t>(found - names.begin());
    }
    [[nodiscard]] char peek() const noexcept { return rest_.empty() ? '\0' : rest_.front(); }
    [[nodiscard]] bool at_end() const noexcept { return good_ && rest_.empty(); }
    [[nodiscard]] bool good() const noexcept { return good_; }

private:
    std::string_view rest_;
    bool good_ = true;
};

struct clock_time {
    int hour, minute, second;
};

clock_time read_time(cursor& in) noexcept {
    clock_time t{};
    t.hour = in.digits(2);
    in.literal(":");
    t.minute = in.digits(2);
    in.literal(":");
    t.second = in.digits(2);
    return t;
}

std::optional<sys_seconds> combine(int y, std::size_t month_index, int d, clock_time t) noexcept {
    const year_month_day date{year{y}, month{static_cast<unsigned>(month_index) + 1}, day{static_cast<unsigned>(d)}};
    if (!date.ok() || t.hour > 23 || t.minute > 59 || t.second > 60) return std::nullopt;  // 60: a leap second
    return sys_seconds{sys_days{date}} + hours{t.hour} + minutes{t.minute} + seconds{t.second};
}

std::optional<sys_seconds> parse_imf(std::string_view text) noexcept {
    cursor in{text};
    in.one_of(day_names, 3);
    in.literal(", ");
    const int d = in.digits(2);
    in.literal(" ");
    const auto m = in.one_of(month_names);
    in.literal(" ");
    const int y = in.digits(4);
    in.literal(" ");
    const auto t = read_time(in);
    in.literal(" GMT");
    return in.at_end() ? combine(y, m, d, t) : std::nullopt;
}

std::optional<sys_seconds> parse_rfc850(std::string_view text, sys_seconds now) noexcept {
    cursor in{text};
    in.one_of(day_names);
    in.literal(", ");
    const int d = in.digits(2);
    in.literal("-");
    const auto m = in.one_of(month_names);
    in.literal("-");
    const int two_digits = in.digits(2);
    in.literal(" ");
    const auto t = read_time(in);
    in.literal(" GMT");
    if (!in.at_end()) return std::nullopt;
    const int this_year = static_cast<int>(year_month_day{floor<days>(now)}.year());
    const int century = this_year - this_year % 100;
    const int y = century + two_digits > this_year + 50 ? century + two_digits - 100 : century + two_digits;
    return combine(y, m, d, t);
}

std::optional<sys_seconds> parse_asctime(std::string_view text) noexcept {
    cursor in{text};
    in.one_of(day_names, 3);
    in.literal(" ");
    const auto m = in.one_of(month_names);
    in.literal(" ");
    const bool padded = in.peek() == ' ' && in.literal(" ");
    const int d = in.digits(padded ? 1 : 2);
    in.literal(" ");
    const auto t = read_time(in);
    in.literal(" ");
    const int y = in.digits(4);
    return in.at_end() ? combine(y, m, d, t) : std::nullopt;
}

void put_digits(char* at, unsigned number, int count) noexcept {
    for (; count > 0; number /= 10) at[--count] = static_cast<char>('0' + number % 10);
}

}  // namespace

std::array<char, 29> format_date(sys_seconds when) noexcept {
    const sys_seconds first{sys_days{year{0} / January / 1}};
    const sys_seconds last{sys_days{year{10000} / January / 1} - seconds{1}};
    when = std::clamp(when, first, last);
    const auto midnight = floor<days>(when);
    const year_month_day date{midnight};
    const auto second_of_day = static_cast<unsigned>((when - midnight).count());
    std::array<char, 29> out{'D', 'd', 'd', ',', ' ', '0', '0', ' ', 'M', 'm', 'm', ' ', '0', '0', '0',
                             '0', ' ', '0', '0', ':', '0', '0', ':', '0', '0', ' ', 'G', 'M', 'T'};
    std::copy_n(day_names[weekday{midnight}.c_encoding()].begin(), 3, out.begin());
    put_digits(&out[5], static_cast<unsigned>(date.day()), 2);
    std::copy_n(month_names[static_cast<unsigned>(date.month()) - 1].begin(), 3, &out[8]);
    put_digits(&out[12], static_cast<unsigned>(static_cast<int>(date.year())), 4);
    put_digits(&out[17], second_of_day / 3600, 2);
    put_digits(&out[20], second_of_day / 60 % 60, 2);
    put_digits(&out[23], second_of_day % 60, 2);
    return out;
}

std::optional<sys_seconds> parse_date(std::string_view text, sys_seconds now) noexcept {
    if (text.size() > 3 && text[3] == ',') return parse_imf(text);
    if (text.size() > 3 && text[3] == ' ') return parse_asctime(text);
    return parse_rfc850(text, now);
}

std::optional<sys_seconds> parse_date(std::string_view text) noexcept {
    return parse_date(text, floor<seconds>(system_clock::now()));
}

}  // namespace ringlet::http
