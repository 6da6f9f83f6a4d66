// SPDX-License-Identifier: MIT
#include "xfer/download.hpp"

#include "common/body_pipe.hpp"
#include "common/file_digest.hpp"
#include "xfer/channel.hpp"
#include "xfer/display.hpp"
#include "xfer/failure.hpp"
#include "xfer/follower.hpp"
#include "xfer/protocol.hpp"
#include <ringlet/core/bytes.hpp>
#include <ringlet/io/op/poll.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/net/error.hpp>
#include <ringlet/net/tcp_stream.hpp>
#include <ringlet/time/timeout.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>

namespace xfer {
namespace {

namespace io = ringlet::io;
namespace net = ringlet::net;
namespace sys = ringlet::io::sys;

constexpr std::size_t block_bytes = std::size_t{256} * 1024;

// Bytes from the connection into the file: through a pipe where that can be, else by way of memory.
class body {
public:
    body(net::tcp_stream& from, out_file& to, std::chrono::nanoseconds timeout)
        : from_{&from}, to_{&to}, timeout_{timeout}, pipe_{apps::body_pipe::make()} {}

    /// Moves what is there, `bytes_max` at most, or waits for some. Result: how much; 0 at the end of the stream.
    ringlet::task<std::size_t> move(std::size_t bytes_max) {
        if (!pipe_) co_return co_await copy(bytes_max);
        co_await ringlet::with_timeout(timeout_, io::poll_op{from_->socket(), POLLIN});
        const ssize_t moved = sys::splice(from_->socket().get(), nullptr, pipe_->begin.get(), nullptr,
                                          std::min(bytes_max, pipe_->room), SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
        if (moved >= 0) {
            const auto bytes = static_cast<std::size_t>(moved);
            co_await to_->write_from(*pipe_, bytes);
            co_return bytes;
        }
        if (errno == EINVAL)
            pipe_.reset();  // not from this socket
        else if (errno != EAGAIN && errno != EINTR)
            throw std::system_error{errno, std::generic_category(), "receive"};
        co_return co_await copy(bytes_max);
    }

private:
    ringlet::task<std::size_t> copy(std::size_t bytes_max) {
        block_.resize(block_bytes);
        const auto part = std::span{block_}.first(std::min(block_.size(), bytes_max));
        const std::size_t got = co_await ringlet::with_timeout(timeout_, from_->recv(part));
        co_await to_->write(part.first(got));
        co_return got;
    }

    net::tcp_stream* from_;
    out_file* to_;
    std::chrono::nanoseconds timeout_;
    std::unique_ptr<apps::body_pipe> pipe_;
    std::vector<std::byte> block_;
};

void note_bytes(download& state, const out_file& out) noexcept {
    state.bytes = out.bytes();
    state.moved = ringlet::clock::now();
}

std::string so_far(const out_file& out, const download& state) {
    return fmt::format("got {} of {} bytes", out.bytes(), *state.total);
}

// What a broken connection comes to once a length is known. To be called in a catch block.
failure cut_short(const std::system_error& why, const out_file& out, const download& state) {
    if (why.code() == std::errc::timed_out)
        return {reason::timeout, fmt::format("nothing came within the time limit; {}", so_far(out, state))};
    if (!net::is_disconnect(why.code())) return current_failure();  // it is not the connection
    return {reason::truncated, so_far(out, state)};
}

ringlet::task<net::tcp_stream> connect(const get_options& how) {
    const auto address = net::endpoint::try_parse_address(how.host, how.port);
    if (address) co_return co_await ringlet::with_timeout(how.timeout, net::tcp_stream::connect(*address));
    co_return co_await ringlet::with_timeout(how.timeout, net::tcp_stream::connect(how.host, how.port));
}

// One download by the protocol.
class fetching {
public:
    fetching(const get_options& how, download& state, display& screen, out_file& out)
        : how_{&how}, state_{&state}, screen_{&screen}, out_{&out} {}

