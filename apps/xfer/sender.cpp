// SPDX-License-Identifier: MIT
#include "xfer/sender.hpp"

#include "common/confined_open.hpp"
#include "common/file_digest.hpp"
#include "common/file_state.hpp"
#include "common/own_file.hpp"
#include "xfer/channel.hpp"
#include "xfer/protocol.hpp"
#include <ringlet/core/bytes.hpp>
#include <ringlet/io/offload.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/net/error.hpp>
#include <ringlet/net/send_file.hpp>
#include <ringlet/time/timeout.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <functional>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include <sys/socket.h>
#include <sys/stat.h>

namespace xfer {
namespace {

namespace io = ringlet::io;
namespace net = ringlet::net;
using namespace std::chrono_literals;

// Until the request has come, however slowly its bytes come.
constexpr auto request_time = 10s;
// A receiver that waits hears so often that it is not forgotten.
constexpr auto sign_of_life = 5s;
// How far what is sent may be ahead of what is hashed: the end is not long in coming then.
constexpr std::uint64_t ahead_max = std::uint64_t{32} << 20;
constexpr std::uint64_t turn_bytes = std::uint64_t{8} << 20;
// Who was refused may still be sending. So that the answer is not lost to a reset, it is waited for a little.
constexpr auto linger_time = 2s;
constexpr std::uint64_t linger_bytes_max = 64 * 1024;
// A name without an end is complete when its sender pauses.
constexpr auto name_pause = 200ms;

using shared_fd = std::shared_ptr<const io::owned_fd>;

struct found_file {
    shared_fd fd;
    apps::file_state state;
    struct stat info{};
};

std::string_view word_of(apps::open_outcome outcome) noexcept {
    switch (outcome) {
        case apps::open_outcome::denied:
            return "denied";
        case apps::open_outcome::exhausted:
            return "busy";
        case apps::open_outcome::failed:
            return "failed";
        case apps::open_outcome::directory:
        case apps::open_outcome::missing:
        case apps::open_outcome::file:
            break;
    }
    return "not_found";
}

status status_of(apps::open_outcome outcome) noexcept {
    if (outcome == apps::open_outcome::exhausted) return status::busy;
    return outcome == apps::open_outcome::failed ? status::failed : status::not_found;
}

// The file of that name, or why there is none: for the client in `told`, for the log in `what`.
ringlet::task<std::optional<found_file>> find(server& here, transfer& what, status& told) {
    apps::opened found;
    if (what.name.find('\0') != what.name.npos) {
        found.error = EINVAL;
    } else if (apps::has_hidden_segment(what.name)) {
        found.error = ENOENT;
        what.why = "hidden";
    } else {
        found = co_await apps::open_confined_without_blocking(here.root, what.name);
    }
    if (found.outcome == apps::open_outcome::file) {
        apps::let_it_wait(found.fd.get());
        found_file file;
        io::owned_fd own{found.fd.release()};
        file.fd = std::make_shared<const io::owned_fd>(std::move(own));
        file.info = found.info;
        file.state = apps::file_state::of(found.info);
        what.found = true;
        what.size = file.state.bytes;
        co_return file;
    }
    told = status_of(found.outcome);
    what.result = word_of(found.outcome);
    if (found.outcome == apps::open_outcome::directory)
        what.why = "a directory";
    else if (what.why.empty())
        what.why = std::error_code{found.error, std::generic_category()}.message();
    co_return std::nullopt;
}

ringlet::task<> read_to_the_end(net::tcp_stream& stream) {
    std::array<std::byte, 4096> dropped;
    for (std::uint64_t total = 0; total < linger_bytes_max;) {
        const std::size_t got = co_await stream.recv(dropped);
        if (got == 0) co_return;
        total += got;
    }
}

ringlet::task<> part(net::tcp_stream& from) {
    co_await from.shutdown_send();
    const auto read = co_await ringlet::as_result(ringlet::with_timeout(linger_time, read_to_the_end(from)));
    static_cast<void>(read);  // it has what it has
}

ringlet::task<> refuse(channel& to, status why) {
    refusal said;
    said.why = why;
    said.text = text_of(why);
    co_await to.say(encode_preamble() + encode(said));
    co_await part(to.stream());
}

ringlet::task<request> hear_request(channel& from, status& wrong) {
    const std::uint16_t version = co_await from.hear_preamble();
    wrong = status::bad_version;
    if (version != protocol_version) throw protocol_error{"a version of the protocol that is not known here"};
    wrong = status::bad_request;
    const frame_type type = co_await from.hear();
    std::optional<request> asked;
    if (type == frame_type::request) asked = decode_request(from.payload());
    if (!asked) throw protocol_error{"no request"};
    co_return *std::move(asked);
}

// nullopt: it was refused, or the server ends.
ringlet::task<std::optional<request>> next_request(channel& from, server& here, transfer& what) {
    status wrong = status::bad_request;
    try {
        co_return co_await ringlet::with_timeout(request_time, here.drain.unless_begun(hear_request(from, wrong)));
    } catch (const protocol_error& error) {
        what.result = wrong == status::bad_version ? "bad_version" : "bad_request";
        what.why = error.what();
    }
    co_await refuse(from, wrong);
    co_return std::nullopt;
}

ringlet::task<> send_bytes(net::send_progress& to, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const auto taken =
            co_await ringlet::as_result(ringlet::with_deadline(to.look(), io::send_op{to.socket(), bytes}));
        if (!taken && taken.error() != std::errc::timed_out) throw std::system_error{taken.error(), "send"};
        if (taken) {
            to.handed_over(*taken);
            bytes = bytes.subspan(*taken);
        }
        if (!to.goes_on()) to.stalled();
    }
}

// The head of a data frame goes out with the first of its bytes.
ringlet::task<> send_data_head(net::send_progress& to, std::uint32_t bytes) {
    const std::string head = encode_data_head(bytes);
    const ssize_t taken =
        io::sys::send(to.socket().get(), head.data(), head.size(), MSG_MORE | MSG_DONTWAIT | MSG_NOSIGNAL);
    const std::size_t sent = taken > 0 ? static_cast<std::size_t>(taken) : 0;
    to.handed_over(sent);
    co_await send_bytes(to, ringlet::as_bytes(head).subspan(sent));
}

// A frame that was begun has to have its bytes: the end that comes behind it says what they are worth.
ringlet::task<> fill_up(net::send_progress& to, std::uint64_t bytes) {
    static constexpr std::array<std::byte, 16 * 1024> zeros{};
    while (bytes > 0) {
        const auto part =
            std::span{zeros}.first(static_cast<std::size_t>(std::min<std::uint64_t>(zeros.size(), bytes)));
        co_await send_bytes(to, part);
        bytes -= part.size();
    }
}

// What a client hears while it waits for what takes long here.
ringlet::task<> wait_for(const std::shared_ptr<file_hash>& hash, std::uint64_t bytes, channel& to) {
    while (!hash->has(bytes)) {
        co_await hash->wait(bytes, sign_of_life);
        if (!hash->has(bytes)) co_await to.say(encode_wait());
    }
}

// Whether what the client has is the beginning of this file.
ringlet::task<bool> is_beginning(const request& asked, const found_file& file, channel& to) {
    apps::digest digest{apps::digest_algorithm::sha256};
    ringlet::deadline last_sign = ringlet::clock::now();
    for (std::uint64_t at = 0; at < asked.offset;) {
        const std::uint64_t end = std::min(at + turn_bytes, asked.offset);
        const std::uint64_t got =
            co_await io::offload(&apps::add_range, std::ref(digest), io::fd_ref{*file.fd}, at, end);
        if (got == 0) co_return false;
        at += got;
        if (ringlet::clock::now() - last_sign < sign_of_life) continue;
        last_sign = ringlet::clock::now();
        co_await to.say(encode_wait());
    }
    co_return digest.value() == asked.prefix;
}

bool is_of_the_connection(const std::error_code& error) noexcept {
    return net::is_disconnect(error) || error == std::errc::timed_out;
}

// Result: ok when all has been sent, else why not.
ringlet::task<status> send_content(channel& to, const found_file& file, const std::shared_ptr<file_hash>& hash,
                                   transfer& what) {
    net::send_progress progress{to.stream().socket(), to.timeout()};
    for (std::uint64_t at = what.start; at < what.size; at = what.start + what.sent) {
        if (at > ahead_max) co_await wait_for(hash, at - ahead_max, to);
        const std::uint64_t bytes = std::min<std::uint64_t>(data_bytes_max, what.size - at);
        co_await send_data_head(progress, static_cast<std::uint32_t>(bytes));
        status how = status::changed;
        try {
            co_await net::send_file(progress, *file.fd, at, bytes, what.sent);
        } catch (const std::system_error& error) {
            if (is_of_the_connection(error.code())) throw;
            how = status::failed;
            what.why = error.what();
        }
        const std::uint64_t missing = at + bytes - what.start - what.sent;
        if (missing == 0 && how == status::changed) continue;
        co_await fill_up(progress, missing);
        co_return how;
    }
    co_return status::ok;
}

bool has_changed(const found_file& file) noexcept {
    struct stat now{};
    return io::sys::fstat(file.fd->get(), &now) != 0 || apps::file_state::of(now) != file.state;
}

ringlet::task<ending> send_all(channel& to, const found_file& file, server& here, transfer& what) {
    const std::shared_ptr<file_hash> hash = here.digests.find(file.state, file.fd);
    ending end;
    end.how = co_await send_content(to, file, hash, what);
    if (end.how == status::ok) co_await wait_for(hash, what.size, to);
    if (end.how != status::failed && has_changed(file)) end.how = status::changed;
    if (end.how == status::ok && hash->value().empty()) end.how = status::failed;
    if (end.how != status::ok) co_return end;
    end.sha256 = hash->value();
    here.digests.keep(*hash);
    co_return end;
}

// What became of it there. A client that goes without a word may have it or not.
ringlet::task<> hear_receipt(channel& from, const found_file& file, server& here, transfer& what) {
    what.result = "sent";
    try {
        const frame_type type = co_await from.hear();
        std::optional<status> how;
        if (type == frame_type::receipt) how = decode_receipt(from.payload());
        if (how == status::ok) what.result = "received";
        if (how == status::damaged) {
            here.digests.forget(file.state);
            // The kernel sends the file's own pages: a change in the last moment meets what is under way.
            what.result = has_changed(file) ? "changed" : "damaged";
        }
        if (how == status::not_kept) what.result = "not_kept";
    } catch (const protocol_error&) {
    } catch (const std::system_error&) {
    }
}

std::string_view word_of(status how) noexcept { return how == status::changed ? "changed" : "failed"; }

// A name as it came; empty: none.
ringlet::task<std::string> hear_name(net::tcp_stream& from) {
    std::string name;
    std::array<std::byte, 1024> block;
    while (name.size() <= name_bytes_max) {
        const auto pause = name.empty() ? std::chrono::nanoseconds{request_time} : std::chrono::nanoseconds{name_pause};
        const auto got = co_await ringlet::as_result(ringlet::with_timeout(pause, from.recv(block)));
        if (!got && got.error() == std::errc::timed_out && !name.empty()) break;
        if (!got) throw std::system_error{got.error(), "recv"};
        if (*got == 0) break;
        name += ringlet::as_text(std::span{block}.first(*got));
        const std::size_t end = name.find('\n');
        if (end == name.npos) continue;
        name.resize(end);
        if (name.ends_with('\r')) name.pop_back();
        break;
    }
    co_return name;
}

}  // namespace

