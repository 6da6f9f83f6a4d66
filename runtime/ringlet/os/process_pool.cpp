// SPDX-License-Identifier: MIT
#include <ringlet/core/bytes.hpp>
#include <ringlet/core/error.hpp>
#include <ringlet/io/op/recv.hpp>
#include <ringlet/io/op/send_all.hpp>
#include <ringlet/io/private_fd.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/os/process_pool.hpp>
#include <ringlet/sync/event.hpp>
#include <ringlet/sync/queue.hpp>

#include <array>
#include <cerrno>
#include <csignal>
#include <exception>
#include <optional>
#include <system_error>

#include <sys/socket.h>
#include <unistd.h>

namespace ringlet::os {
namespace {

using detail::pool_function;

std::vector<pool_function>& all_functions() {
    static std::vector<pool_function> all;
    return all;
}

// What goes before a request: which function, and how long the arguments are; before a reply: how it went, and how long.
struct head {
    std::uint64_t what = 0;
    std::uint64_t bytes = 0;
};
enum class reply_kind : std::uint8_t { value, failure };

/// False when the other side is gone; `error` is set where it is not because of its end.
task<bool> receive_all(io::fd_ref socket, std::span<std::byte> buffer, std::error_code& error) {
    while (!buffer.empty()) {
        const result<std::size_t> n = co_await as_result(io::recv_op{socket, buffer});
        if (!n) error = n.error();
        if (!n || *n == 0) co_return false;
        buffer = buffer.subspan(*n);
    }
    co_return true;
}

struct message {
    message() noexcept {}  // no aggregate: g++ 12 destroys those in a co_await expression twice
    std::uint64_t what = 0;
    std::string body;
};

task<std::optional<message>> receive(io::fd_ref socket, std::error_code& error) {
    head h;
    const bool begun = co_await receive_all(socket, std::as_writable_bytes(std::span{&h, 1}), error);
    if (!begun) co_return std::nullopt;
    message got;
    got.what = h.what;
    got.body.resize(h.bytes);
    const bool whole = co_await receive_all(socket, std::as_writable_bytes(std::span{got.body}), error);
    if (!whole) co_return std::nullopt;
    co_return got;
}

/// False when the other side is gone.
task<bool> send(io::fd_ref socket, std::uint64_t what, std::string_view body) {
    const head h{what, body.size()};
    std::string bytes{reinterpret_cast<const char*>(&h), sizeof h};
    bytes += body;
    const result<void> sent = co_await as_result(io::send_all_op{socket, as_bytes(bytes)});
    co_return sent.has_value();
}

// --- in the worker ---

task<message> make_call(message request) {
    message reply;
    try {
        const auto& all = all_functions();
        if (request.what >= all.size())
            throw std::runtime_error{"this worker does not know the function: it was loaded later"};
        reply.body = co_await all[request.what](std::move(request.body));
    } catch (...) {
        reply.what = static_cast<std::uint64_t>(reply_kind::failure);
        reply.body = ringlet::detail::describe(std::current_exception());
    }
    co_return reply;
}

task<> work(int descriptor) {
    // Not for children of this one: the parent must see the end when this worker ends, not when they do.
    const io::private_fd socket{descriptor};
    ::signal(SIGINT, SIG_IGN);
    ::signal(SIGTERM, SIG_DFL);
    std::error_code error;
    for (;;) {
        std::optional<message> request = co_await receive(socket, error);
        if (!request) co_return;
        const message reply = co_await make_call(*std::move(request));
        const bool sent = co_await send(socket, reply.what, reply.body);
        if (!sent) co_return;
    }
}

// --- in the parent ---

struct worker {
    std::shared_ptr<process> running;  // shared with who waits for its end meanwhile
    io::private_fd socket;

    void start() {
        std::array<int, 2> fds{-1, -1};
        if (io::sys::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()) != 0)
            throw std::system_error{errno, std::generic_category(), "socketpair"};
        socket = io::private_fd{fds[0]};
        const io::owned_fd theirs{fds[1]};
        running = std::make_shared<process>(process::start(work, theirs.get()));
    }
    void end() noexcept {
        if (!running) return;
        try {
            running->kill();
        } catch (const std::system_error&) {  // somebody else reaped it
        }
        running.reset();
    }
};

}  // namespace

struct detail::pool_state {
    explicit pool_state(std::size_t count) : workers(count) {
        ringlet::detail::require(count > 0, "a process_pool without workers would never make a call");
        no_calls.set();
    }
    void terminate() noexcept {
        closed = true;
        ended = true;
        for (auto& w : workers) w.end();
        idle.close();
    }

    std::vector<worker> workers;
    queue<worker*> idle;
    event no_calls;
    std::size_t calls = 0;
    bool closed = false;
    bool ended = false;
};

