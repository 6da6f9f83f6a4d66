// SPDX-License-Identifier: MIT
#include "web_client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <stdexcept>

namespace web {
namespace {

std::optional<std::size_t> length_of(std::string_view head) {
    constexpr std::string_view name = "\r\nContent-Length: ";
    const std::size_t at = head.find(name);
    if (at == std::string_view::npos) return std::nullopt;
    std::size_t length = 0;
    std::from_chars(head.data() + at + name.size(), head.data() + head.size(), length);
    return length;
}

}  // namespace

void answers::wrong(const std::string& what) const {
    const std::string_view request =
        whole_ < wanted_.size() ? std::string_view{wanted_[whole_].request}.substr(0, 60) : std::string_view{};
    throw std::logic_error{fmt::format("answer {} of {}, to {:?}: {}", whole_ + 1, wanted_.size(), request, what)};
}

void answers::take(std::string_view bytes) {
    pending_ += bytes;
    while (!pending_.empty() || in_body_) {
        if (!in_body_ && !take_head()) return;
        take_body();
        if (in_body_) return;
    }
}

bool answers::take_head() {
    if (closes_ || whole_ == wanted_.size()) wrong("more came: " + pending_.substr(0, 100));
    const std::size_t end = pending_.find("\r\n\r\n");
    constexpr std::string_view begin = "HTTP/1.1 ";
    if (std::string_view{pending_}.substr(0, begin.size()) != begin.substr(0, pending_.size()))
        wrong("no answer: " + pending_.substr(0, 100));
    if (end == std::string::npos) return false;
    const std::string head = pending_.substr(0, end + 2);
    pending_.erase(0, end + 4);

    const exchange& asked = wanted_[whole_];
    int status = 0;
    std::from_chars(head.data() + begin.size(), head.data() + head.size(), status);
    const bool gave_up = (status >= 500 || (status == 404 && asked.may_be_missing)) && status != asked.status;
    if (gave_up && faultless_) wrong(fmt::format("status {}", status));
    if (!gave_up && status != asked.status) wrong(fmt::format("status {}, not {}", status, asked.status));
    if (!gave_up && head.find(asked.field) == std::string::npos) wrong("no " + asked.field + " in " + head);
    failed_ = failed_ || gave_up;
    closes_ = head.find("\r\nConnection: close\r\n") != std::string::npos;

    const std::optional<std::size_t> length = length_of(head);
    const bool is_plain = !asked.plain.empty() && head.find("\r\nContent-Encoding: ") == std::string::npos;
    if (is_plain && faultless_) wrong("not compressed");
    const std::string_view body = is_plain ? asked.plain : asked.body;
    const bool any = gave_up || asked.any_body;
    if (!any && length.value_or(body.size()) != body.size()) wrong(fmt::format("of {} bytes", *length));
    if (!asked.bodyless && !length) wrong("without a length");
    body_ = any || asked.bodyless ? std::string_view{} : body;
    body_bytes_ = any && !asked.bodyless ? *length : body_.size();
    in_body_ = true;
    return true;
}

void answers::take_body() {
    const std::size_t bytes = std::min(pending_.size(), body_bytes_);
    if (!body_.empty()) {
        if (!body_.starts_with(std::string_view{pending_}.substr(0, bytes))) wrong("other bytes");
        body_.remove_prefix(bytes);
    }
    body_bytes_ -= bytes;
    pending_.erase(0, bytes);
    if (body_bytes_ > 0) return;
    in_body_ = false;
    ++whole_;
}

}  // namespace web
