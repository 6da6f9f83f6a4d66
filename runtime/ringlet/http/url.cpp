// SPDX-License-Identifier: MIT
#include <ringlet/http/detail/characters.hpp>
#include <ringlet/http/url.hpp>

#include <uriparser/Uri.h>

#include <algorithm>
#include <charconv>
#include <new>

namespace ringlet::http {

namespace {

constexpr std::size_t url_bytes_max = 16 * 1024;
constexpr std::size_t host_bytes_max = 254;  // a name of 253 and the dot of the root

using answer = checked<url>;

// A UriUriA with its memory. It refers to the text that it was parsed from.
class parsed_uri {
public:
    parsed_uri() noexcept : uri_{} {}
    parsed_uri(const parsed_uri&) = delete;
    parsed_uri& operator=(const parsed_uri&) = delete;
    ~parsed_uri() { uriFreeUriMembersA(&uri_); }

    bool parse(const std::string& text) noexcept {
        const char* error_position = nullptr;
        const int code = uriParseSingleUriExA(&uri_, text.data(), text.data() + text.size(), &error_position);
        if (code != URI_SUCCESS) uri_ = {};  // uriparser has freed the members
        return code == URI_SUCCESS;
    }
    UriUriA* get() noexcept { return &uri_; }
    UriUriA* operator->() noexcept { return &uri_; }

private:
    UriUriA uri_;
};

std::string_view text_of(const UriTextRangeA& range) noexcept {
    if (range.first == nullptr) return {};
    return {range.first, static_cast<std::size_t>(range.afterLast - range.first)};
}

// Where path, query and fragment start: behind the authority, if there is one.
std::size_t end_of_authority(std::string_view text) noexcept {
    const auto slashes = text.find("//");
    if (slashes == std::string_view::npos) return 0;
    const bool has_authority = slashes == 0 || (text[slashes - 1] == ':' && text.find_first_of("/?#") == slashes);
    return has_authority ? std::min(text.find_first_of("/?#", slashes + 2), text.size()) : 0;
}

// What people write as "ä.example" is xn--4ca.example to everybody else.
bool has_non_ascii_host(std::string_view text, std::size_t authority_end) noexcept {
    if (authority_end == 0) return false;
    const auto begin = text.find("//") + 2;
    const auto authority = text.substr(begin, authority_end - begin);
    const auto host = authority.substr(authority.rfind('@') + 1);  // npos + 1 is 0
    return std::any_of(host.begin(), host.end(), [](char c) { return detail::is(c, detail::non_ascii); });
}

// Percent-encodes behind `from` what may not stand in a URL, and percent signs that encode nothing.
std::string mend(std::string_view text, std::size_t from) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    constexpr std::string_view refused = " \"<>[\\]^`{|}";
    std::string out{text.substr(0, from)};
    for (std::size_t i = from; i < text.size(); ++i) {
        const char c = text[i];
        const bool bad_percent =
            c == '%' && (i + 2 >= text.size() || !detail::all_of(text.substr(i + 1, 2), detail::hex_digit));
        if (bad_percent || detail::is(c, detail::non_ascii) || refused.find(c) != std::string_view::npos) {
            const auto byte = static_cast<unsigned char>(c);
            out += {'%', digits[byte >> 4], digits[byte & 15]};
        } else {
            out += c;
        }
    }
    return out;
}

std::string lower(std::string_view text) {
    std::string out{text};
    std::transform(out.begin(), out.end(), out.begin(), detail::to_lower);
    return out;
}

bool has_control(std::string_view text) noexcept {
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\x7f'; });
}

// "localhost:80/x", "127.0.0.1:80", "[::1]:80": what looks like a scheme is a host with its port.
bool begins_with_port(std::string_view text) noexcept {
    const auto authority = text.substr(0, text.find_first_of("/?#"));
    const auto colon = authority.rfind(':');
    if (colon == std::string_view::npos || colon == 0 || colon + 1 == authority.size()) return false;
    const auto port = authority.substr(colon + 1);
    const auto host = lower(authority.substr(0, colon));
    return host != "http" && host != "https" && detail::all_of(port, detail::digit);
}

// Empty, or why `text` cannot be a URL at all.
std::string_view unfit(std::string_view text) noexcept {
    if (text.empty()) return "empty URL";
    if (text.size() > url_bytes_max) return "URL too long";
    if (has_control(text)) return "control character in URL";
    return {};
}

constexpr std::string_view non_ascii_host = "host name is not ASCII: write its xn-- form";
constexpr std::string_view no_scheme = "no scheme: write http:// or https:// before it";

// The path of an absolute reference keeps its form in uriparser's strings; so dot segments go before anything else.
std::string to_text(UriUriA* uri) {
    int chars = 0;
    if (uriToStringCharsRequiredA(uri, &chars) != URI_SUCCESS) return {};
    std::string out(static_cast<std::size_t>(chars) + 1, '\0');
    if (uriToStringA(out.data(), uri, chars + 1, nullptr) != URI_SUCCESS) return {};
    out.resize(static_cast<std::size_t>(chars));
    return out;
}

}  // namespace

