// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ringlet::http {

namespace detail {
class parser_core;
}

/// Request methods of RFC 9110 section 9 and PATCH (RFC 5789). Every other one is `other`; request_head::method_text
/// has it as it was sent.
enum class method : std::uint8_t { other, get, head, post, put, delete_, connect, options, trace, patch };

/// The method's name on the wire; empty for `other`.
[[nodiscard]] std::string_view to_string(method m) noexcept;
/// The method with this name. Names are case-sensitive (RFC 9110 section 9.1): "get" is `other`.
[[nodiscard]] method method_from(std::string_view name) noexcept;

/// The two versions this library speaks. A later 1.x is treated as 1.1 (RFC 9110 section 2.5).
enum class version : std::uint8_t { http_1_0, http_1_1 };

/// Status codes (RFC 9110 section 15, RFC 6585, RFC 8297). Codes without a name here are valid values, too.
enum class status : std::uint16_t {
    continue_ = 100,
    switching_protocols = 101,
    early_hints = 103,
    ok = 200,
    created = 201,
    accepted = 202,
    no_content = 204,
    partial_content = 206,
    multiple_choices = 300,
    moved_permanently = 301,
    found = 302,
    see_other = 303,
    not_modified = 304,
    temporary_redirect = 307,
    permanent_redirect = 308,
    bad_request = 400,
    unauthorized = 401,
    forbidden = 403,
    not_found = 404,
    method_not_allowed = 405,
    not_acceptable = 406,
    proxy_authentication_required = 407,
    request_timeout = 408,
    conflict = 409,
    gone = 410,
    length_required = 411,
    precondition_failed = 412,
    content_too_large = 413,
    uri_too_long = 414,
    unsupported_media_type = 415,
    range_not_satisfiable = 416,
    expectation_failed = 417,
    misdirected_request = 421,
    upgrade_required = 426,
    precondition_required = 428,
    too_many_requests = 429,
    request_header_fields_too_large = 431,
    internal_server_error = 500,
    not_implemented = 501,
    bad_gateway = 502,
    service_unavailable = 503,
    gateway_timeout = 504,
    http_version_not_supported = 505,
    insufficient_storage = 507,
};

[[nodiscard]] constexpr unsigned to_number(status s) noexcept { return static_cast<unsigned>(s); }
/// 100..199: an interim response, the final one follows.
[[nodiscard]] constexpr bool is_interim(status s) noexcept { return to_number(s) / 100 == 1; }
/// The registered reason phrase ("Not Found"); empty for a code without one.
[[nodiscard]] std::string_view reason_phrase(status s) noexcept;

/// Whether `name` is a token (RFC 9110 section 5.1), so that it may be a field name.
[[nodiscard]] bool is_valid_field_name(std::string_view name) noexcept;
/// Whether `value` may be a field value: no CR, LF, NUL nor other control than HTAB (RFC 9110 section 5.5).
[[nodiscard]] bool is_valid_field_value(std::string_view value) noexcept;

/// The header fields of one message: ordered as they came, names compared without regard to case.
///
/// Names and values stand in one buffer that clear() keeps, so a connection that reuses its head allocates nothing.
/// Lifetime: the views given out are valid until the next change.
class fields {
public:
    struct field {
        std::string_view name;
        std::string_view value;
    };

    class iterator {
    public:
        using value_type = field;
        using difference_type = std::ptrdiff_t;
        using iterator_category = std::input_iterator_tag;

        iterator() noexcept = default;
        [[nodiscard]] field operator*() const noexcept { return (*owner_)[index_]; }
        iterator& operator++() noexcept {
            ++index_;
            return *this;
        }
        iterator operator++(int) noexcept {
            auto before = *this;
            ++index_;
            return before;
        }
        [[nodiscard]] bool operator==(const iterator&) const noexcept = default;

    private:
        friend class fields;
        iterator(const fields* owner, std::size_t index) noexcept : owner_{owner}, index_{index} {}

