// SPDX-License-Identifier: MIT
#pragma once

#include "compare/downloads/new_file.hpp"
#include "compare/downloads/session.hpp"
#include <ringlet/http/parser.hpp>

#include <chrono>
#include <cstddef>
#include <span>
#include <string>

namespace comparison {

/// One file over HTTP, without the network: what to send, and what comes of what the server says. All models share it, so
/// that nothing but their way of waiting differs.
class download {
public:
    /// Bytes that are received at a time: in all models.
    static constexpr std::size_t block_bytes = std::size_t{16} * 1024;

    download(const wanted_file& what, download_session& all);

    const ringlet::http::url& from() const noexcept { return what_.url; }
    const std::string& request() const noexcept { return request_; }
    /// Takes what has come; nothing means that the server has closed. Result: whether more must come; if not, the file is there
    /// under its name, and it was said. Throws fetch::failure.
    bool take(std::span<const std::byte> came);

private:
    void begin();
    void finish();
    void take_end();

    const wanted_file& what_;
    download_session& session_;
    std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
    std::string request_;
    ringlet::http::response_parser parser_;
    new_file file_;
    unsigned interim_ = 0;
    bool is_final_ = false;  // the head that came last
};

}  // namespace comparison
