// SPDX-License-Identifier: MIT
#include <ringlet/http/detail/characters.hpp>
#include <ringlet/http/detail/parser_core.hpp>

#include <algorithm>
#include <cassert>

namespace ringlet::http::detail {

namespace {

std::string_view as_text(std::span<const std::byte> bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

const llhttp_settings_t& parser_core::settings() {
    static const llhttp_settings_t all = [] {
        llhttp_settings_t s;
        llhttp_settings_init(&s);
        s.on_method = [](llhttp_t* p, const char* at, size_t size) {
            static_cast<parser_core*>(p->data)->request.method_text.append(at, size);
            return 0;
        };
        s.on_url = [](llhttp_t* p, const char* at, size_t size) {
            static_cast<parser_core*>(p->data)->request.target.append(at, size);
            return 0;
        };
        s.on_status = [](llhttp_t* p, const char* at, size_t size) {
            static_cast<parser_core*>(p->data)->response.reason.append(at, size);
            return 0;
        };
        s.on_header_field = [](llhttp_t* p, const char* at, size_t size) {
            static_cast<parser_core*>(p->data)->on_name({at, size});
            return 0;
        };
        s.on_header_value = [](llhttp_t* p, const char* at, size_t size) {
            static_cast<parser_core*>(p->data)->on_value({at, size});
            return 0;
        };
        s.on_header_value_complete = [](llhttp_t* p) {
            static_cast<parser_core*>(p->data)->on_value_complete();
            return 0;
        };
        s.on_headers_complete = [](llhttp_t* p) {
            static_cast<parser_core*>(p->data)->saw_head_ = true;
            p->upgrade = 0;  // whether to change protocols is for the program to say
            return 0;
        };
        s.on_chunk_header = [](llhttp_t* p) {
            auto& self = *static_cast<parser_core*>(p->data);
            self.saw_chunk_size_ = true;
            self.remaining_ = p->content_length;
            return 0;
        };
        s.on_chunk_complete = [](llhttp_t* p) {
            static_cast<parser_core*>(p->data)->saw_chunk_end_ = true;
            return 0;
        };
        s.on_message_complete = [](llhttp_t* p) {
            static_cast<parser_core*>(p->data)->saw_message_end_ = true;
            return 0;
        };
        return s;
    }();
    return all;
}

parser_core::parser_core(bool is_request, const limits& bounds) noexcept : limits_{bounds}, is_request_{is_request} {
    start_message();
}

void parser_core::restart(bool is_request, const limits& bounds) noexcept {
    limits_ = bounds;
    is_request_ = is_request;
    answered_method = method::get;
    error = {};
    start_message();
}

std::size_t parser_core::memory() const noexcept {
    return request.method_text.capacity() + request.target.capacity() + request.fields.memory() +
           response.reason.capacity() + response.fields.memory();
}

void parser_core::on_name(std::string_view piece) {
    if (saw_head_) return;  // a trailer field: checked by the gate and dropped (RFC 9110 section 6.5.1)
    auto& f = current_fields();
    if (!in_name_) f.start_name();
    in_name_ = true;
    f.append_name(piece);
}

void parser_core::on_value(std::string_view piece) {
    in_name_ = false;
    if (!saw_head_) current_fields().append_value(piece);
}

void parser_core::on_value_complete() {
    in_name_ = false;
    if (!saw_head_) current_fields().finish_value();
}

void parser_core::start_message() noexcept {
    llhttp_init(&llhttp_, is_request_ ? HTTP_REQUEST : HTTP_RESPONSE, &settings());
    llhttp_.lenient_flags |= LENIENT_VERSION;  // 1.2 and later are read as 1.1; the gate refuses the others
    llhttp_.data = this;
    head_gate_.restart(is_request_ ? head_gate::start::request_line : head_gate::start::status_line, limits_);
    is_request_ ? request.clear() : response.clear();
    // Member by member: a copy of the whole would be read back while it is still being written.
    plan.kind = framing::none;
    plan.bytes = 0;
    plan.error.reason = {};
    keep_alive = upgraded = expects_continue = false;
    body_bytes_ = remaining_ = 0;
    saw_head_ = saw_chunk_size_ = saw_chunk_end_ = saw_message_end_ = in_name_ = false;
    phase_ = phase::head;
}

bool parser_core::idle() const noexcept {
    return phase_ == phase::over || (phase_ == phase::head && head_gate_.untouched());
}

parse_result parser_core::fail(std::size_t consumed, parse_error why) noexcept {
    if (!is_request_) why.status = status::bad_gateway;
    error = why;
    phase_ = phase::failed;
    keep_alive = false;
    return {consumed, event::error, {}};
}

parse_result parser_core::fail(std::size_t consumed, std::string_view reason) noexcept {
    return fail(consumed, parse_error{status::bad_request, reason});
}

// Feeds llhttp a piece of a head; false when it refuses (then `error` is set).
bool parser_core::execute_head(std::string_view input) {
    if (input.empty()) return true;
    const auto code = llhttp_execute(&llhttp_, input.data(), input.size());
    if (code == HPE_OK || saw_head_) return true;  // past the head it speaks of the body, which plan decides
    const char* const reason = llhttp_get_error_reason(&llhttp_);  // a literal in llhttp
    error = {status::bad_request, reason != nullptr && *reason != '\0' ? reason : "malformed message"};
    // The gate has seen a well-formed start line so far, so it can only be the method.
    if (is_request_ && (code == HPE_INVALID_METHOD || code == HPE_INVALID_CONSTANT))
        error = {status::not_implemented, "unknown method"};
    return false;
}

parse_result parser_core::feed(std::span<const std::byte> input) {
    std::size_t consumed = 0;
    for (;;) {
        const auto r = step(input.subspan(consumed));
        consumed += r.consumed;
        if (r.what != event::need_more || r.consumed == 0) return {consumed, r.what, r.body};
    }
}

// Takes at least one byte of a non-empty input, or reports an event.
parse_result parser_core::step(std::span<const std::byte> input) {
    if (phase_ == phase::complete) {
        phase_ = phase::over;
        return {0, event::complete, {}};
    }
    if (phase_ == phase::failed) return {0, event::error, {}};
    if (input.empty()) return {};
    if (phase_ == phase::over) start_message();
    switch (phase_) {
        case phase::length:
        case phase::until_close:
            return feed_body(input);
        case phase::chunk_size:
            return feed_chunk_size(as_text(input));
        case phase::chunk_data:
            return feed_chunk_data(input);
        case phase::chunk_end:
            return feed_chunk_end(as_text(input));
        case phase::trailer:
            return feed_trailer(as_text(input));
        default:
            return feed_head(as_text(input));
    }
}

std::uint64_t parser_core::unfed_bytes() const noexcept { return phase_ == phase::length ? remaining_ : 0; }

void parser_core::pass(std::uint64_t bytes) noexcept {
    assert(bytes <= unfed_bytes() && "more than there is of the body");
    remaining_ -= bytes;
    if (remaining_ == 0) phase_ = phase::complete;
}

parse_result parser_core::finish() {
    if (idle()) return {0, event::end, {}};
    switch (phase_) {
        case phase::complete:
        case phase::until_close:
            phase_ = phase::over;
            return {0, event::complete, {}};
        case phase::failed:
            return {0, event::error, {}};
        case phase::head:
            return fail(0, "the header is cut off");
        default:
            return fail(0, "the body is cut off");
    }
}

parse_result parser_core::feed_head(std::string_view input) {
    const auto found = head_gate_.scan(input);
    if (!execute_head(input.substr(0, found.consumed))) return fail(found.consumed, error);
    if (found.what == verdict::error) return fail(found.consumed, head_gate_.error());
    const bool complete = found.what == verdict::complete;
    if (saw_head_ != complete) return fail(found.consumed, "ambiguous end of the header");
    return complete ? finish_head(found.consumed) : parse_result{found.consumed, event::need_more, {}};
}

parse_result parser_core::finish_head(std::size_t consumed) {
    if (!take_head()) return fail(consumed, error);
    if (plan.bytes && *plan.bytes > limits_.body_bytes_max)
        return fail(consumed, parse_error{status::content_too_large, "body too large"});
    switch (plan.kind) {
        case framing::none:
            phase_ = phase::complete;
            break;
        case framing::length:
            phase_ = phase::length;
            remaining_ = *plan.bytes;
            break;
        case framing::until_close:
            phase_ = phase::until_close;
            keep_alive = false;
            break;
        case framing::chunked:
            phase_ = phase::chunk_size;
            chunk_gate_.restart();
            break;
    }
    return {consumed, event::head, {}};
}

// False when the head contradicts itself: then `error` is set.
bool parser_core::take_head() {
    // Only a minor version of 0 is 1.0; the gate lets nothing pass but 1.x.
    const auto v = llhttp_.http_minor == 0 ? version::http_1_0 : version::http_1_1;
    if (is_request_) {
        request.version = v;
        request.method = method_from(request.method_text);
        std::string_view why = host_error(request);
        if (why.empty()) why = target_error(request);
        if (!why.empty()) {
            error = {status::bad_request, why};
            return false;
        }
        plan = plan_request_body(request);
        upgraded = request.method == method::connect;
        expects_continue =
            plan.kind != framing::none && v == version::http_1_1 && request.fields.has_token("Expect", "100-continue");
    } else {
        response.version = v;
        response.status = static_cast<status>(llhttp_.status_code);
        plan = plan_response_body(response, answered_method);
        upgraded = response.status == status::switching_protocols ||
                   (answered_method == method::connect && to_number(response.status) / 100 == 2);
    }
    keep_alive = !upgraded && wants_keep_alive(v, current_fields());
    if (plan.error.reason.empty()) return true;
    error = plan.error;
    return false;
}

parse_result parser_core::feed_body(std::span<const std::byte> input) {
    const bool known = phase_ == phase::length;
    const std::uint64_t room = known ? remaining_ : limits_.body_bytes_max - body_bytes_;
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(input.size(), room));
    if (size == 0) return fail(0, parse_error{status::content_too_large, "body too large"});
    body_bytes_ += size;
    if (known && (remaining_ -= size) == 0) phase_ = phase::complete;
    return {size, event::body, input.first(size)};
}

parse_result parser_core::feed_chunk_size(std::string_view input) {
    const auto found = chunk_gate_.scan(input);
    if (found.what == verdict::error) return fail(found.consumed, chunk_gate_.reason());
    if (found.what == verdict::need_more) return {found.consumed, event::need_more, {}};
    const auto line = chunk_gate_.size_line();
    if (llhttp_execute(&llhttp_, line.data(), line.size()) != HPE_OK || !saw_chunk_size_)
        return fail(found.consumed, "malformed chunk size");
    saw_chunk_size_ = saw_chunk_end_ = false;
    if (remaining_ > limits_.body_bytes_max - body_bytes_)
        return fail(found.consumed, parse_error{status::content_too_large, "body too large"});
    body_bytes_ += remaining_;
    if (remaining_ != 0) {
        chunk_gate_.credit(remaining_);
        phase_ = phase::chunk_data;
    } else {
        head_gate_.restart(head_gate::start::trailer, limits_);
        phase_ = phase::trailer;
    }
    return {found.consumed, event::need_more, {}};
}

parse_result parser_core::feed_chunk_data(std::span<const std::byte> input) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(input.size(), remaining_));
    if (llhttp_execute(&llhttp_, as_text(input).data(), size) != HPE_OK || saw_chunk_end_)
        return fail(size, "malformed chunk");
    remaining_ -= size;
    if (remaining_ == 0) {
        phase_ = phase::chunk_end;
        chunk_end_bytes_ = 0;
    }
    return {size, event::body, input.first(size)};
}

