// SPDX-License-Identifier: MIT
#include <ringlet/core/bytes.hpp>
#include <ringlet/net/stream_reader.hpp>
#include <ringlet/time/sleep.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <system_error>
#include <utility>

namespace ringlet::net {
namespace {

[[noreturn]] void raise(errc why, std::string_view what, const tcp_stream& stream) {
    throw std::system_error{make_error_code(why), fmt::format("{} from {}", what, stream.peer_endpoint())};
}

}  // namespace

void stream_reader::consume(std::size_t bytes) noexcept {
    ringlet::detail::require(bytes <= peek().size(), "more bytes were consumed than are unread: see peek().size()");
    if (grown_.empty()) {
        lease_.consume(bytes);
        if (lease_.empty()) lease_.release();
    } else if (begin_ += bytes; begin_ == grown_.size()) {
        std::vector<std::byte>{}.swap(grown_);
        begin_ = 0;
    }
}

// Puts what came behind what is unread.
void stream_reader::store(io::buffer_lease lease) {
    if (peek().empty()) {
        lease_ = std::move(lease);
        return;
    }
    if (begin_ > 0) {
        grown_.erase(grown_.begin(), grown_.begin() + static_cast<std::ptrdiff_t>(begin_));
        begin_ = 0;
    }
    grown_.insert(grown_.end(), lease.bytes().begin(), lease.bytes().end());
}

task<bool> stream_reader::receive() {
    if (!lease_.empty()) {
        grown_.assign(lease_.bytes().begin(), lease_.bytes().end());
        lease_.release();
    }
    io::buffer_lease lease = co_await stream_->recv_lease();
    if (lease.empty()) co_return false;
    store(std::move(lease));
    co_return true;
}

// Each read suspends, whether bytes are there or not; it does so before it takes any, so that none is lost when the job is
// cancelled there.

task<bool> stream_reader::want(std::size_t bytes) {
    if (!peek().empty()) co_await yield();
    while (peek().size() < bytes) {
        const bool more = co_await receive();
        if (!more) co_return false;
    }
    co_return true;
}

task<std::optional<std::string>> stream_reader::line(std::size_t bytes_max) {
    bytes_max = ringlet::detail::clamped_limit(bytes_max);
    if (!peek().empty()) co_await yield();
    std::size_t searched = 0;
    for (;;) {
        const std::string_view unread = as_text(peek());
        const std::size_t end = unread.find('\n', searched);
        if (end != unread.npos) {
            std::string text{unread.substr(0, end > 0 && unread[end - 1] == '\r' ? end - 1 : end)};
            if (text.size() > bytes_max)
                raise(errc::too_long, fmt::format("a line of over {} bytes", bytes_max), *stream_);
            consume(end + 1);
            co_return text;
        }
        searched = unread.size();
        if (searched > bytes_max + 1)
            raise(errc::too_long, fmt::format("a line of over {} bytes", bytes_max), *stream_);
        const bool more = co_await receive();
        if (more) continue;
        if (searched == 0) co_return std::nullopt;
        std::string text{as_text(peek())};
        consume(text.size());
        co_return text;
    }
}

task<std::optional<std::string>> stream_reader::until(std::string_view delimiter, std::size_t bytes_max) {
    ringlet::detail::require(!delimiter.empty(), "until() needs a delimiter of one byte or more");
    bytes_max = ringlet::detail::clamped_limit(bytes_max);
    if (!peek().empty()) co_await yield();
    std::size_t searched = 0;
    for (;;) {
        const std::string_view unread = as_text(peek());
        const std::size_t end = unread.find(delimiter, searched);
        if (std::min(end, unread.size()) > bytes_max + (end == unread.npos ? delimiter.size() - 1 : 0))
            raise(errc::too_long, fmt::format("a message of over {} bytes", bytes_max), *stream_);
        if (end != unread.npos) {
            std::string text{unread.substr(0, end)};
            consume(end + delimiter.size());
            co_return text;
        }
        // A part of the delimiter may be there already.
        searched = unread.size() - std::min(unread.size(), delimiter.size() - 1);
        const bool more = co_await receive();
        if (more) continue;
        if (peek().empty()) co_return std::nullopt;
        raise(errc::unexpected_end, "a message", *stream_);
    }
}

task<bool> stream_reader::exact(std::span<std::byte> into) {
    const bool all = co_await want(into.size());
    if (!all) {
        if (peek().empty()) co_return false;
        raise(errc::unexpected_end, fmt::format("a message of {} bytes", into.size()), *stream_);
    }
    std::memcpy(into.data(), peek().data(), into.size());
    consume(into.size());
    co_return true;
}

task<std::size_t> stream_reader::read_some(std::span<std::byte> into) {
    if (peek().empty()) co_return co_await stream_->recv(into);
    co_await yield();
    const std::size_t bytes = std::min(into.size(), peek().size());
    std::memcpy(into.data(), peek().data(), bytes);
    consume(bytes);
    co_return bytes;
}

}  // namespace ringlet::net
