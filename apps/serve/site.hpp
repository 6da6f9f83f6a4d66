// SPDX-License-Identifier: MIT
#pragma once

#include "serve/file_cache.hpp"
#include <ringlet/core/ready_or_task.hpp>
#include <ringlet/http/message.hpp>
#include <ringlet/http/path.hpp>
#include <ringlet/http/server_connection.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace serve {

/// What a site shows, and how.
struct site_options {
    std::string root = ".";
    std::string index = "index.html";
    bool listing = true;
    ringlet::http::fields fields;  ///< added to every answer
    cache_limits cache;
};

/// The files below one directory, as answers to requests.
class site {
public:
    /// Throws std::system_error when the root is no directory that can be read.
    explicit site(const site_options& options);

    /// Answers one request, whatever it asks for.
    ringlet::ready_or_task<> answer(ringlet::http::server_connection& client,
                                    const ringlet::http::request_head& request);

    ringlet::io::fd_ref root() const noexcept { return files_.root(); }

private:
    using connection = ringlet::http::server_connection;

    ringlet::task<> look_up(connection& client, const ringlet::http::request_head& request,
                            ringlet::http::clean_target where);
    ringlet::task<> answer_directory(connection& client, const ringlet::http::request_head& request,
                                     const ringlet::http::clean_target& where);
    ringlet::ready_or_task<> send_resource(connection& client, const ringlet::http::request_head& request,
                                           std::shared_ptr<const resource> what) const;
    ringlet::task<> send_listing(connection& client, const ringlet::http::clean_target& where);
    ringlet::task<> send_error(connection& client, ringlet::http::response_head head) const;
    ringlet::task<> send_methods(connection& client, ringlet::http::status status) const;
    ringlet::task<> send_status(connection& client, ringlet::http::status status) const;
    ringlet::http::response_head head_of(ringlet::http::status status, std::string_view content_type) const;

    site_options options_;
    file_cache files_;
};

}  // namespace serve