    ringlet::task<> run() {
        if (how_->resume && out_->take_up()) co_await hash_what_is_there();
        state_->note = "connecting";
        net::tcp_stream stream = co_await connect(*how_);
        channel server{stream, how_->timeout};
        request asked;
        asked.name = how_->name;
        asked.offset = out_->bytes();
        if (asked.offset > 0) asked.prefix = digest_->twin().value();
        co_await server.say(encode_preamble() + encode(asked));
        state_->note = "waiting";
        co_await hear_offer(server, asked.offset);
        co_await receive_all(server);
    }

private:
    ringlet::task<> hash_what_is_there() {
        state_->note = "checking what is there";
        digest_.emplace(apps::digest_algorithm::sha256);
        const auto read = co_await ringlet::as_result(apps::add_file(*digest_, out_->file(), 0));
        if (!read) throw file_failure("read", out_->path() + ".part", read.error());
    }

    // Until a length is known a connection that ends is no more than that.
    ringlet::task<> hear_offer(channel& server, std::uint64_t offset) {
        const std::uint16_t version = co_await server.hear_preamble();
        frame_type type = co_await server.hear();
        while (type == frame_type::wait) type = co_await server.hear();
        if (type == frame_type::refusal) throw_refusal(server.payload());
        if (version != protocol_version)
            throw failure{reason::protocol, fmt::format("the server speaks version {} of the protocol", version)};
        std::optional<offer> offered;
        if (type == frame_type::offer) offered = decode_offer(server.payload());
        if (!offered || (offered->start != 0 && offered->start != offset))
            throw protocol_error{"no offer of what was asked for"};
        co_await prepare(*offered, offset);
    }

    [[noreturn]] static void throw_refusal(std::string_view payload) {
        const std::optional<refusal> refused = decode_refusal(payload);
        if (!refused) throw protocol_error{"a malformed refusal"};
        const bool known = refused->why != status::ok && refused->why <= status::not_kept;
        const std::string_view words = known ? text_of(refused->why) : std::string_view{refused->text};
        throw failure{refused->why == status::bad_version ? reason::protocol : reason::refused,
                      fmt::format("the server refuses: {}", words)};
    }

