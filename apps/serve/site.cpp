// SPDX-License-Identifier: MIT
#include "serve/site.hpp"

#include "common/confined_open.hpp"
#include "common/sanitize.hpp"
#include "serve/listing.hpp"
#include <ringlet/fs/directory.hpp>
#include <ringlet/fs/file.hpp>
#include <ringlet/http/date.hpp>
#include <ringlet/http/media_type.hpp>
#include <ringlet/io/offload.hpp>
#include <ringlet/io/op/openat2.hpp>
#include <ringlet/io/system_calls.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>

namespace serve {
namespace {

namespace http = ringlet::http;
namespace sys = ringlet::io::sys;

// A file up to this size goes out together with its head; a larger one in pieces of this size.
constexpr std::size_t piece_bytes = std::size_t{256} * 1024;

http::response_head head_for(http::status status, std::string_view content_type) {
    http::response_head head;
    head.status = status;
    head.fields.add("Content-Type", content_type);
    head.fields.add("X-Content-Type-Options", "nosniff");
    return head;
}

ringlet::task<> send_error(http::server_connection& client, http::status status, std::string_view allow = {}) {
    http::response_head head = head_for(status, "text/plain; charset=utf-8");
    if (!allow.empty()) head.fields.add("Allow", allow);
    const std::string body = fmt::format("{} {}\n", http::to_number(status), http::reason_phrase(status));
    co_await client.respond(std::move(head), body);
}

http::status status_of(apps::open_outcome outcome) noexcept {
    switch (outcome) {
        case apps::open_outcome::file:
        case apps::open_outcome::directory:
            return http::status::ok;
        case apps::open_outcome::missing:
        case apps::open_outcome::denied:
            return http::status::not_found;
        case apps::open_outcome::exhausted:
            return http::status::service_unavailable;
        case apps::open_outcome::failed:
            break;
    }
    return http::status::internal_server_error;
}

std::string make_listing(int root_fd, const std::string& path, std::vector<ringlet::fs::directory_entry> entries) {
    look_behind_links(root_fd, path, entries);
    return listing_page(path, entries);
}

std::string_view last_name(std::string_view path) noexcept { return path.substr(path.rfind('/') + 1); }

}  // namespace

site::site(const std::string& root) : root_{sys::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)} {
    if (!root_)
        throw std::system_error{errno, std::generic_category(), apps::sanitize(root, apps::text_context::field)};
}

// Opening waits in the kernel's worker, not here, when the name is not in memory.
ringlet::task<site::found> site::open(std::string path) const {
    if (path.empty()) path = ".";
    open_how how = apps::confined_open_how();
    apps::opened opened = apps::judge_opened(-EAGAIN);
    for (int tries = 0; tries < apps::confined_open_tries; ++tries) {
        ringlet::result<ringlet::io::owned_fd> fd =
            co_await ringlet::as_result(ringlet::io::openat2_op{root_, path.c_str(), how});
        const int error = fd.error().value();
        if (error == EAGAIN) continue;  // a rename at the same moment
        if (error == ENOSYS || error == EPERM) {
            opened = co_await ringlet::io::offload(&apps::open_confined, root_.get(), path, true);
            break;
        }
        opened = apps::judge_opened(fd ? fd->release() : -error);
        break;
    }
    found what;
    what.status = status_of(opened.outcome);
    what.missing = opened.outcome == apps::open_outcome::missing;
    what.file = ringlet::io::owned_fd{opened.fd.release()};
    what.info = opened.info;
    co_return what;
}

ringlet::task<> site::answer(http::server_connection& client, const http::request_head& request) const {
    if (request.method == http::method::other) {
        co_await send_error(client, http::status::not_implemented);
        co_return;
    }
    if (request.method != http::method::get && request.method != http::method::head) {
        co_await send_error(client, http::status::method_not_allowed, "GET, HEAD");
        co_return;
    }
    const auto where = http::clean_path(request.target);
    if (!where) {
        co_await send_error(client, http::status::bad_request);
        co_return;
    }
    found what;
    if (!where->hidden) what = co_await open(where->path);
    if (what.ok() && what.is_directory() && !where->directory) {
        http::response_head head = head_for(http::status::moved_permanently, "text/plain; charset=utf-8");
        head.fields.add("Location", http::slash_redirect(*where));
        co_await client.respond(std::move(head), "301 Moved Permanently\n");
        co_return;
    }
    // A file asked for as a directory ("/a.html/") is not there.
    if (what.ok() && !what.is_directory() && where->directory) what.status = http::status::not_found;
    if (!what.ok()) {
        co_await send_error(client, what.status);
        co_return;
    }
    if (!what.is_directory()) {
        co_await send_file(client, std::move(what), where->path);
        co_return;
    }
    std::string index_path = where->path.empty() ? "index.html" : where->path + "/index.html";
    found index = co_await open(std::move(index_path));
    if (index.missing || (index.ok() && index.is_directory()))
        co_await send_listing(client, std::move(what), *where);
    else if (!index.ok())
        co_await send_error(client, index.status);  // it is there, perhaps: no listing in its place
    else
        co_await send_file(client, std::move(index), "index.html");
}

ringlet::task<> site::send_file(http::server_connection& client, found what, const std::string& name) const {
    ringlet::fs::file file{std::move(what.file)};
    const auto size = static_cast<std::uint64_t>(what.info.st_size);
    http::response_head head = head_for(http::status::ok, http::media_type_for(last_name(name)));
    const auto modified = http::format_date(std::chrono::sys_seconds{std::chrono::seconds{what.info.st_mtim.tv_sec}});
    head.fields.add("Last-Modified", {modified.data(), modified.size()});
    co_await client.begin_response(std::move(head), size);
    // The announced length is what is sent: a file that grows is cut, one that shrinks ends the connection.
    std::vector<std::byte> piece;
    for (std::uint64_t sent = 0; sent < size && !client.head_only();) {
        const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(size - sent, piece_bytes));
        if (piece.empty()) piece.resize(wanted);
        const std::size_t got = co_await file.read(std::span{piece}.first(wanted), sent);
        if (got == 0) break;
        co_await client.write(std::span{piece}.first(got));
        sent += got;
    }
    co_await client.end_response();
}

// Made on another thread: a directory may have a hundred thousand entries, and others are not to wait for them.
ringlet::task<> site::send_listing(http::server_connection& client, found directory,
                                   const http::clean_target& where) const {
    std::string page;
    http::status status = http::status::ok;
    try {
        std::vector<ringlet::fs::directory_entry> entries = co_await ringlet::fs::list(directory.file);
        page = co_await ringlet::io::offload(&make_listing, root_.get(), where.path, std::move(entries));
    } catch (const std::system_error& error) {
        status = status_of(apps::judge_opened(-error.code().value()).outcome);
    }
    if (status != http::status::ok) {
        co_await send_error(client, status);
        co_return;
    }
    co_await client.begin_response(head_for(status, "text/html; charset=utf-8"), page.size());
    co_await client.write(std::as_bytes(std::span{page}));
    co_await client.end_response();
}

}  // namespace serve