namespace {

// A worker for one call. What did not end well is not used again.
class lease {
public:
    lease(detail::pool_state& pool, worker& w) noexcept : pool_{&pool}, worker_{&w} {}
    lease(const lease&) = delete;
    lease& operator=(const lease&) = delete;
    ~lease() {
        if (!clean) {
            worker_->end();
            worker_->socket.reset();
        }
        pool_->idle.try_put(std::move(worker_));
    }
    bool clean = true;

private:
    detail::pool_state* pool_;
    worker* worker_;
};

// Whether it runs, as far as one can see.
bool is_there(worker& w) noexcept {
    try {
        return w.running && w.running->running();
    } catch (const std::system_error&) {
        return false;
    }
}

[[noreturn]] void raise_lost(int code, bool begun) {
    const std::string how =
        code < 0 ? "was ended by signal " + std::to_string(-code) : "exited with " + std::to_string(code);
    throw worker_lost{"a worker " + how + (begun ? " in the middle of a call" : " before it began a call"), code};
}

struct attempt {
    attempt() noexcept {}  // no aggregate, as above
    std::optional<message> reply;
    bool begun = true;  // false when it surely has not been
};

// A call begins when its worker has read all of the request. One that ends before that resets the connection, where one
// that has read everything just closes it: unix(7) says so to us, and nobody has to tell.
task<attempt> try_call(worker& w, std::uint32_t function, std::string_view arguments) {
    attempt made;
    made.begun = co_await send(w.socket, function, arguments);
    if (!made.begun) co_return made;
    std::error_code error;
    made.reply = co_await receive(w.socket, error);
    made.begun = error != std::errc::connection_reset;
    co_return made;
}

// One that cannot even begin is not forked for ever.
constexpr int attempts_max = 10;

}  // namespace

std::uint32_t detail::register_pool_function(pool_function function) {
    all_functions().push_back(function);
    return static_cast<std::uint32_t>(all_functions().size() - 1);
}

detail::pool_ticket::pool_ticket(std::shared_ptr<pool_state> pool) : pool_{std::move(pool)} {
    if (pool_->closed) {
        pool_.reset();
        throw std::logic_error{"this process_pool is closed"};
    }
    ++pool_->calls;
    pool_->no_calls.clear();
}

detail::pool_ticket::~pool_ticket() {
    if (pool_ && --pool_->calls == 0) pool_->no_calls.set();
}

task<std::string> detail::call_in_pool(pool_state& pool, std::uint32_t function, std::string arguments) {
    const std::optional<worker*> mine = co_await pool.idle.get();
    if (!mine) throw cancelled{};
    worker& w = **mine;
    lease held{pool, w};
    if (pool.ended) throw cancelled{};
    std::optional<message> reply;
    for (int attempts = 1; !reply; ++attempts) {
        held.clean = true;
        if (!is_there(w)) {
            w.end();
            w.start();
        }
        held.clean = false;
        attempt made = co_await try_call(w, function, arguments);
        reply = std::move(made.reply);
        if (reply) break;
        if (pool.ended) throw cancelled{};
        const std::shared_ptr<process> gone = w.running;
        // Its socket is closed, so it has ended, or is about to. If not (ENOMEM), it is of no use with half a request.
        if (!made.begun) gone->kill();
        const int code = co_await gone->join();
        if (pool.ended) throw cancelled{};
        if (made.begun || attempts == attempts_max) raise_lost(code, made.begun);
    }
    held.clean = true;
    if (reply->what != static_cast<std::uint64_t>(reply_kind::value)) throw remote_error{reply->body};
    co_return std::move(reply->body);
}

process_pool::process_pool(std::size_t workers) : state_{std::make_shared<detail::pool_state>(workers)} {
    try {
        for (auto& w : state_->workers) {
            w.start();
            state_->idle.try_put(&w);
        }
    } catch (...) {
        state_->terminate();
        throw;
    }
}

process_pool::~process_pool() {
    if (state_) state_->terminate();
}

void process_pool::close() noexcept { state_->closed = true; }
void process_pool::terminate() noexcept { state_->terminate(); }

namespace {

task<> join_pool(std::shared_ptr<detail::pool_state> pool) {
    co_await pool->no_calls.wait();
    for (auto& w : pool->workers) w.socket.reset();  // they end when they see that
    std::exception_ptr lost;
    for (auto& w : pool->workers) {
        const std::shared_ptr<process> ending = w.running;
        if (!ending) continue;
        try {
            co_await ending->join();
        } catch (const std::system_error& error) {
            if (error.code() != std::errc::no_child_process) throw;
            lost = std::current_exception();  // it has ended; the others are waited for all the same
        }
        w.running.reset();
    }
    if (lost) std::rethrow_exception(lost);
}

}  // namespace

task<> process_pool::join() {
    if (!state_->closed)
        throw std::logic_error{"a process_pool is joined once it is closed: call close() before join()"};
    return join_pool(state_);
}

std::size_t process_pool::size() const noexcept { return state_->workers.size(); }

std::vector<pid_t> process_pool::pids() const {
    std::vector<pid_t> all;
    for (auto& w : state_->workers)
        if (is_there(w)) all.push_back(w.running->pid());
    return all;
}

}  // namespace ringlet::os
