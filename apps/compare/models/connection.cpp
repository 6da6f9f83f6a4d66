// SPDX-License-Identifier: MIT
#include "compare/models/connection.hpp"

#include "compare/sockets.hpp"

#include <array>
#include <cerrno>

#include <sys/socket.h>

namespace comparison {

connection::connection(int client, const site& pages)
    : client_{client}, requests_{pages}, until_{clock::now() + patience} {}

connection::wants connection::go_on(clock::time_point now) {
    if (now >= until_ && waits_for_ != wants::time) return waits_for_ = wants::end;
    for (;;) {
        if (!answer_) {
            answer_ = requests_.next();
            sent_ = 0;
            if (answer_ && answer_->wait.count() > 0) {
                until_ = now + answer_->wait;
                return waits_for_ = wants::time;
            }
        }
        if (waits_for_ == wants::time && now < until_) return waits_for_;
        if (answer_) {
            const ssize_t sent =
                ::send(socket(), answer_->text.data() + sent_, answer_->text.size() - sent_, MSG_NOSIGNAL);
            if (sent < 0 && errno == EINTR) continue;
            if (sent < 0 && errno != EAGAIN) return waits_for_ = wants::end;
            if (sent > 0 || waits_for_ != wants::output) until_ = now + patience;
            waits_for_ = wants::output;
            if (sent < 0) return waits_for_;
            sent_ += static_cast<std::size_t>(sent);
            if (sent_ < answer_->text.size()) continue;
            if (answer_->closes) return waits_for_ = wants::end;
            answer_.reset();
            continue;
        }
        std::array<char, block_bytes> block;
        const ssize_t got = ::recv(socket(), block.data(), block.size(), 0);
        if (got < 0 && errno == EINTR) continue;
        if (got == 0 || (got < 0 && errno != EAGAIN)) return waits_for_ = wants::end;
        if (got > 0 || waits_for_ != wants::input) until_ = now + patience;
        waits_for_ = wants::input;
        if (got < 0) return waits_for_;
        requests_.feed({block.data(), static_cast<std::size_t>(got)});
    }
}

}  // namespace comparison
