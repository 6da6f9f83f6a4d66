// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <string_view>

/// Drawing for a page: sizes in a coordinate system that is 400 wide, colours from the page's style sheet.
namespace comparison::svg {

inline constexpr double width = 400;
inline constexpr double text_height = 15;  ///< from line to line

struct point {
    double x = 0;
    double y = 0;
};

enum class anchor { start, middle, end };

/// A picture that grows. Text is escaped here; classes are ours.
class drawing {
public:
    /// `from` is the middle of the text's height.
    void text(point from, std::string_view what, anchor where = anchor::start, std::string_view classes = {});
    void line(point from, point to, std::string_view classes);
    void path(std::span<const point> points, std::string_view classes);
    void box(point corner, double wide, double high, std::string_view classes);
    /// One of six shapes; `number` may be any.
    void marker(point middle, std::size_t number);
    /// What follows has the class, until `end_group`.
    void begin_group(std::string_view classes);
    void end_group();

    /// The element, `height` high. `title` is what it is called, `description` what can be read from it, for who cannot see it.
    [[nodiscard]] std::string close(double height, std::string_view title, std::string_view description) const;

private:
    std::string body_;
};

/// The marker alone, to stand in a line of text.
[[nodiscard]] std::string key(std::size_t number, std::string_view classes);

}  // namespace comparison::svg
