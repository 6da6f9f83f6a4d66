// SPDX-License-Identifier: MIT
#pragma once

#include "dice.hpp"
#include <ringlet/core/task.hpp>
#include <ringlet/net/tcp_listener.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// A web server that may say anything, and knows what it has: for clients that must not believe everything.
namespace lying {

/// By what one sees that a file has changed.
enum class validators : std::uint8_t { tag, tag_and_date, date, weak_tag, weak_tag_and_date, none };
inline constexpr std::size_t validator_kinds = static_cast<std::size_t>(validators::none) + 1;

/// What a file was at some time.
struct version {
    std::string content;
    std::size_t number = 0;
};

/// A file, all that it ever was, and how it is served when nobody lies.
struct document {
    validators by = validators::tag;
    bool in_chunks = false;     ///< whole ones
    bool until_close = false;   ///< whole ones have neither a length nor chunks
    bool whole_only = false;    ///< no ranges
    std::deque<version> all{};  ///< whatever was served, whole or in part
    std::size_t current = 0;

    const version& now() const noexcept { return all[current]; }
    /// A version that is not the current one, of much the same size; made where there is none.
    const version& another(dice& roll);
};

/// What the seed decides for all answers.
struct temper {
    unsigned lies_percent = 50;
    unsigned changes_percent = 10;  ///< of files, before an answer
    /// Also what nobody can find out but by a checksum: other bytes below right headers, an end before the end.
    bool beyond_detection = false;
    /// The kernel may end a connection before an answer is whole: a body that lasts until then would be beyond detection.
    bool fails = false;
    std::chrono::nanoseconds silence = std::chrono::seconds{100};  ///< when it stalls
    std::chrono::nanoseconds pause = std::chrono::seconds{8};      ///< up to so long, when it trickles
};

/// Serves GET at every port. Its files are called /f0, /f1 and so on, and have a second name below /moved.
class origin {
public:
    origin(std::uint64_t seed, const temper& how) : roll_{seed}, how_{how} {}
    origin(const origin&) = delete;
    origin& operator=(const origin&) = delete;

    document& add(std::size_t bytes);
    const document& file(std::size_t index) const { return files_[index]; }

    /// Answers until it is cancelled.
    ringlet::task<> serve(ringlet::net::tcp_listener& listener);
    /// From now on nothing but the truth, and no file changes; each is what it was first.
    void repent();

    std::uint64_t answers() const noexcept { return answers_; }
    /// Lies and changes so far, and how often each.
    std::uint64_t lies_told() const noexcept { return lies_; }
    const std::map<std::string_view, std::uint64_t>& told() const noexcept { return told_; }

private:
    struct spoken;
    spoken answer_to(const std::string& head);
    ringlet::task<> converse(ringlet::net::tcp_stream stream);
    static ringlet::task<> begin(ringlet::net::tcp_stream stream, origin& self);
    void count(std::string_view what);

    dice roll_;
    temper how_;
    std::deque<document> files_;
    std::map<std::string_view, std::uint64_t> told_;
    std::uint64_t lies_ = 0;
    std::uint64_t answers_ = 0;
};

/// The names of all lies; those beyond detection, too.
std::vector<std::string_view> all_lies();

}  // namespace lying
