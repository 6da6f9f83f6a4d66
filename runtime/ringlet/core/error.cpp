// SPDX-License-Identifier: MIT
#include <ringlet/core/detail/expiry.hpp>
#include <ringlet/core/error.hpp>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <typeinfo>

#include <cxxabi.h>

namespace ringlet::detail {
namespace {

enum : int { code_cancelled = 1, code_time_limit = 2 };

class category final : public std::error_category {
public:
    const char* name() const noexcept override { return "ringlet"; }
    std::string message(int code) const override {
        return code == code_time_limit ? "the time limit has passed" : "cancelled";
    }
    std::error_condition default_error_condition(int code) const noexcept override {
        if (code == code_time_limit) return std::errc::timed_out;
        return {code, *this};
    }
};

const category& the_category() noexcept {
    static const category one;
    return one;
}

}  // namespace

std::error_code cancelled_code() noexcept { return {code_cancelled, the_category()}; }

std::error_code time_limit_code() noexcept { return {code_time_limit, the_category()}; }

bool is_cancelled(const std::exception_ptr& error) noexcept {
    return error && *error.__cxa_exception_type() == typeid(cancelled);
}

std::shared_ptr<expiry> expiry_behind(const std::exception_ptr& error) noexcept {
    if (!is_cancelled(error)) return nullptr;
    return expiry::who_answers(static_cast<const cancelled*>(address_of(error))->cause_);
}

const void* address_of(const std::exception_ptr& error) noexcept {
    static_assert(sizeof error == sizeof(void*));
    const void* address = nullptr;
    std::memcpy(&address, &error, sizeof address);
    return address;
}

std::string describe(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& e) {
        return e.what();
    } catch (const cancelled&) {
        return "cancelled";
    } catch (...) {
        return std::string{"exception of type "} + error.__cxa_exception_type()->name();
    }
}

void programmer_error(std::string_view text, std::source_location where) noexcept {
    std::fprintf(stderr, "ringlet: programmer error: %.*s\n  noticed at %s:%u\n", static_cast<int>(text.size()),
                 text.data(), where.file_name(), static_cast<unsigned>(where.line()));
    std::abort();
}

}  // namespace ringlet::detail
