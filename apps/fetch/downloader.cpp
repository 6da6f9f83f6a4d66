// SPDX-License-Identifier: MIT
#include "fetch/downloader.hpp"

#include "fetch/failure.hpp"
#include "fetch/names.hpp"
#include "fetch/part_file.hpp"
#include <ringlet/core/task_group.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/net/error.hpp>
#include <ringlet/time/timeout.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <new>
#include <span>

#include <sys/stat.h>

namespace fetch {
namespace {

namespace http = ringlet::http;
namespace sys = ringlet::io::sys;
using apps::exit_code;

constexpr unsigned redirects_max = 10;

bool is_success(http::status status) noexcept {
    // 206 would be a part, and none was asked for
    return to_number(status) / 100 == 2 && status != http::status::partial_content;
}

bool is_redirect(http::status status) noexcept {
    using enum http::status;
    return status == moved_permanently || status == found || status == see_other || status == temporary_redirect ||
           status == permanent_redirect;
}

failure status_failure(const http::response_head& head) {
    const unsigned number = to_number(head.status);
    const std::string_view phrase = head.reason.empty() ? reason_phrase(head.status) : std::string_view{head.reason};
    const std::string text = fmt::format("the server answered {}{}{}", number, phrase.empty() ? "" : " ", phrase);
    if (head.status == http::status::unauthorized || head.status == http::status::proxy_authentication_required)
        return {exit_code::login, text};
    if (number >= 400 && number < 600) return {exit_code::status, text};
    return protocol_failure(text + ", which is no answer to a GET request");
}

http::url redirect_target(const http::url& from, const http::response_head& head) {
    const auto location = head.fields.get("Location");
    if (!location) throw protocol_failure(fmt::format("redirect ({}) without a Location", to_number(head.status)));
    auto to = from.resolve(*location);
    if (!to) throw protocol_failure(fmt::format("redirect to {}: {}", *location, to.reason()));
    return *std::move(to);
}

// What was asked for in secret is not to come in clear.
void refuse_downgrade(const http::url& from, const http::url& to) {
    if (from.is_https() && !to.is_https())
        throw failure{exit_code::tls,
                      "redirect from https to " + to.to_string() + ", which anybody could read and change"};
}

std::string so_far(const transfer& t) {
    return t.total_bytes ? fmt::format("after {} of {} bytes", t.done_bytes, *t.total_bytes)
                         : fmt::format("after {} bytes", t.done_bytes);
}

std::string directory_for(const options& how) {
    const std::filesystem::path file{how.output};
    if (how.output.empty() || !file.has_parent_path()) return how.directory;
    return (std::filesystem::path{how.directory} / file.parent_path()).string();  // an absolute one stands alone
}

// -o names one file: one that cannot be replaced is said before anything is downloaded.
void refuse_special_file(const destination& where, const std::string& name) {
    struct stat info{};
    if (sys::fstatat(where.directory().get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(info.st_mode))
        throw failure{exit_code::file, "cannot write " + where.path_of(name) + ": not a regular file"};
}

}  // namespace

downloader::downloader(const options& how, board& work, display& screen)
    : options_{&how}, board_{&work}, display_{&screen}, connections_{how.stall_timeout, how.jobs, how.trust} {
    if (how.to_standard_output()) return;
    where_.emplace(directory_for(how));
    output_name_ = std::filesystem::path{how.output}.filename().string();
    if (!output_name_.empty()) refuse_special_file(*where_, output_name_);
}

ringlet::task<> downloader::fetch_all() {
    constexpr auto start = [](ringlet::task_group& group, downloader& self) -> ringlet::task<> {
        const std::size_t workers = std::min<std::size_t>(self.options_->jobs, self.board_->size());
        for (std::size_t i = 0; i < workers; ++i) {
            try {
                group.spawn(self.work_on());
            } catch (const std::bad_alloc&) {  // as many as there is memory for will do
                if (i == 0) throw;
                break;
            }
        }
        co_return;
    };
    co_await ringlet::with_task_group(start, std::ref(*this));
}

ringlet::task<> downloader::work_on() {
    while (transfer* const next = board_->take()) {
        std::optional<failure> why;
        try {
            co_await fetch(*next);
        } catch (const std::exception&) {
            why = current_failure();
        }
        board_->end(*next, why ? why->code() : exit_code::ok);
        if (why)
            display_->failed(*next, *why);
        else
            display_->saved(*next);
    }
}

ringlet::task<> downloader::fetch(transfer& t) {
    // Names are given in the order of the command line, whichever answer comes first; never by a redirect.
    const std::string base = output_name_.empty() ? name_from_segment(t.url.last_segment()) : output_name_;
    std::string name = base;
    if (where_ && output_name_.empty()) name = where_->claim(base);
    t.name = where_ ? where_->path_of(name) : "standard output";

    answer got = co_await final_answer(t);
    t.total_bytes = got.connection->body_bytes();
    t.moved = ringlet::clock::now();
    t.note.clear();
    const std::unique_ptr<output> into = co_await open_output(base, std::move(name));
    co_await receive(got, t, *into);
    t.name = co_await into->finish();
    connections_.keep(std::move(got));
}

ringlet::task<answer> downloader::final_answer(transfer& t) {
    http::url where = t.url;
    for (unsigned redirects = 0;; ++redirects) {
        t.note = "waiting for " + where.host();
        answer got = co_await connections_.get(where);
        const http::status status = got.head->status;
        if (is_success(status)) co_return got;
        if (!is_redirect(status)) {
            const failure why = status_failure(*got.head);
            co_await connections_.dismiss(std::move(got));
            throw why;
        }
        if (redirects == redirects_max) throw protocol_failure(fmt::format("more than {} redirects", redirects_max));
        http::url next = redirect_target(where, *got.head);
        refuse_downgrade(where, next);
        where = std::move(next);
        display_->note(t, fmt::format("redirected ({}) to {}", to_number(status), where.to_string()));
        co_await connections_.dismiss(std::move(got));
    }
}

ringlet::task<std::unique_ptr<output>> downloader::open_output(std::string base, std::string name) {
    std::unique_ptr<output> out;
    if (where_) {
        const existing_file policy = output_name_.empty() ? existing_file::kept : existing_file::replaced;
        out = co_await part_file::open(*where_, std::move(base), std::move(name), policy);
    } else {
        out = std::make_unique<standard_output>();
    }
    co_return out;
}

ringlet::task<> downloader::receive(answer& from, transfer& t, output& into) {
    try {
        for (;;) {
            const std::span<const std::byte> part =
                co_await ringlet::with_timeout(options_->stall_timeout, from.connection->read_some());
            if (part.empty()) co_return;
            t.moved = ringlet::clock::now();
            co_await into.write(part);
            t.done_bytes += part.size();
        }
    } catch (const ringlet::timeout_error&) {
        throw network_failure("no progress for " + apps::format_duration(options_->stall_timeout) + " " + so_far(t));
    } catch (const std::system_error& error) {
        const bool cut = error.code() == ringlet::net::errc::unexpected_end;
        throw connection_failure((cut ? "truncated" : "the connection broke") + std::string{" "} + so_far(t) +
                                     (cut ? "" : ": " + error.code().message()),
                                 error.code());
    }
}

}  // namespace fetch
