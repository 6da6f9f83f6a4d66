// SPDX-License-Identifier: MIT
#include <ringlet/testing/detail/byte_queue.hpp>
#include <ringlet/testing/detail/small_files.hpp>

#include <climits>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>

namespace ringlet::testing::detail {
namespace {

constexpr std::size_t pipe_bytes = 65536;

std::int64_t stat_as(mode_t kind, struct stat& info) noexcept {
    info = {};
    info.st_mode = kind | 0600;
    info.st_nlink = 1;
    info.st_blksize = 4096;
    return 0;
}

class pipe_end;

struct pipe_state {
    byte_queue bytes;
    pipe_end* reading = nullptr;
    pipe_end* writing = nullptr;
};

class pipe_end final : public open_file {
public:
    pipe_end(world& where, std::shared_ptr<pipe_state> shared, bool reads, std::string name)
        : open_file{where}, pipe_{std::move(shared)}, reads_{reads}, name_{std::move(name)} {
        (reads_ ? pipe_->reading : pipe_->writing) = this;
        status_flags = reads_ ? O_RDONLY : O_WRONLY;
    }
    ~pipe_end() override {
        (reads_ ? pipe_->reading : pipe_->writing) = nullptr;
        tell_other();
    }
    std::string describe() const override { return name_; }
    std::int64_t stat(struct stat& info) const noexcept override { return stat_as(S_IFIFO, info); }
    short ready_events() const noexcept override {
        if (reads_) return static_cast<short>((pipe_->bytes.empty() ? 0 : readable) | (pipe_->writing ? 0 : POLLHUP));
        return static_cast<short>((room() >= PIPE_BUF ? writable : 0) | (pipe_->reading ? 0 : POLLERR));
    }
    const void* pipe() const noexcept override { return pipe_.get(); }
    // The ring passes an offset on, and a pipe does not look at it.
    std::int64_t read(std::span<std::byte> to, std::int64_t) override {
        if (!reads_) return -EBADF;
        if (to.empty()) return 0;
        if (pipe_->bytes.empty()) return pipe_->writing ? -EAGAIN : 0;
        const std::size_t n = pipe_->bytes.copy(to);
        pipe_->bytes.consume(n);
        tell_other();
        return static_cast<std::int64_t>(n);
    }
    std::int64_t peek(std::span<std::byte> to) override {
        if (!reads_) return -EBADF;
        if (pipe_->bytes.empty()) return pipe_->writing ? -EAGAIN : 0;
        return static_cast<std::int64_t>(pipe_->bytes.copy(to));
    }
    std::int64_t write(std::span<const std::byte> from, std::int64_t) override {
        if (reads_) return -EBADF;
        if (from.empty()) return 0;
        if (!pipe_->reading) return -EPIPE;
        const std::size_t n = std::min(from.size(), room());
        if (n == 0) return -EAGAIN;
        if (n < from.size() && from.size() <= PIPE_BUF) return -EAGAIN;  // all or nothing
        pipe_->bytes.append(from.first(n));
        tell_other();
        return static_cast<std::int64_t>(n);
    }
    std::int64_t allocate(int, std::int64_t offset, std::int64_t bytes) override {
        if (offset < 0 || bytes <= 0) return -EINVAL;
        return reads_ ? -EBADF : -ESPIPE;
    }
    std::int64_t ioctl(unsigned long request, void* argument) override {
        if (request != FIONREAD) return -ENOTTY;
        *static_cast<int*>(argument) = static_cast<int>(pipe_->bytes.size());
        return 0;
    }

private:
    std::size_t room() const noexcept { return pipe_bytes - std::min(pipe_bytes, pipe_->bytes.size()); }
    void tell_other() {
        if (pipe_end* const other = reads_ ? pipe_->writing : pipe_->reading) other->changed();
    }

