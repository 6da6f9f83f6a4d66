// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/http/message.hpp>
#include <ringlet/http/path.hpp>
#include <ringlet/http/server_connection.hpp>
#include <ringlet/io/fd.hpp>

#include <optional>
#include <string>

#include <sys/stat.h>

namespace serve {

/// The files below one directory, as answers to requests. Nothing outside of it is ever opened: every open goes through
/// openat2(2) beneath the root, and links that leave it do not lead anywhere.
class site {
public:
    /// Throws std::system_error when `root` is no directory that can be read.
    explicit site(const std::string& root);

    /// Answers one request, whatever it asks for.
    ringlet::task<> answer(ringlet::http::server_connection& client, const ringlet::http::request_head& request) const;

private:
    struct found {
        ringlet::http::status status = ringlet::http::status::not_found;
        bool missing = true;         // certainly nothing there that could be served
        ringlet::io::owned_fd file;  // a regular file, or a directory; only with status ok
        struct stat info{};
        bool ok() const noexcept { return status == ringlet::http::status::ok; }
        bool is_directory() const noexcept { return S_ISDIR(info.st_mode); }
    };
    ringlet::task<found> open(std::string path) const;
    ringlet::task<> send_file(ringlet::http::server_connection& client, found what, const std::string& name) const;
    ringlet::task<> send_listing(ringlet::http::server_connection& client, found directory,
                                 const ringlet::http::clean_target& where) const;

    ringlet::io::owned_fd root_;
};

}  // namespace serve
