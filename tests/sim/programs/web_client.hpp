// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/task.hpp>
#include <ringlet/net/endpoint.hpp>
#include <ringlet/testing/simulation.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// Clients of a web server as they come, good ones and bad ones, who know what they must get.
namespace web {

/// A request, and what answers it.
struct exchange {
    std::string request;
    int status = 200;
    std::string_view body;        ///< of the answer
    bool any_body = false;        ///< or another one, whose words do not matter
    bool bodyless = false;        ///< HEAD, and the statuses without a body
    std::string_view plain = {};  ///< the body in place of a compressed one, which could not be opened
    std::string field = {};       ///< a line that must be in the head
    bool may_be_missing = false;  ///< or 404: opening fails in every way
};

/// Reads the answers to some requests, strictly.
class answers {
public:
    /// `faultless`: no operation fails, so the server has no reason for a 5xx.
    answers(std::vector<exchange> wanted, bool faultless) : wanted_{std::move(wanted)}, faultless_{faultless} {}

    /// Throws std::logic_error for bytes that must not come, also in an answer that is not whole yet.
    void take(std::string_view bytes);

    std::size_t whole() const noexcept { return whole_; }
    bool all() const noexcept { return whole_ == wanted_.size() && !failed_; }
    /// None has begun and not ended.
    bool between() const noexcept { return pending_.empty() && !in_body_; }
    /// No further one comes: the last one said so, or was it.
    bool over() const noexcept { return between() && (closes_ || whole_ == wanted_.size()); }
    bool closes() const noexcept { return closes_; }

private:
    bool take_head();
    void take_body();
    [[noreturn]] void wrong(const std::string& what) const;

    std::vector<exchange> wanted_;
    bool faultless_;
    std::string pending_;
    std::size_t whole_ = 0;
    bool in_body_ = false;
    std::string_view body_;       // what is to come yet
    std::size_t body_bytes_ = 0;  // the same, where the words do not matter
    bool closes_ = false;
    bool failed_ = false;  // one said that the server could not
};

enum class habit : std::uint8_t {
    keeps_alive,
    pipelines,
    half_closes,
    dribbles,      ///< sends each byte on its own
    reads_slowly,  ///< but steadily
    // From here on those who get no answer, or not all of it.
    resets,
    stalls,         ///< asks for much and does not read it
    is_silent,      ///< and never asks
    stops_in_head,  ///< says half a request
    talks_nonsense,
};
inline constexpr std::size_t habits = static_cast<std::size_t>(habit::talks_nonsense) + 1;
std::string_view name_of(habit which) noexcept;

/// One run of a server with its clients.
struct street {
    ringlet::testing::simulation& world;
    bool faultless = true;
    bool drained = false;  ///< the server has been told to end

    std::size_t visits = 0;
    std::size_t whole_answers = 0;
    std::size_t as_planned = 0;  ///< visits that went as such a client's should
};

/// Writes the files that the clients ask for below /site.
void furnish(ringlet::testing::simulation& world);

/// A client comes to 127.0.0.1:8080, is served, and goes.
///
/// Errors: std::logic_error when it got what it must not get. What else went wrong, and was seen by the client, is only
///         counted, unless nothing could go wrong.
ringlet::task<> visit(street& where, std::uint64_t seed);

}  // namespace web
