// SPDX-License-Identifier: MIT
#include "compare/programs.hpp"

#include "common/file_limit.hpp"
#include "common/options.hpp"
#include "common/sanitize.hpp"
#include "compare/downloads/models.hpp"
#include "compare/sources.hpp"
#include "fetch/failure.hpp"
#include <ringlet/net/endpoint.hpp>
#include <ringlet/os/run_main.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <utility>

#include <unistd.h>

namespace comparison {
namespace {

constexpr unsigned jobs_max = 1000;

const std::array forms{
    model{"fetch-sequential", "downloader: one file after the other", sources::fetch_sequential, sources::fetch_waiting,
          nullptr},
    model{"fetch-thread", "downloader: some threads", sources::fetch_thread, sources::fetch_waiting, nullptr},
    model{"fetch-coroutine", "downloader: a coroutine for each file", sources::fetch_coroutine, {}, nullptr},
    model{"chat-thread", "chat: one thread receives, one sends", sources::chat_thread, {}, nullptr},
    model{"chat-coroutine", "chat: one coroutine receives, one sends", sources::chat_coroutine, {}, nullptr},
};

using fetcher = void (*)(download_session&);
constexpr std::array<std::pair<std::string_view, fetcher>, 3> fetchers{
    {{"sequential", fetch_sequential}, {"thread", fetch_thread}, {"coroutine", fetch_coroutine}}};

using talker = int (*)(const chat_order&);
constexpr std::array<std::pair<std::string_view, talker>, 2> talkers{
    {{"thread", chat_thread}, {"coroutine", chat_coroutine}}};

// Null: there is none of that name.
template <class All>
auto find(const All& all, std::string_view name) {
    const auto found = std::ranges::find(all, name, [](const auto& each) { return each.first; });
    return found == all.end() ? nullptr : found->second;
}

template <class All>
std::string names(const All& all) {
    std::string text;
    for (const auto& each : all) text += (text.empty() ? "" : ", ") + std::string{each.first};
    return text;
}

// At once, whatever the threads wait for: no file has its name before it is whole. The coroutines wait for the signal themselves.
void end_by_signal(int number) { ::_exit(128 + number); }

void end_by(int number) {
    if (std::signal(number, end_by_signal) == SIG_IGN) std::signal(number, SIG_IGN);  // as nohup wants it
}

int fetch(fetcher form, const download_order& what) {
    apps::raise_file_limit();
    std::signal(SIGXFSZ, SIG_IGN);  // a file beyond the limit is an error like a full disk
    try {
        download_session all{what};
        form(all);
        return all.finish();
    } catch (const fetch::failure& why) {
        fmt::print(stderr, "ringlet-compare: {}\n", apps::sanitize(why.what(), apps::text_context::field));
        return to_int(why.code());
    }
}

}  // namespace

std::span<const model> program_forms() noexcept { return forms; }

void programs::add_to(CLI::App& app) {
    fetch_ = app.add_subcommand("fetch", "Download files, in one of the forms of the course's downloader");
    fetch_->add_option("MODEL", form_, "One of: " + names(fetchers))->required();
    fetch_->add_option("URL", download_.urls, "http only; ringlet-fetch has https, redirects and much more")
        ->required();
    fetch_->add_option("-P,--dir", download_.directory, "Where the files go")->type_name("DIR")->capture_default_str();
    fetch_->add_option("-j,--jobs", download_.jobs, "Files at a time; sequential has one, whatever this says")
        ->transform(apps::is_whole(1, jobs_max))
        ->capture_default_str();
    fetch_->footer(
        "Exit status: 0 when all files are there, else as ringlet-fetch's: 3 for the disk, 4 for the network,\n"
        "7 for what is no such answer (redirects, too), 8 for what the server refuses, 130 after Ctrl-C.");
    chat_ = app.add_subcommand("chat", "Talk over UDP, in one of the forms of the course's chat");
    chat_->add_option("MODEL", form_, "One of: " + names(talkers))->required();
    chat_->add_option("HOST", talk_.host, "Whom to talk to; nobody else is heard")->required();
    chat_->add_option("PORT", peer_port_, "Their port")->required();
    chat_->add_option("-p,--port", talk_.port, "Ours; 0 takes a free one")
        ->transform(apps::is_port())
        ->capture_default_str();
    chat_->footer(
        "Each line is a datagram of bare UTF-8 text, in parts where it is longer than 1200 bytes. ringlet-chat has\n"
        "the line editing, names and commands.\n\n"
        "Exit status: 0 at the end of the input, 1 when a message could not be sent, 130 after Ctrl-C.");
}

std::string programs::check() {
    fetches_ = fetch_->parsed();
    if (fetches_) {
        if (find(fetchers, form_) == nullptr)
            return fmt::format("no downloader is called {}; there are {}", form_, names(fetchers));
        for (const std::string& url : download_.urls)
            if (std::string wrong = check_download_url(url); !wrong.empty()) return wrong;
        return {};
    }
    if (find(talkers, form_) == nullptr)
        return fmt::format("no chat is called {}; there are {}", form_, names(talkers));
    if (talk_.host.empty()) return "HOST is empty";
    talk_.peer_port = ringlet::net::parse_port(peer_port_).value_or(0);
    if (talk_.peer_port == 0) return fmt::format("PORT is a port from 1 to 65535, not '{}'", peer_port_);
    return {};
}

int programs::run(int argc, char** argv) const {
    end_by(SIGINT);
    end_by(SIGTERM);
    int status = 0;
    const int written = ringlet::run_main(argc, argv, [&](ringlet::arguments) {
        status = fetches_ ? fetch(find(fetchers, form_), download_) : find(talkers, form_)(talk_);
    });
    return status != 0 ? status : written;
}

}  // namespace comparison
