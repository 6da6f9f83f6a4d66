// SPDX-License-Identifier: MIT
#include "compare/downloads/session.hpp"

#include "common/numbers.hpp"
#include "common/sanitize.hpp"
#include "compare/sockets.hpp"
#include "fetch/item.hpp"
#include "fetch/names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <system_error>
#include <utility>

namespace comparison {
namespace {

using seconds = std::chrono::duration<double>;

std::string counted(std::uint64_t number, std::string_view what) {
    return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

// The models' own calls have the code in common, not the words before it.
fetch::failure current_failure() {
    try {
        throw;
    } catch (const std::system_error& error) {
        return fetch::connection_failure(error.code().message(), error.code());
    } catch (const std::exception&) {
        return fetch::current_failure();
    }
}

}  // namespace

std::string check_download_url(std::string_view text) {
    std::string wrong = fetch::check_url(text);
    if (!wrong.empty()) return wrong;
    const auto url = ringlet::http::url::parse(text);
    if (url->is_https()) return url->to_string() + ": plain http only; ringlet-fetch speaks https";
    return {};
}

download_session::download_session(const download_order& what) : directory_{what.directory} {
    files_.reserve(what.urls.size());
    for (const std::string& text : what.urls) {
        auto url = ringlet::http::url::parse(text);
        std::string base = fetch::name_from_segment(url->last_segment());
        std::string name = directory_.claim(base);
        files_.push_back({*std::move(url), std::move(base), std::move(name)});
    }
    jobs_ = static_cast<unsigned>(std::min<std::size_t>(what.jobs, files_.size()));
}

const wanted_file* download_session::next() noexcept {
    const std::lock_guard alone{lock_};
    return taken_ == files_.size() ? nullptr : &files_[taken_++];
}

std::string download_session::another_name(const std::string& base) {
    const std::lock_guard alone{lock_};
    return directory_.claim(base);
}

void download_session::done(const std::string& path, std::uint64_t bytes, std::chrono::nanoseconds took) {
    const std::lock_guard alone{lock_};
    ++done_;
    bytes_ += bytes;
    fmt::print("{}: {} in {:.3f} s\n", apps::sanitize(path, apps::text_context::field), counted(bytes, "byte"),
               seconds{took}.count());
    std::fflush(stdout);
}

void download_session::failed(const wanted_file& which) {
    const fetch::failure why = current_failure();
    const std::lock_guard alone{lock_};
    outcome_ = combine(outcome_, why.code());
    fmt::print(stderr, "{}: {}\n", apps::sanitize(which.url.to_string(), apps::text_context::field),
               apps::sanitize(why.what(), apps::text_context::field));
}

void download_session::interrupted(int number) {
    const std::lock_guard alone{lock_};
    signal_ = number;
}

int download_session::finish() {
    const std::lock_guard alone{lock_};
    if (signal_ != 0) return 128 + signal_;
    fmt::print("{}, {} in {:.3f} s\n", counted(done_, "file"), counted(bytes_, "byte"),
               seconds{std::chrono::steady_clock::now() - begun_}.count());
    return to_int(outcome_);
}

fetch::failure no_connection() {
    return fetch::timeout_failure(fmt::format("no connection within {}", apps::format_duration(patience)));
}

fetch::failure silence() {
    return fetch::timeout_failure(fmt::format("nothing came for {}", apps::format_duration(patience)));
}

}  // namespace comparison
