// SPDX-License-Identifier: MIT
#include <ringlet/io/loop.hpp>
#include <ringlet/io/mailbox.hpp>
#include <ringlet/io/system_calls.hpp>

#include <liburing.h>

#include <cerrno>
#include <system_error>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace ringlet::io {

mailbox::mailbox(loop& owner) : owner_{&owner}, event_{sys::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {
    if (!event_) throw std::system_error{errno, std::generic_category(), "eventfd"};
    listen();
}

void mailbox::post(letter& what) noexcept {
    letter* head = newest_.load(std::memory_order_relaxed);
    do {
        what.next = head;
    } while (!newest_.compare_exchange_weak(head, &what, std::memory_order_release, std::memory_order_relaxed));
    if (head != nullptr) return;
    const std::uint64_t one = 1;
    // Cannot fail: the counter is far from its maximum.
    [[maybe_unused]] const auto written = sys::write(event_.get(), &one, sizeof one);
}

// Poll, not read: the kernel holds no memory of ours when the ring goes. Not counted as a request in flight.
void mailbox::listen() {
    io_uring_sqe& sqe = owner_->next_sqe();
    io_uring_prep_poll_add(&sqe, event_.get(), POLLIN);
    sqe.user_data = reinterpret_cast<std::uint64_t>(&doorbell_) | detail::tag_completion;
}

void mailbox::doorbell::rung(completion& self, std::int32_t, std::uint32_t) noexcept {
    mailbox& box = *static_cast<doorbell&>(self).box;
    std::uint64_t count = 0;
    // Emptied before the letters are taken: one that is posted after that rings again.
    [[maybe_unused]] const auto got = sys::read(box.event_.get(), &count, sizeof count);
    box.deliver_all();
    box.listen();
}

void mailbox::deliver_all() noexcept {
    letter* in_order = nullptr;
    for (letter* l = newest_.exchange(nullptr, std::memory_order_acquire); l != nullptr;) {
        letter* const next = l->next;
        l->next = in_order;
        in_order = l;
        l = next;
    }
    while (in_order) {
        letter& l = *in_order;
        in_order = l.next;
        l.deliver(l);
    }
}

}  // namespace ringlet::io
