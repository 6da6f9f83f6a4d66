// SPDX-License-Identifier: MIT
#include "serve/site.hpp"

#include "common/sanitize.hpp"
#include "serve/listing.hpp"
#include <ringlet/fs/directory.hpp>
#include <ringlet/fs/file.hpp>
#include <ringlet/io/offload.hpp>
#include <ringlet/io/system_calls.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <span>
#include <system_error>

#include <fcntl.h>

namespace serve {
namespace {

namespace http = ringlet::http;
namespace sys = ringlet::io::sys;
using apps::open_outcome;

constexpr std::string_view methods = "GET, HEAD, OPTIONS";
constexpr std::string_view plain_text = "text/plain; charset=utf-8";

ringlet::io::owned_fd open_root(const std::string& root) {
    ringlet::io::owned_fd fd{sys::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!fd) throw std::system_error{errno, std::generic_category(), apps::sanitize(root, apps::text_context::field)};
    return fd;
}

http::status status_of(open_outcome outcome) noexcept {
    switch (outcome) {
        case open_outcome::file:
        case open_outcome::directory:
            return http::status::ok;
        case open_outcome::missing:
        case open_outcome::denied:
            return http::status::not_found;
        case open_outcome::exhausted:
            return http::status::service_unavailable;
        case open_outcome::failed:
            break;
    }
    return http::status::internal_server_error;
}

std::string make_listing(int root_fd, int directory_fd, const std::string& path,
                         const std::vector<ringlet::fs::directory_entry>& entries) {
    return listing_page(path, look_at(root_fd, directory_fd, path, entries));
}

// Keeps what is being sent.
ringlet::task<> until_sent(std::shared_ptr<const resource>, ringlet::ready_or_task<> sending) {
    co_await std::move(sending);
}
ringlet::ready_or_task<> sent_from(std::shared_ptr<const resource> what, ringlet::ready_or_task<> sending) {
    if (sending.ready()) return {};
    return until_sent(std::move(what), std::move(sending));
}

// After its head. `form` is one of `what`.
ringlet::task<> send_file(http::server_connection& client, std::shared_ptr<const resource> /* keeps form */,
                          const representation& form, http::selected_range range) {
    co_await client.write_file(form.file, range.first, range.bytes, &form.in_memory);
    client.end_response();
}

}  // namespace

site::site(const site_options& options)
    : options_{options}, files_{open_root(options.root), options.fields, options.cache} {}

ringlet::ready_or_task<> site::answer(connection& client, const http::request_head& request) {
    using http::method;
    if (request.method == method::other) return send_status(client, http::status::not_implemented);
    if (request.method == method::options) return send_methods(client, http::status::no_content);
    if (request.method != method::get && request.method != method::head)
        return send_methods(client, http::status::method_not_allowed);
    auto where = http::clean_path(request.target);
    if (!where) return send_status(client, http::status::bad_request);
    if (where->hidden) return send_status(client, http::status::not_found);
    auto what = files_.at_hand(where->path);
    if (what && !what->is_directory && !where->directory) return send_resource(client, request, std::move(what));
    return look_up(client, request, *std::move(where));
}

ringlet::task<> site::send_methods(connection& client, http::status status) const {
    http::response_head head = head_of(status, status == http::status::no_content ? std::string_view{} : plain_text);
    head.fields.add("Allow", methods);
    if (status == http::status::no_content)
        co_await client.respond(std::move(head), std::string_view{});
    else
        co_await send_error(client, std::move(head));
}

ringlet::task<> site::look_up(connection& client, const http::request_head& request, http::clean_target where) {
    const file_cache::found found = co_await files_.find(where.path);
    if (!found.what)
        co_await send_status(client, status_of(found.outcome));
    else if (found.what->is_directory)
        co_await answer_directory(client, request, where);
    else if (where.directory)
        co_await send_status(client, http::status::not_found);  // a file asked for as a directory: "/a.html/"
    else
        co_await send_resource(client, request, found.what);
}

ringlet::task<> site::answer_directory(connection& client, const http::request_head& request,
                                       const http::clean_target& where) {
    if (!where.directory) {
        http::response_head head = head_of(http::status::moved_permanently, plain_text);
        head.fields.add("Location", http::slash_redirect(where));
        co_await send_error(client, std::move(head));
        co_return;
    }
    std::string index_path = where.path.empty() ? options_.index : where.path + "/" + options_.index;
    file_cache::found index = co_await files_.find(std::move(index_path));
    if (index.what && !index.what->is_directory)
        co_await send_resource(client, request, std::move(index.what));
    else if (index.what || index.outcome == open_outcome::missing)
        co_await send_listing(client, where);
    else
        co_await send_status(client, status_of(index.outcome));  // it is there, perhaps: no listing in its place
}

ringlet::ready_or_task<> site::send_resource(connection& client, const http::request_head& request,
                                             std::shared_ptr<const resource> what) const {
    const representation& form = what->choose(request);
    const http::precondition met = http::evaluate_preconditions(request, form.validators);
    if (met == http::precondition::failed) return send_status(client, http::status::precondition_failed);
    if (met == http::precondition::not_modified)
        return client.respond(head_for(http::status::not_modified, *what, form, options_.fields), {});
    const std::uint64_t size = form.state.bytes;
    const http::selected_range range = http::select_range(request, form.validators, size, now_to_the_second());
    if (range.what == http::selected_range::kind::unsatisfiable) {
        http::response_head head = head_of(http::status::range_not_satisfiable, plain_text);
        head.fields.add("Content-Range", http::content_range(range, size));
        return send_error(client, std::move(head));
    }
    if (range.what == http::selected_range::kind::whole) {
        if (form.body) return sent_from(std::move(what), client.respond(*form.whole, *form.body));
        client.begin_response(*form.whole);
        return send_file(client, std::move(what), form, {.bytes = size});
    }
    http::response_head head = head_for(http::status::partial_content, *what, form, options_.fields);
    head.fields.add("Content-Range", http::content_range(range, size));
    if (form.body) {
        const std::string_view part = std::string_view{*form.body}.substr(range.first, range.bytes);
        return sent_from(std::move(what), client.respond(std::move(head), part));
    }
    client.begin_response(std::move(head), range.bytes);
    return send_file(client, std::move(what), form, range);
}

// Made on another thread: a directory may have a hundred thousand entries, and others are not to wait for them.
ringlet::task<> site::send_listing(connection& client, const http::clean_target& where) {
    if (!options_.listing) {
        co_await send_status(client, http::status::not_found);
        co_return;
    }
    std::string page;
    apps::opened directory = co_await apps::open_confined_without_blocking(files_.root(), where.path);
    if (directory.outcome == open_outcome::directory) {
        try {
            std::vector<ringlet::fs::directory_entry> entries =
                co_await ringlet::fs::list(ringlet::io::fd_ref{directory.fd.get()});
            page = co_await ringlet::io::offload(&make_listing, files_.root().get(), directory.fd.get(), where.path,
                                                 std::move(entries));
        } catch (const std::system_error& error) {
            directory = apps::judge_opened(-error.code().value());
        }
    } else if (directory.outcome == open_outcome::file) {
        directory = apps::judge_opened(-ENOENT);  // it has changed just now
    }
    if (directory.outcome != open_outcome::directory) {
        co_await send_status(client, status_of(directory.outcome));
        co_return;
    }
    http::response_head head = head_of(http::status::ok, "text/html; charset=utf-8");
    head.fields.add("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
    client.begin_response(std::move(head), page.size());
    co_await client.write(std::as_bytes(std::span{page}));
    client.end_response();
}

ringlet::task<> site::send_status(connection& client, http::status status) const {
    co_await send_error(client, head_of(status, plain_text));
}

// A body that says what the status line says.
ringlet::task<> site::send_error(connection& client, http::response_head head) const {
    const std::string body = fmt::format("{} {}\n", http::to_number(head.status), http::reason_phrase(head.status));
    co_await client.respond(std::move(head), body);
}

// Without a content type where there is no content.
http::response_head site::head_of(http::status status, std::string_view content_type) const {
    http::response_head head;
    head.status = status;
    if (!content_type.empty()) {
        head.fields.add("Content-Type", content_type);
        head.fields.add("X-Content-Type-Options", "nosniff");
    }
    for (const auto& field : options_.fields) head.fields.add(field.name, field.value);
    return head;
}

}  // namespace serve
