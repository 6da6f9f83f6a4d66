// SPDX-License-Identifier: MIT
#include <ringlet/core/awaitable.hpp>
#include <ringlet/io/op/poll.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/os/process_queue.hpp>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <limits>
#include <new>

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

namespace ringlet::os::detail {

// What every process sees. `put` and `got` only grow; each is advanced by one store, when all else is done, so that what
// a killed process leaves is a queue at any moment.
struct shared_queue::header {
    pthread_mutex_t mutex;
    std::uint64_t capacity;
    std::uint64_t item_bytes_max;
    std::atomic<std::uint64_t> put;
    std::atomic<std::uint64_t> got;
    std::atomic<bool> closed;

    std::uint64_t size() const noexcept { return put - got; }
};

namespace {

constexpr std::size_t alignment = 64;
constexpr std::size_t round_up(std::size_t bytes) noexcept { return (bytes + alignment - 1) & ~(alignment - 1); }

std::size_t slot_bytes(std::size_t item_bytes_max) noexcept {
    return sizeof(std::uint64_t) + (item_bytes_max + 7) / 8 * 8;
}

void check(int error, const char* what) {
    if (error != 0) throw std::system_error{error, std::generic_category(), what};
}

io::owned_fd make_event(unsigned count) {
    io::owned_fd event{io::sys::eventfd(count, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (!event) throw std::system_error{errno, std::generic_category(), "eventfd"};
    return event;
}

void show(const io::owned_fd& event) noexcept {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = io::sys::write(event.get(), &one, sizeof one);
}
void hide(const io::owned_fd& event) noexcept {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto got = io::sys::read(event.get(), &count, sizeof count);
}

}  // namespace

class shared_queue::locked {
public:
    explicit locked(const shared_queue& queue) : queue_{&queue} { queue.lock(); }
    locked(const locked&) = delete;
    locked& operator=(const locked&) = delete;
    ~locked() { queue_->unlock(); }

private:
    const shared_queue* queue_;
};

shared_queue::shared_queue(std::size_t capacity, std::size_t item_bytes_max) {
    ringlet::detail::require(capacity > 0, "a process_queue without room could never pass anything on");
    constexpr std::size_t most = std::numeric_limits<std::size_t>::max() / 2;
    if (item_bytes_max > most || capacity > most / slot_bytes(item_bytes_max)) check(ENOMEM, "process_queue");
    bytes_ = round_up(sizeof(header)) + capacity * slot_bytes(item_bytes_max);
    items_ = make_event(0);
    room_ = make_event(1);
    empty_ = make_event(1);
    // Not memfd: nothing has to find it but those that are forked.
    void* const memory = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) check(errno, "mmap of a process_queue");
    shared_ = ::new (memory) header{};
    shared_->capacity = capacity;
    shared_->item_bytes_max = item_bytes_max;
    pthread_mutexattr_t how;
    ::pthread_mutexattr_init(&how);
    ::pthread_mutexattr_setpshared(&how, PTHREAD_PROCESS_SHARED);
    ::pthread_mutexattr_setrobust(&how, PTHREAD_MUTEX_ROBUST);
    const int error = ::pthread_mutex_init(&shared_->mutex, &how);
    ::pthread_mutexattr_destroy(&how);
    if (error != 0) release();
    check(error, "pthread_mutex_init");
}

shared_queue::shared_queue(shared_queue&& other) noexcept
    : shared_{std::exchange(other.shared_, nullptr)},
      bytes_{other.bytes_},
      items_{std::move(other.items_)},
      room_{std::move(other.room_)},
      empty_{std::move(other.empty_)} {}

shared_queue& shared_queue::operator=(shared_queue&& other) noexcept {
    if (this != &other) {
        release();
        shared_ = std::exchange(other.shared_, nullptr);
        bytes_ = other.bytes_;
        items_ = std::move(other.items_);
        room_ = std::move(other.room_);
        empty_ = std::move(other.empty_);
    }
    return *this;
}

shared_queue::~shared_queue() { release(); }

// The mutex is not destroyed: other processes may go on with it.
void shared_queue::release() noexcept {
    if (shared_) ::munmap(std::exchange(shared_, nullptr), bytes_);
}

void shared_queue::lock() const {
    const int error = ::pthread_mutex_lock(&shared_->mutex);
    // Its owner was killed. What it left is a queue; only the lock has to be told.
    if (error == EOWNERDEAD)
        ::pthread_mutex_consistent(&shared_->mutex);
    else
        check(error, "the lock of a process_queue");
}
void shared_queue::unlock() const noexcept { ::pthread_mutex_unlock(&shared_->mutex); }

std::byte* shared_queue::slot(std::uint64_t position) const noexcept {
    const std::uint64_t index = position % shared_->capacity;
    return reinterpret_cast<std::byte*>(shared_) + round_up(sizeof(header)) +
           index * slot_bytes(shared_->item_bytes_max);
}

// In all of these: first say what will be so, then make it so, then take back what is so no more. Who is killed in between
// has said too much, never too little.
shared_queue::outcome shared_queue::try_put(std::span<const std::byte> item) {
    header& q = *shared_;
    const locked hold{*this};
    if (q.closed) return outcome::closed;
    if (q.size() == q.capacity) {
        hide(room_);
        return outcome::wait;
    }
    std::byte* const to = slot(q.put);
    const std::uint64_t size = item.size();
    std::memcpy(to, &size, sizeof size);
    if (size > 0) std::memcpy(to + sizeof size, item.data(), item.size());
    if (q.size() == 0) show(items_);
    q.put.store(q.put + 1);
    if (q.size() == 1) hide(empty_);
    if (q.size() == q.capacity) hide(room_);
    return outcome::done;
}

shared_queue::outcome shared_queue::try_get(std::span<std::byte> room, std::size_t& size) {
    header& q = *shared_;
    const locked hold{*this};
    if (q.size() == 0) {
        if (q.closed) return outcome::closed;
        hide(items_);
        return outcome::wait;
    }
    const std::byte* const from = slot(q.got);
    std::uint64_t stored = 0;
    std::memcpy(&stored, from, sizeof stored);
    size = stored;
    if (size > 0) std::memcpy(room.data(), from + sizeof stored, size);
    if (q.size() == q.capacity) show(room_);
    if (q.size() == 1) show(empty_);
    q.got.store(q.got + 1);
    if (q.size() == 0 && !q.closed) hide(items_);
    return outcome::done;
}

void shared_queue::close() {
    const locked hold{*this};
    show(items_);
    show(room_);
    shared_->closed = true;
}

task<> shared_queue::wait_for_room() { co_await io::poll_op{room_, POLLIN}; }
task<> shared_queue::wait_for_item() { co_await io::poll_op{items_, POLLIN}; }

task<> shared_queue::wait_until_empty() {
    for (;;) {
        co_await io::poll_op{empty_, POLLIN};
        const locked hold{*this};
        if (shared_->size() == 0) co_return;
        hide(empty_);
    }
}

std::size_t shared_queue::size() const {
    const locked hold{*this};
    return shared_->size();
}
bool shared_queue::closed() const { return shared_->closed; }
std::size_t shared_queue::capacity() const noexcept { return shared_->capacity; }
std::size_t shared_queue::item_bytes_max() const noexcept { return shared_->item_bytes_max; }

}  // namespace ringlet::os::detail
