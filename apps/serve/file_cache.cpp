// SPDX-License-Identifier: MIT
#include "serve/file_cache.hpp"

#include <ringlet/fs/file.hpp>
#include <ringlet/http/media_type.hpp>
#include <ringlet/io/op/read_full.hpp>
#include <ringlet/io/system_calls.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <system_error>
#include <utility>

namespace serve {
namespace {

using apps::open_outcome;
using std::chrono::seconds;

struct compressed_sibling {
    std::string_view suffix;
    std::string_view coding;
};
constexpr std::array siblings{compressed_sibling{".br", "br"}, compressed_sibling{".gz", "gzip"}};

std::string_view last_name(std::string_view path) noexcept { return path.substr(path.rfind('/') + 1); }

// What nobody compresses has no compressed siblings to look for.
bool is_compressible(std::string_view content_type) noexcept {
    constexpr std::array compact{"image/svg+xml", "application/json", "application/wasm", "application/manifest+json",
                                 "font/ttf",      "font/otf"};
    return content_type.find("charset=") != std::string_view::npos ||
           std::ranges::any_of(compact, [&](std::string_view t) { return content_type.starts_with(t); });
}

bool is_settled(const resource& what) noexcept {
    const auto change_would_show = [](const representation& form) {
        return std::max(form.state.modified, form.state.changed) + seconds{1} < now_to_the_second();
    };
    return std::ranges::all_of(what.forms, change_would_show);
}

// A body is what it is; an open file may be written to at any time. It is asked once in each tick of the coarse clock, which
// is what the kernel's time stamps are made of.
bool is_as_it_was(const representation& form, ringlet::deadline now) noexcept {
    if (form.body || form.looked_at == now) return true;
    struct stat info{};
    const bool same = ringlet::io::sys::fstat(form.file.get(), &info) == 0 && file_state::of(info) == form.state;
    if (same) form.looked_at = now;
    return same;
}

std::size_t body_bytes_of(const resource& what) noexcept {
    std::size_t bytes = 0;
    for (const representation& form : what.forms) bytes += form.body ? form.body->size() : 0;
    return bytes;
}

std::size_t open_files_of(const resource& what) noexcept {
    return static_cast<std::size_t>(
        std::ranges::count_if(what.forms, [](const representation& form) { return form.file.get() >= 0; }));
}

}  // namespace

file_cache::file_cache(ringlet::io::owned_fd root, ringlet::http::fields extra, const cache_limits& limits)
    : root_{std::move(root)}, extra_{std::move(extra)}, limits_{limits} {}

std::shared_ptr<const resource> file_cache::at_hand(std::string_view path) noexcept {
    const auto which = known(path);
    const ringlet::deadline now = ringlet::clock::coarse_now();
    if (which == by_use_.end() || which->trusted_until <= now) return nullptr;
    const auto as_it_was = [now](const representation& form) { return is_as_it_was(form, now); };
    if (!std::ranges::all_of(which->what->forms, as_it_was)) return nullptr;
    by_use_.splice(by_use_.begin(), by_use_, which);
    return which->what;
}

ringlet::task<file_cache::found> file_cache::find(std::string path) {
    if (auto what = at_hand(path)) co_return found{std::move(what), open_outcome::file};
    // Others take what is known while this one asks.
    if (const auto which = known(path); which != by_use_.end())
        which->trusted_until = ringlet::deadline_after(limits_.trusted);

    std::vector<opened_form> forms = co_await open_forms(path);
    const auto which = known(path);
    if (forms.front().file.outcome == open_outcome::directory) {
        if (which != by_use_.end()) forget(which);
        static const auto directory = std::make_shared<const resource>(resource{.is_directory = true});
        keep(std::move(path), directory);
        co_return found{directory, open_outcome::directory};
    }
    if (forms.front().file.outcome != open_outcome::file) {
        if (which != by_use_.end()) forget(which);
        co_return found{nullptr, forms.front().file.outcome};
    }
    const auto same = [](const opened_form& form, const representation& known) {
        return form.coding == known.coding && file_state::of(form.file.info) == known.state;
    };
    if (which != by_use_.end() && which->settled && std::ranges::equal(forms, which->what->forms, same))
        co_return found{which->what, open_outcome::file};

    resource fresh{.content_type = ringlet::http::media_type_for(last_name(path))};
    for (opened_form& form : forms) {
        representation read_now = co_await read(std::move(form));
        fresh.forms.push_back(std::move(read_now));
    }
    for (representation& form : fresh.forms)
        form.whole.emplace(head_for(ringlet::http::status::ok, fresh, form, extra_), form.state.bytes);
    auto what = std::make_shared<const resource>(std::move(fresh));
    keep(std::move(path), what);
    co_return found{std::move(what), open_outcome::file};
}

// The file at `path`, whatever it is, and what lies compressed beside it and is not older.
ringlet::task<std::vector<file_cache::opened_form>> file_cache::open_forms(std::string path) {
    std::vector<opened_form> forms(1);
    forms[0].file = co_await apps::open_confined_without_blocking(root_, path);
    if (forms[0].file.outcome == open_outcome::exhausted) {
        close_files();
        forms[0].file = co_await apps::open_confined_without_blocking(root_, path);
    }
    if (forms[0].file.outcome != open_outcome::file) co_return forms;
    if (!is_compressible(ringlet::http::media_type_for(last_name(path)))) co_return forms;
    for (const compressed_sibling& sibling : siblings) {
        opened_form form{.coding = sibling.coding, .file = {}};
        form.file = co_await apps::open_confined_without_blocking(root_, path + std::string{sibling.suffix});
        const bool fits = form.file.outcome == open_outcome::file &&
                          file_state::of(form.file.info).modified >= file_state::of(forms[0].file.info).modified;
        if (fits) forms.push_back(std::move(form));
    }
    co_return forms;
}

// A body is kept only when the file was the same before it was read and after.
ringlet::task<representation> file_cache::read(opened_form form) const {
    representation out{.state = file_state::of(form.file.info), .coding = form.coding};
    out.validators = validators_of(out.state, form.coding, now_to_the_second());
    out.file = ringlet::io::owned_fd{form.file.fd.release()};
    if (out.state.bytes > limits_.body_bytes_each) co_return out;
    std::string body(out.state.bytes, '\0');
    const std::size_t got = co_await ringlet::io::read_full_op{out.file, std::as_writable_bytes(std::span{body}), 0};
    struct stat after{};
    const bool same = got == body.size() && ringlet::io::sys::fstat(out.file.get(), &after) == 0 &&
                      file_state::of(after) == out.state;
    if (same) {
        out.body = std::move(body);
        out.file = {};
    }
    co_return out;
}

file_cache::entries_by_use::iterator file_cache::known(std::string_view path) noexcept {
    const auto at = known_.find(path);
    return at == known_.end() ? by_use_.end() : at->second;
}

void file_cache::keep(std::string path, std::shared_ptr<const resource> what) {
    if (const auto which = known(path); which != by_use_.end()) forget(which);
    const bool settled = is_settled(*what);
    by_use_.push_front({std::move(path), std::move(what), ringlet::deadline_after(limits_.trusted), settled});
    const auto which = by_use_.begin();
    try {
        known_.emplace(which->path, which);
    } catch (...) {
        by_use_.pop_front();
        throw;
    }
    body_bytes_ += body_bytes_of(*which->what);
    open_files_ += open_files_of(*which->what);
    const auto too_much = [&] {
        return known_.size() > limits_.entries || body_bytes_ > limits_.body_bytes || open_files_ > limits_.open_files;
    };
    while (too_much()) forget(std::prev(by_use_.end()));
}

void file_cache::forget(entries_by_use::iterator which) noexcept {
    body_bytes_ -= body_bytes_of(*which->what);
    open_files_ -= open_files_of(*which->what);
    known_.erase(which->path);
    by_use_.erase(which);
}

// Out of descriptors: ours first.
void file_cache::close_files() noexcept {
    for (auto which = by_use_.begin(); which != by_use_.end();) {
        const auto next = std::next(which);
        if (open_files_of(*which->what) > 0) forget(which);
        which = next;
    }
}

}  // namespace serve
