// SPDX-License-Identifier: MIT
#pragma once

#include "compare/catalogue.hpp"
#include "compare/chats/chat.hpp"
#include "compare/downloads/session.hpp"

#include <CLI/CLI.hpp>

#include <span>
#include <string>
#include <string_view>

namespace comparison {

/// The forms of the programs that are no servers, "fetch-thread" and the like: to be listed and shown; `serve` is null.
std::span<const model> program_forms() noexcept;

/// The subcommands `fetch` and `chat`: the course's downloader and chat, each in several forms.
class programs {
public:
    /// Adds them to a command line; what it says is read into this.
    void add_to(CLI::App& app);

    /// The rest after the command line has been parsed. Whether one of them is asked for.
    bool asked() const { return fetch_->parsed() || chat_->parsed(); }
    /// Empty, or what is wrong with it.
    std::string check();
    /// Runs it. Result: the exit status.
    int run(int argc, char** argv) const;

private:
    CLI::App* fetch_ = nullptr;
    CLI::App* chat_ = nullptr;
    std::string form_;
    download_order download_;
    chat_order talk_;
    std::string peer_port_;
};

}  // namespace comparison