        const fields* owner_ = nullptr;
        std::size_t index_ = 0;
    };

    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
    [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
    /// The field at `index` < size(), in order of arrival.
    [[nodiscard]] field operator[](std::size_t index) const noexcept;
    [[nodiscard]] iterator begin() const noexcept { return {this, 0}; }
    [[nodiscard]] iterator end() const noexcept { return {this, size()}; }

    /// The value of the first field with this name; nullopt when there is none.
    [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const noexcept {
        return may_contain(name) ? find(name) : std::nullopt;
    }
    /// How many fields have this name.
    [[nodiscard]] std::size_t count(std::string_view name) const noexcept {
        return may_contain(name) ? count_of(name) : 0;
    }
    [[nodiscard]] bool contains(std::string_view name) const noexcept { return get(name).has_value(); }
    /// Whether the comma-separated lists of all fields with this name hold `token`, without regard to case
    /// (Connection, Transfer-Encoding; RFC 9110 section 5.6.1).
    [[nodiscard]] bool has_token(std::string_view name, std::string_view token) const noexcept {
        return may_contain(name) && lists_token(name, token);
    }

    /// Appends a field. Nothing is checked here: the writer refuses what may not be sent.
    fields& add(std::string_view name, std::string_view value);
    /// Replaces all fields of this name by one at the end.
    fields& set(std::string_view name, std::string_view value);
    /// Removes all fields of this name; returns how many there were.
    std::size_t remove(std::string_view name) noexcept;
    void clear() noexcept;

private:
    friend class detail::parser_core;

    struct entry {
        std::uint32_t name_begin;
        std::uint32_t name_size;
        std::uint32_t value_begin;
        std::uint32_t value_size;
    };

    std::size_t memory() const noexcept { return text_.capacity() + entries_.capacity() * sizeof(entry); }
    // A message is asked for a dozen names, most of which it does not have: their length tells.
    static std::uint32_t length_bit(std::size_t size) noexcept { return std::uint32_t{1} << (size % 32); }
    bool may_contain(std::string_view name) const noexcept { return (name_lengths_ & length_bit(name.size())) != 0; }
    bool is_named(const entry& e, std::string_view name) const noexcept;
    std::optional<std::string_view> find(std::string_view name) const noexcept;
    std::size_t count_of(std::string_view name) const noexcept;
    bool lists_token(std::string_view name, std::string_view token) const noexcept;

    // For the parser, which gets names and values in pieces.
    void start_name();
    void append_name(std::string_view piece);
    void append_value(std::string_view piece);
    void finish_value() noexcept;

    std::string text_;
    std::vector<entry> entries_;
    std::uint32_t name_lengths_ = 0;  // of those that are there, and perhaps of others
};

/// What stands before the body of a request (RFC 9112 section 3).
struct request_head {
    http::method method = http::method::get;
    std::string method_text = "GET";  // as it came; the writer sends it when `method` is `other`
    std::string target = "/";         // request-target as it came: not decoded
    http::version version = http::version::http_1_1;
    http::fields fields;

    void clear() noexcept;
};

/// What stands before the body of a response (RFC 9112 section 4).
struct response_head {
    http::status status = http::status::ok;
    std::string reason;  // as it came, may be anything; the writer sends reason_phrase() when it is empty
    http::version version = http::version::http_1_1;
    http::fields fields;

    void clear() noexcept;
};

/// Bounds on what a peer may send. All in bytes but `fields_max`.
struct limits {
    std::uint32_t line_bytes_max = 8 * 1024;   // request line, status line, one field line, with CR LF
    std::uint32_t head_bytes_max = 32 * 1024;  // all of the head; trailer fields count again from 0
    std::uint32_t fields_max = 100;            // field lines in the head, and in the trailer section
    bool non_ascii_target = false;  // take bytes 0x80..0xFF in a request-target, which RFC 3986 does not allow
    std::uint64_t body_bytes_max = std::numeric_limits<std::uint64_t>::max();

    /// Defaults for a client: servers send much longer heads than browsers do.
    [[nodiscard]] static constexpr limits for_responses() noexcept {
        limits l;
        l.line_bytes_max = 64 * 1024;
        l.head_bytes_max = 256 * 1024;
        l.fields_max = 256;
        return l;
    }
};

}  // namespace ringlet::http
