// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/detail/request.hpp>
#include <ringlet/io/memory_engine.hpp>
#include <ringlet/io/private_fd.hpp>
#include <ringlet/io/thread_pool.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

struct epoll_event;

namespace ringlet::io {

/// Does what the SQEs ask with ordinary system calls: tries each without blocking, waits with epoll(7) for what was not
/// ready, and gives what blocks on files to a few threads. For where io_uring is denied or too old; results and errors
/// are the ring's.
///
/// Differences that remain: a listening socket is made non-blocking; a descriptor must not be closed while a request on
/// it is in flight (the ring keeps the file, epoll forgets it); linked requests, fixed files, and multishot forms other
/// than of accept, recv and recvmsg give -EINVAL; a splice is done by a thread whatever its ends are.
class epoll_engine final : public memory_engine {
public:
    explicit epoll_engine(const ring_sizes& sizes);
    ~epoll_engine() override;

    std::string_view name() const noexcept override { return "epoll"; }
    void enter(unsigned wanted, deadline until) override;
    bool completions_waiting() const noexcept override;
    bool look() override;

private:
    using request = detail::request;
    enum class state_after : std::uint8_t { ended, waits, eager };

    struct watched {
        request* first = nullptr;
        bool known = false;  // to epoll, when last seen
        bool eager = false;  // in eager_
    };

    void submit(const io_uring_sqe& sqe);
    void begin(const io_uring_sqe& sqe);
    void cancel(const io_uring_sqe& sqe);
    detail::attempt attempt_once(request& r);
    detail::attempt attempt_message(request& r, const io_uring_buf& buffer);
    static bool goes_on(const io_uring_sqe& sqe, std::int32_t res) noexcept;
    state_after run(request& r, std::uint32_t events);
    void finish(const io_uring_sqe& sqe, std::int32_t res, std::uint32_t flags = 0);

    void park(request&& r, bool tried, state_after how);
    int watch(int fd) noexcept;
    void unpark(request& r) noexcept;
    void make_eager(int fd);
    void on_event(int fd, std::uint32_t events);
    bool collect(deadline until);
    int wait_for_events(epoll_event* events, deadline until) noexcept;

    void start_file_call(request&& r);
    static void serve_file_call(work_item& work) noexcept;
    void reap_file_calls();

    void remember(request& r);
    void forget(request& r) noexcept;
    request** bucket_of(std::uint64_t user_data) noexcept;

    private_fd epoll_;
    private_fd calls_done_event_;
    std::vector<watched> watched_;  // by descriptor
    std::vector<int> eager_;        // descriptors on which more can be done without waiting
    std::vector<request*> buckets_;
    std::size_t in_flight_ = 0;
    unsigned entered_without_looking_ = 0;
    std::atomic<detail::file_call*> calls_done_ = nullptr;
    std::unique_ptr<thread_pool> threads_ = std::make_unique<thread_pool>();
};

}  // namespace ringlet::io
