// SPDX-License-Identifier: MIT
#pragma once

#include "lying_server.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What is inside the lying server.
namespace lying {

struct request {
    struct range {
        std::size_t first;
        std::size_t last;  ///< included; any number beyond the end for "to the end"
    };
    std::string path;
    std::optional<range> wanted{};
    std::string if_range{};
};

enum class ending : std::uint8_t { stays, closes, resets };

/// An answer in the making: first the truth, which a lie then changes.
struct answer {
    int status = 200;
    std::vector<std::pair<std::string, std::string>> fields{};
    std::string body{};
    bool in_chunks = false;
    bool until_close = false;
    std::string interim{};                 ///< before the head
    std::string behind{};                  ///< the body
    std::optional<std::string> instead{};  ///< of all of it

    ending how = ending::stays;
    bool is_cut = false;  ///< somewhere
    bool stalls = false;
    bool trickles = false;

    void set(std::string_view name, std::string value);
    void add(std::string name, std::string value) { fields.emplace_back(std::move(name), std::move(value)); }
    void remove(std::string_view name);
    /// As it goes over the wire.
    std::string to_string() const;
};

std::string tag_of(const document& file, const version& which);
std::string date_of(const version& which);
/// Says by the fields what the version is.
void identify(answer& is, const document& file, const version& which);
/// The bytes of a version, from `first` to `last`, as a 206.
void make_partial(answer& is, const document& file, const version& which, const request::range& part);
/// "bytes 0-5/10"
std::string content_range(const request::range& part, std::size_t total);
answer truth(const document& file, const request& asked);
answer plain(int status);

/// What a lie may look at, and what it changes.
struct telling {
    document& file;
    const request& asked;
    answer& is;
    dice& roll;
    bool beyond_detection;
};

/// Of one sort each. Result of `tell`: whether it could be told here.
struct lie {
    std::string_view name;
    bool (*tell)(telling&);
};

std::span<const lie> lies();

}  // namespace lying