    std::shared_ptr<pipe_state> pipe_;
    bool reads_;
    std::string name_;
};

class event_file final : public open_file {
public:
    event_file(world& where, std::uint64_t count) noexcept : open_file{where}, count_{count} {}
    std::string describe() const override { return "an eventfd"; }
    std::int64_t stat(struct stat& info) const noexcept override { return stat_as(0, info); }
    short ready_events() const noexcept override { return static_cast<short>((count_ > 0 ? POLLIN : 0) | POLLOUT); }
    std::int64_t read(std::span<std::byte> to, std::int64_t) override {
        if (to.size() < sizeof count_) return -EINVAL;
        if (count_ == 0) return -EAGAIN;
        std::memcpy(to.data(), &count_, sizeof count_);
        count_ = 0;
        changed();
        return sizeof count_;
    }
    std::int64_t write(std::span<const std::byte> from, std::int64_t) override {
        std::uint64_t more = 0;
        if (from.size() < sizeof more) return -EINVAL;
        std::memcpy(&more, from.data(), sizeof more);
        if (more == UINT64_MAX) return -EINVAL;
        if (more > UINT64_MAX - 1 - count_) return -EAGAIN;
        count_ += more;
        changed();
        return sizeof more;
    }

private:
    std::uint64_t count_;
};

class epoll_file final : public open_file, private waiter {
public:
    explicit epoll_file(world& where) noexcept : open_file{where} {}
    ~epoll_file() override {
        for (const watched& w : all_)
            if (const auto file = w.file.lock()) file->remove(*this);
    }
    std::string describe() const override { return "an epoll"; }
    std::int64_t stat(struct stat& info) const noexcept override { return stat_as(0, info); }
    short ready_events() const noexcept override {
        for (const watched& w : all_)
            if (const auto file = w.file.lock()) {
                const unsigned events = static_cast<unsigned short>(file->ready_events());
                if ((events & (w.events | POLLERR | POLLHUP)) != 0) return POLLIN;
            }
        return 0;
    }
    std::int64_t watch(int operation, const std::shared_ptr<open_file>& file, unsigned events) override {
        if (file.get() == this) return -EINVAL;
        const auto found = std::ranges::find_if(all_, [&](const watched& w) { return w.file.lock() == file; });
        const bool known = found != all_.end();
        if (operation == EPOLL_CTL_ADD) {
            if (known) return -EEXIST;
            all_.push_back({file, events});
            file->add(*this);
        } else if (operation != EPOLL_CTL_MOD && operation != EPOLL_CTL_DEL) {
            return -EINVAL;
        } else if (!known) {
            return -ENOENT;
        } else if (operation == EPOLL_CTL_MOD) {
            found->events = events;
        } else {
            file->remove(*this);
            all_.erase(found);
        }
        changed();
        return 0;
    }

private:
    struct watched {
        std::weak_ptr<open_file> file;
        unsigned events;
    };
    void file_changed() override { changed(); }

    std::vector<watched> all_;
};

class signal_file final : public open_file {
public:
    signal_file(world& where, signals& all, const sigset_t& wanted) noexcept
        : open_file{where}, all_{&all}, wanted_{wanted} {}
    std::string describe() const override {
        std::string out = "signals";
        for (int n = 1; n < NSIG; ++n)
            if (sigismember(&wanted_, n) == 1) out += fmt::format(" {}", n);
        return out;
    }
    std::int64_t stat(struct stat& info) const noexcept override { return stat_as(0, info); }
    short ready_events() const noexcept override {
        for (int n = 1; n < NSIG; ++n)
            if (sigismember(&wanted_, n) == 1 && all_->is_pending(n)) return POLLIN;
        return 0;
    }
    std::int64_t read(std::span<std::byte> to, std::int64_t) override {
        signalfd_siginfo info{};
        if (to.size() < sizeof info) return -EINVAL;
        const int number = all_->take(wanted_);
        if (number == 0) return -EAGAIN;
        info.ssi_signo = static_cast<std::uint32_t>(number);
        std::memcpy(to.data(), &info, sizeof info);
        return sizeof info;
    }
    void signal_came() { changed(); }

private:
    signals* all_;
    sigset_t wanted_;
};

}  // namespace

pipe_ends make_pipe(world& where, std::string name) {
    const auto shared = std::make_shared<pipe_state>();
    auto reading = std::make_shared<pipe_end>(where, shared, true, name);
    auto writing = std::make_shared<pipe_end>(where, shared, false, std::move(name));
    return {std::move(reading), std::move(writing)};
}

std::shared_ptr<open_file> make_event(world& where, std::uint64_t count) {
    return std::make_shared<event_file>(where, count);
}

std::shared_ptr<open_file> make_epoll(world& where) { return std::make_shared<epoll_file>(where); }

std::int64_t sink::stat(struct stat& info) const noexcept {
    stat_as(S_IFIFO, info);
    info.st_ino = std::hash<std::string>{}(name_);
    return 0;
}

std::int64_t sink::write(std::span<const std::byte> bytes, std::int64_t) {
    text_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return static_cast<std::int64_t>(bytes.size());
}

void signals::raise(int number) {
    if (number < 1 || number >= NSIG) return;
    if (sigismember(&blocked, number) != 1) {
        killed_by_ = number;
        return;
    }
    pending_[static_cast<std::size_t>(number)] = true;
    std::erase_if(files_, [](const auto& file) { return file.expired(); });
    for (const auto& file : std::vector{files_})
        if (const auto open = file.lock()) static_cast<signal_file&>(*open).signal_came();
}

int signals::take(const sigset_t& wanted) noexcept {
    for (int n = 1; n < NSIG; ++n) {
        if (!is_pending(n) || sigismember(&wanted, n) != 1) continue;
        pending_[static_cast<std::size_t>(n)] = false;
        return n;
    }
    return 0;
}

void signals::change_mask(int how, const sigset_t& change) noexcept {
    for (int n = 1; n < NSIG; ++n) {
        const bool in = sigismember(&change, n) == 1;
        if (how == SIG_SETMASK ? in : (how == SIG_BLOCK && in))
            sigaddset(&blocked, n);
        else if (how == SIG_SETMASK || (how == SIG_UNBLOCK && in))
            sigdelset(&blocked, n);
        if (is_pending(n) && sigismember(&blocked, n) != 1) {
            pending_[static_cast<std::size_t>(n)] = false;
            killed_by_ = n;
        }
    }
}

std::shared_ptr<open_file> signals::make_file(const sigset_t& wanted) {
    auto file = std::make_shared<signal_file>(*world_, *this, wanted);
    files_.push_back(file);
    return file;
}

}  // namespace ringlet::testing::detail
