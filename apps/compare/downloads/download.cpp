// SPDX-License-Identifier: MIT
#include "compare/downloads/download.hpp"

#include <ringlet/http/writer.hpp>

#include <fmt/format.h>

#include <string_view>

namespace comparison {
namespace {

namespace http = ringlet::http;
using fetch::failure;
using fetch::reason;

constexpr unsigned interim_max = 32;

// Why this is no answer with a file in it.
failure refusal(const http::response_head& head) {
    const unsigned number = to_number(head.status);
    const std::string_view phrase = head.reason.empty() ? reason_phrase(head.status) : std::string_view{head.reason};
    const std::string text = fmt::format("the server answered {}{}{}", number, phrase.empty() ? "" : " ", phrase);
    if (const auto elsewhere = head.fields.get("Location"); number / 100 == 3 && elsewhere)
        return {reason::redirects, fmt::format("{}: redirect to {}, which ringlet-fetch follows", text, *elsewhere)};
    if (head.status == http::status::unauthorized || head.status == http::status::proxy_authentication_required)
        return {reason::login, text};
    if (number < 400 || number >= 600) return fetch::protocol_failure(text + ", which is no answer to what was asked");
    return {reason::status, text};
}

}  // namespace

download::download(const wanted_file& what, download_session& all) : what_{what}, session_{all}, file_{what, all} {
    http::request_head head;
    head.target = what.url.target();
    head.fields.add("Host", what.url.host_field());
    head.fields.add("Accept", "*/*");
    head.fields.add("Accept-Encoding", "identity");
    head.fields.add("Connection", "close");
    append_head(request_, head);
}

bool download::take(std::span<const std::byte> came) {
    if (came.empty()) {
        take_end();
        return false;
    }
    for (;;) {
        const http::parse_result found = parser_.feed(came);
        came = came.subspan(found.consumed);
        switch (found.what) {
            case http::event::head:
                begin();
                break;
            case http::event::body:
                file_.write(found.body);
                break;
            case http::event::complete:
                if (!is_final_) break;  // the final one follows
                finish();
                return false;
            case http::event::error:
                throw fetch::protocol_failure("malformed response: " + std::string{parser_.error().reason});
            default:
                return true;
        }
    }
}

void download::begin() {
    const http::response_head& head = parser_.head();
    is_final_ = !is_interim(head.status) || parser_.upgraded();
    if (!is_final_ && ++interim_ > interim_max)
        throw fetch::protocol_failure("the server sends interim responses without end");
    if (!is_final_) return;
    if (head.status != http::status::ok) throw refusal(head);
    file_.open();
}

void download::take_end() {
    if (parser_.finish().what == http::event::complete) return finish();
    if (!is_final_) throw failure{reason::truncated, "the server closed the connection without an answer"};
    const auto total = parser_.body_bytes();
    throw failure{reason::truncated, total ? fmt::format("truncated after {} of {} bytes", file_.bytes(), *total)
                                           : fmt::format("truncated after {} bytes", file_.bytes())};
}

void download::finish() {
    const std::string path = file_.finish();
    session_.done(path, file_.bytes(), std::chrono::steady_clock::now() - begun_);
}

}  // namespace comparison
