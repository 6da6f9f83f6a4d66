// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/completion.hpp>
#include <ringlet/io/private_fd.hpp>

#include <atomic>

namespace ringlet::io {

class loop;

/// Something that another thread hands to a loop. Belongs to the sender until posted, then to the loop.
struct letter {
    explicit letter(void (*handler)(letter&) noexcept) noexcept : deliver{handler} {}
    void (*deliver)(letter&) noexcept;  ///< called on the loop's thread
    letter* next = nullptr;
};

/// A loop's letter box: a lock-free list, and an eventfd that wakes the loop. Only the first letter into an empty box
/// writes to the eventfd.
class mailbox {
public:
    explicit mailbox(loop& owner);
    mailbox(const mailbox&) = delete;
    mailbox& operator=(const mailbox&) = delete;

    /// Hands `what` to the loop, which delivers in the order of posting. Thread: any; the loop must still be there. While
    /// the loop has nothing else to wait for, it waits only for letters that `loop::expect_mail` has announced.
    void post(letter& what) noexcept;

    /// The eventfd: a number written to it wakes the loop, letters or not.
    int descriptor() const noexcept { return event_.get(); }

private:
    struct doorbell : completion {
        explicit doorbell(mailbox& owner) noexcept : completion{&rung}, box{&owner} {}
        static void rung(completion& self, std::int32_t res, std::uint32_t flags) noexcept;
        mailbox* box;
    };

    void listen();
    void deliver_all() noexcept;

    loop* owner_;
    private_fd event_;
    std::atomic<letter*> newest_ = nullptr;
    doorbell doorbell_{*this};
};

}  // namespace ringlet::io
