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

    /// After the command line has been parsed, while it is there: whether one of them is asked for.
    bool asked() const { return fetch_->parsed() || chat_->parsed(); }
    /// The same; empty, or what is wrong with it.
    std::string check();
    /// Runs what was checked. Result: the exit status.
    int run(int argc, char** argv) const;

private:
    CLI::App* fetch_ = nullptr;  // the command line's
    CLI::App* chat_ = nullptr;
    bool fetches_ = false;
    std::string form_;
    download_order download_;
    chat_order talk_;
    std::string peer_port_;
};

}  // namespace comparison