parse_result parser_core::feed_chunk_end(std::string_view input) {
    constexpr std::string_view line_end = "\r\n";
    if (input.front() != line_end[chunk_end_bytes_]) return fail(0, "chunk data does not end with CR LF");
    ++chunk_end_bytes_;
    const bool complete = chunk_end_bytes_ == line_end.size();
    if (llhttp_execute(&llhttp_, input.data(), 1) != HPE_OK || saw_chunk_end_ != complete)
        return fail(1, "malformed chunk end");
    if (complete) {
        chunk_gate_.next_line();
        phase_ = phase::chunk_size;
    }
    return {1, event::need_more, {}};
}

parse_result parser_core::feed_trailer(std::string_view input) {
    const auto found = head_gate_.scan(input);
    // llhttp first: what it refuses stands before what the gate refuses, and the answer must not depend on the cuts.
    const bool good = found.consumed == 0 || llhttp_execute(&llhttp_, input.data(), found.consumed) == HPE_OK;
    if (!good) return fail(found.consumed, "malformed trailer section");
    if (found.what == verdict::error) return fail(found.consumed, head_gate_.error());
    const bool complete = found.what == verdict::complete;
    if (saw_message_end_ != complete) return fail(found.consumed, "malformed trailer section");
    if (complete) phase_ = phase::complete;
    return {found.consumed, event::need_more, {}};
}

}  // namespace ringlet::http::detail