checked<url> url::parse(std::string_view text) {
    if (const auto why = unfit(text); !why.empty()) return answer::failure(why);
    if (begins_with_port(text)) return answer::failure(no_scheme);
    const auto authority_end = end_of_authority(text);
    if (has_non_ascii_host(text, authority_end)) return answer::failure(non_ascii_host);
    const std::string mended = mend(text.substr(0, std::min(text.find('#'), text.size())), authority_end);
    parsed_uri uri;
    if (!uri.parse(mended)) return answer::failure("malformed URL");

    url out;
    out.scheme_ = lower(text_of(uri->scheme));
    if (out.scheme_.empty()) return answer::failure(no_scheme);
    if (out.scheme_ != "http" && out.scheme_ != "https") return answer::failure("scheme is neither http nor https");
    if (uri->hostData.ipFuture.first != nullptr) return answer::failure("unknown kind of address in URL");
    out.host_ = lower(text_of(uri->hostText));
    if (out.host_.empty()) return answer::failure("no host in URL");
    if (out.host_.size() > host_bytes_max) return answer::failure("host name too long");
    const bool name = uri->hostData.ip6 == nullptr;
    if (name && !std::all_of(out.host_.begin(), out.host_.end(),
                             [](char c) { return (detail::is(c, detail::unreserved) && c != '~'); }))
        return answer::failure("invalid character in host name");
    out.user_info_ = text_of(uri->userInfo);

    const auto port = text_of(uri->portText);
    unsigned number = out.is_https() ? 443 : 80;
    if (!port.empty()) {
        const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
        if (error != std::errc{} || end != port.data() + port.size() || number == 0 || number > 65535)
            return answer::failure("port out of range");
    }
    out.port_ = static_cast<std::uint16_t>(number);

    out.target_ = mended.substr(authority_end);
    if (!out.target_.starts_with('/')) out.target_.insert(0, 1, '/');
    return out;
}

checked<url> url::resolve(std::string_view reference) const {
    if (reference.empty()) return *this;
    if (const auto why = unfit(reference); !why.empty()) return answer::failure(why);
    const auto authority_end = end_of_authority(reference);
    if (has_non_ascii_host(reference, authority_end)) return answer::failure(non_ascii_host);
    const std::string base_text = to_string();
    const std::string mended =
        mend(reference.substr(0, std::min(reference.find('#'), reference.size())), authority_end);
    parsed_uri base;
    parsed_uri relative;
    parsed_uri absolute;
    if (!base.parse(base_text) || !relative.parse(mended)) return answer::failure("malformed URL");
    const int code = uriAddBaseUriA(absolute.get(), relative.get(), base.get());
    if (code == URI_ERROR_MALLOC) throw std::bad_alloc{};
    if (code != URI_SUCCESS) return answer::failure("malformed URL");
    return parse(to_text(absolute.get()));
}

std::string_view url::last_segment() const noexcept {
    const auto path = std::string_view{target_}.substr(0, target_.find('?'));
    return path.substr(path.rfind('/') + 1);
}

std::string url::host_field() const {
    std::string out = host_is_ipv6() ? "[" + host_ + "]" : host_;
    if (port_ != (is_https() ? 443 : 80)) out += ":" + std::to_string(port_);
    return out;
}

std::string url::to_string() const { return scheme_ + "://" + host_field() + target_; }

bool url::same_origin(const url& other) const noexcept {
    return scheme_ == other.scheme_ && host_ == other.host_ && port_ == other.port_;
}

}  // namespace ringlet::http