ringlet::task<> answer(net::tcp_stream& stream, server& here, transfer& what) {
    channel client{stream, here.how.timeout};
    if (here.active > here.how.connections_max) {
        what.result = "busy";
        co_return co_await refuse(client, status::busy);
    }
    const std::optional<request> asked = co_await next_request(client, here, what);
    if (!asked) co_return;
    what.name = asked->name;
    status told = status::ok;
    const std::optional<found_file> file = co_await find(here, what, told);
    if (!file) co_return co_await refuse(client, told);

    co_await client.say(encode_preamble());
    if (asked->offset > 0 && asked->offset <= what.size) {
        const bool goes_on = co_await is_beginning(*asked, *file, client);
        if (goes_on) what.start = asked->offset;
    }
    offer offered;
    offered.size = what.size;
    offered.start = what.start;
    offered.modified_seconds = file->info.st_mtim.tv_sec;
    offered.modified_nanoseconds = static_cast<std::uint32_t>(file->info.st_mtim.tv_nsec);
    co_await client.say(encode(offered));
    const ending end = co_await send_all(client, *file, here, what);
    co_await client.say(encode(end));
    if (end.how == status::ok) co_return co_await hear_receipt(client, *file, here, what);
    what.result = word_of(end.how);
    co_await part(stream);
}

ringlet::task<> answer_plainly(net::tcp_stream& stream, server& here, transfer& what) {
    if (here.active > here.how.connections_max) {
        what.result = "busy";
        co_return;
    }
    std::optional<std::string> name =
        co_await ringlet::with_timeout(request_time, here.drain.unless_begun(hear_name(stream)));
    if (!name || name->empty()) co_return;
    what.name = *std::move(name);
    if (what.name.size() > name_bytes_max) {
        what.name.resize(name_bytes_max);
        what.result = "bad_request";
        what.why = "the name is too long";
        co_return co_await part(stream);
    }
    status told = status::ok;
    const std::optional<found_file> file = co_await find(here, what, told);
    if (!file) co_return co_await part(stream);
    net::send_progress progress{stream.socket(), here.how.timeout};
    co_await net::send_file(progress, *file->fd, 0, what.size, what.sent);
    co_await part(stream);
    // Only now: the kernel sends the file's own pages, and a change meets what is under way.
    what.result = what.sent < what.size || has_changed(*file) ? "changed" : "sent";
}

}  // namespace xfer
