// SPDX-License-Identifier: MIT
#include <ringlet/net/error.hpp>

#include <string>

namespace ringlet::net {
namespace {

class category final : public std::error_category {
public:
    const char* name() const noexcept override { return "ringlet.net"; }
    std::string message(int value) const override {
        switch (static_cast<errc>(value)) {
            case errc::unexpected_end:
                return "the peer closed the connection in the middle of a message";
            case errc::too_long:
                return "longer than the limit";
            case errc::host_not_found:
                return "host not found";
            case errc::resolver_unavailable:
                return "no usable answer from the name servers";
            case errc::resolver_timed_out:
                return "the name servers did not answer in time";
            case errc::tls_failed:
                return "no secure connection";
            case errc::certificate_refused:
                return "the peer's certificate cannot be trusted";
        }
        return "unknown error " + std::to_string(value);
    }
    std::error_condition default_error_condition(int value) const noexcept override {
        if (static_cast<errc>(value) == errc::resolver_timed_out) return std::errc::timed_out;
        if (static_cast<errc>(value) == errc::too_long) return std::errc::message_size;
        return {value, *this};
    }
};

}  // namespace

const std::error_category& error_category() noexcept {
    static const category instance;
    return instance;
}

bool is_disconnect(const std::error_code& code) noexcept {
    return code == std::errc::connection_reset || code == std::errc::broken_pipe || code == std::errc::timed_out ||
           code == std::errc::connection_aborted || code == std::errc::not_connected ||
           code == std::errc::host_unreachable || code == std::errc::network_unreachable ||
           code == make_error_code(errc::unexpected_end);
}

}  // namespace ringlet::net