    ringlet::task<> prepare(const offer& offered, std::uint64_t offset) {
        if (offered.size > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
            throw failure{reason::protocol, "the server announces more than a file can have"};
        out_->make();
        co_await out_->reserve(offered.size);  // first: what is there is not given up for what there is no room for
        if (offset > 0 && offered.start == 0) {
            screen_->say("starts over: what is there is not the beginning of this file");
            digest_.reset();
        }
        if (offered.start == 0 && out_->bytes() > 0) {
            co_await out_->start_over();
            co_await out_->reserve(offered.size);
        }
        if (!digest_) digest_.emplace(apps::digest_algorithm::sha256);
        state_->resumed = offered.start;
        state_->total = offered.size;
        state_->note.clear();
        note_bytes(*state_, *out_);
        screen_->started(offered);
    }

    ringlet::task<> receive_all(channel& server) {
        std::optional<ending> end;
        follower hash{out_->file().descriptor(), *std::move(digest_), out_->bytes()};
        try {
            end = co_await receive(server, hash);
        } catch (const std::system_error& error) {
            throw cut_short(error, *out_, *state_);
        } catch (const failure& error) {
            throw failure{error.why(), fmt::format("{}; {}", error.what(), so_far(*out_, *state_))};
        }
        if (end->how != status::ok) {
            if (end->how != status::changed)
                throw failure{reason::refused, fmt::format("{}: {}", text_of(status::failed), so_far(*out_, *state_))};
            throw failure{reason::changed, std::string{text_of(status::changed)}};
        }
        if (out_->bytes() != *state_->total) throw failure{reason::truncated, so_far(*out_, *state_)};
        state_->note = "checking";
        const std::string sha256 = co_await hash.finish();
        state_->sha256 = apps::to_hex(sha256);
        if (sha256 != end->sha256) {
            out_->drop();
            co_await tell(server, status::damaged);
            throw failure{reason::checksum,
                          fmt::format("sha256 {} was announced, {} came", apps::to_hex(end->sha256), state_->sha256)};
        }
        const auto failed = co_await name_it();
        co_await tell(server, failed ? status::not_kept : status::ok);
        if (failed) throw failure{*failed};
    }

    ringlet::task<std::optional<failure>> name_it() {
        try {
            co_await out_->finish();
        } catch (const failure& why) {
            co_return why;
        }
        state_->saved = true;
        co_return std::nullopt;
    }

    // The server would like to know. What has come does not depend on it.
    static ringlet::task<> tell(channel& server, status how) {
        try {
            co_await server.say(encode_receipt(how));
        } catch (const std::exception&) {
        }
    }

    ringlet::task<std::optional<ending>> receive(channel& server, follower& hash) {
        body bytes{server.stream(), *out_, how_->timeout};
        for (;;) {
            const frame_type type = co_await server.hear();
            if (type == frame_type::wait) continue;
            if (type == frame_type::end) {
                const std::optional<ending> end = decode_ending(server.payload());
                if (!end) throw protocol_error{"a malformed end"};
                co_return end;
            }
            if (type != frame_type::data || server.data_left() > *state_->total - out_->bytes())
                throw protocol_error{"a frame that has no place here"};
            while (server.data_left() > 0) {
                const std::size_t moved = co_await bytes.move(server.data_left());
                if (moved == 0) throw std::system_error{net::errc::unexpected_end, "receive"};
                server.pass(moved);
                hash.written(out_->bytes());
                note_bytes(*state_, *out_);
            }
            co_await hash.keep_up();
        }
    }

    const get_options* how_;
    download* state_;
    display* screen_;
    out_file* out_;
    std::optional<apps::digest> digest_;
};

// Enough of an answer to know that it is no refusal of a server that speaks the other protocol. Result: how much; 0: nothing came.
ringlet::task<std::size_t> hear_beginning(net::tcp_stream& from, std::chrono::nanoseconds timeout,
                                          std::span<std::byte, refusal_bytes_max + 1> into) {
    std::size_t begin = 0;
    for (std::optional<bool> refuses; !refuses;) {
        const std::size_t got = co_await ringlet::with_timeout(timeout, from.recv(into.subspan(begin)));
        if (got == 0) break;
        begin += got;
        refuses = is_refusal(into.first(begin));
        if (refuses == true) throw failure{reason::protocol, "the server wants to be asked without --plain"};
    }
    co_return begin;
}

// The course's protocol: there is nothing but bytes, and their end.
ringlet::task<> fetch_plainly(const get_options& how, download& state, display& screen, out_file& out) {
    net::tcp_stream stream = co_await connect(how);
    co_await ringlet::with_timeout(how.timeout, stream.send_all(ringlet::as_bytes(how.name)));
    co_await stream.shutdown_send();
    state.note = "waiting";
    // Before the first byte nothing is touched: a part of an earlier run may be worth more.
    std::array<std::byte, refusal_bytes_max + 1> first;
    const std::size_t begin = co_await hear_beginning(stream, how.timeout, first);
    if (begin == 0) throw failure{reason::refused, "the server sent nothing: no such file, or an empty one"};
    out.make();
    co_await out.start_over();
    screen.started({});
    state.note.clear();
    co_await out.write(std::span{first}.first(begin));
    body bytes{stream, out, how.timeout};
    for (std::size_t moved = begin; moved > 0;) {
        note_bytes(state, out);
        moved = co_await bytes.move(std::numeric_limits<std::size_t>::max());
    }
    co_await out.finish();
    state.saved = true;
}

}  // namespace

ringlet::task<> fetch(const get_options& how, download& state, display& screen) {
    out_file out{how.output, how.force, how.write_patience};
    const auto note_end = [&] {
        state.bytes = out.bytes();
        state.kept = out.kept();
    };
    try {
        if (how.plain) {
            co_await fetch_plainly(how, state, screen, out);
        } else {
            fetching one{how, state, screen, out};
            co_await one.run();
        }
    } catch (const protocol_error& error) {
        note_end();
        throw failure{reason::protocol, fmt::format("this is no answer of ringlet-xfer serve: {}", error.what())};
    } catch (...) {
        note_end();
        throw;
    }
    note_end();
}

}  // namespace xfer
