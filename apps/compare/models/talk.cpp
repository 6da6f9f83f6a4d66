// SPDX-License-Identifier: MIT
#include "compare/models/talk.hpp"

#include "common/confined_open.hpp"
#include "compare/exchange.hpp"
#include "compare/sockets.hpp"

#include <array>
#include <cerrno>
#include <thread>

#include <sys/socket.h>

namespace comparison {

void talk(int client, const site& pages) {
    const apps::unique_fd closes_at_the_end{client};
    exchange requests{pages};
    std::array<char, block_bytes> block;
    for (;;) {
        while (const auto answer = requests.next()) {
            if (answer->wait.count() > 0) std::this_thread::sleep_for(answer->wait);
            if (!send_all(client, answer->text) || answer->closes) return;
        }
        ssize_t got = 0;
        do got = ::recv(client, block.data(), block.size(), 0);
        while (got < 0 && errno == EINTR);
        if (got <= 0) return;  // it has ended, or said nothing for too long
        requests.feed({block.data(), static_cast<std::size_t>(got)});
    }
}

}  // namespace comparison
