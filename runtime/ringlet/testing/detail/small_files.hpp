// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/testing/detail/open_file.hpp>

#include <array>
#include <csignal>
#include <cstdint>
#include <memory>
#include <string>

#include <fcntl.h>

namespace ringlet::testing::detail {

/// pipe(2): both ends.
struct pipe_ends {
    std::shared_ptr<open_file> reading;
    std::shared_ptr<open_file> writing;
};
pipe_ends make_pipe(world& where, std::string name);

std::shared_ptr<open_file> make_event(world& where, std::uint64_t count);

/// epoll(7), as far as its descriptor can be polled; nobody asks it for its events.
std::shared_ptr<open_file> make_epoll(world& where);

/// Takes everything that is written to it: standard output.
class sink final : public open_file {
public:
    sink(world& where, std::string name) : open_file{where}, name_{std::move(name)} { status_flags = O_WRONLY; }
    std::string describe() const override { return name_; }
    short ready_events() const noexcept override { return writable; }
    const void* pipe() const noexcept override { return this; }
    std::int64_t stat(struct stat& info) const noexcept override;
    std::int64_t write(std::span<const std::byte> bytes, std::int64_t offset) override;
    const std::string& text() const noexcept { return text_; }

private:
    std::string name_;
    std::string text_;
};

/// The signals of the one process.
class signals {
public:
    explicit signals(world& where) noexcept : world_{&where} { sigemptyset(&blocked); }

    /// Sends one. One that is not blocked ends the process: see `killed_by`.
    void raise(int number);
    bool is_pending(int number) const noexcept { return pending_[static_cast<std::size_t>(number)]; }
    /// Takes the lowest pending one of `wanted`; 0 when there is none.
    int take(const sigset_t& wanted) noexcept;
    void change_mask(int how, const sigset_t& change) noexcept;
    std::shared_ptr<open_file> make_file(const sigset_t& wanted);
    int killed_by() const noexcept { return killed_by_; }

    sigset_t blocked;

private:
    world* world_;
    std::array<bool, NSIG> pending_{};
    std::vector<std::weak_ptr<open_file>> files_;
    int killed_by_ = 0;
};

}  // namespace ringlet::testing::detail
